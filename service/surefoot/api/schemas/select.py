"""`POST /select`: request and response."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field, field_validator

from surefoot.api.schemas.common import ErrorOut, Request, Response, Text, Timeout, TimingOut, UsageOut
from surefoot.api.schemas.rank import AnyCandidate
from surefoot.candidate_scores import RankTask
from surefoot.convincing import Reason
from surefoot.domain import Aggregation, Priority, ScoreOptions
from surefoot.errors import ItemError
from surefoot.labelling import ChosenGroup, LabelTask


class SelectItem(Request):
    """A problem, its right answer, and candidates."""

    problem: Text
    answer: Text = Field(description="The right answer; whatever a vote counts as the same is right too.")
    candidates: list[AnyCandidate] = Field(min_length=1)

    @field_validator("answer")
    @classmethod
    def _is_an_answer(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("the right answer is empty")
        return value

    def to_task(self) -> LabelTask:
        """The domain's task."""
        return LabelTask(RankTask(self.problem, tuple(given.to_input() for given in self.candidates)), self.answer)


class SelectRequest(Request):
    """Choose candidates for labelling: convincing wrong answers, and the most convincing of the rest."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {"problem": "2 + 3?", "answer": "5", "candidates": ["The answer is 5.", "The answer is 6."]}
                    ],
                    "top_k": 1,
                },
            ]
        }
    )

    items: list[SelectItem] = Field(min_length=1)
    top_k: int = Field(ge=1, lt=2**31, description="Candidates to choose of each item; fewer where there are fewer.")
    wrong_fraction: float = Field(0.8, ge=0, le=1, allow_inf_nan=False, description="Their share of wrong answers.")
    model: str | None = Field(None, description="Process model; default: the first configured one.")
    aggregation: Aggregation | None = None
    timeout_s: Timeout | None = None
    priority: Priority = "interactive"

    def to_tasks(self) -> list[LabelTask]:
        """All tasks in order."""
        return [item.to_task() for item in self.items]

    def to_score_options(self) -> ScoreOptions:
        """How the candidates are scored."""
        return ScoreOptions(self.aggregation, None, False, self.priority, self.timeout_s)


class ChosenOut(Response):
    """A chosen candidate; `is_correct` is null where no answer was found in it."""

    index: int
    id: str | None = None
    score: float
    answer: str | None
    is_correct: bool | None
    first_error: int | None
    reason: Reason


class FailedOut(Response):
    """A candidate that could not be scored."""

    index: int
    id: str | None = None
    error: ErrorOut


class SelectedOut(Response):
    """One item's choices: wrong answers first, then the rest, each best first; or the item's `error`."""

    index: int
    chosen: list[ChosenOut]
    failed: list[FailedOut]
    error: ErrorOut | None = None


class SelectResponse(Response):
    """Choices in the order of the items."""

    id: str
    model: str
    fingerprint: str
    results: list[SelectedOut]
    usage: UsageOut
    timing: TimingOut


def selected_view(index: int, task: LabelTask, group: ChosenGroup | ItemError) -> dict[str, Any]:
    """One item's choices as JSON."""
    if isinstance(group, ItemError):
        return {"index": index, "chosen": [], "failed": [], "error": ErrorOut.of(group).model_dump()}
    ids = [candidate.id for candidate in task.candidates.candidates]
    chosen = []
    for choice in group.choices:
        score = group.scores[choice.index]
        chosen.append(
            {
                **_place(choice.index, ids),
                "score": None if score is None else score.score,
                "answer": group.answers[choice.index],
                "is_correct": group.is_correct[choice.index],
                "first_error": None if score is None else score.first_error,
                "reason": choice.reason,
            }
        )
    failed = [
        {**_place(place, ids), "error": ErrorOut.of(error).model_dump()}
        for place, error in enumerate(group.errors)
        if error is not None
    ]
    return {"index": index, "chosen": chosen, "failed": failed}


def _place(index: int, ids: list[str | None]) -> dict[str, Any]:
    return {"index": index} if ids[index] is None else {"index": index, "id": ids[index]}
