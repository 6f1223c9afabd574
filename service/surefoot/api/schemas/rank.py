"""`POST /rerank`: request and response."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, model_validator

from surefoot.api.schemas.checks import CheckedOut, CheckFields, checked_view
from surefoot.api.schemas.common import (
    ErrorOut,
    MessageIn,
    Request,
    Response,
    Text,
    Threshold,
    Timeout,
    TimingOut,
    UsageOut,
    split_conversation,
)
from surefoot.api.schemas.score import StepOut, step_views
from surefoot.candidate_scores import CandidateInput, RankTask
from surefoot.domain import Aggregation, Priority, ScoreOptions, SolutionScore, Strategy
from surefoot.errors import ItemError
from surefoot.ranking import RankedGroup


class Candidate(Request):
    """A candidate as an object; `answer` overrides what would be extracted from it."""

    id: Text | None = None
    text: Text | None = None
    steps: list[Text] | None = None
    answer: Text | None = None

    @model_validator(mode="after")
    def _text_or_steps(self) -> Self:
        if (self.text is None) == (self.steps is None):
            raise ValueError("give either text or steps")
        return self

    def to_input(self) -> CandidateInput:
        """The domain's candidate."""
        steps = None if self.steps is None else tuple(self.steps)
        return CandidateInput(self.text, steps, self.answer, self.id)


def _text_as_object(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


AnyCandidate = Annotated[Candidate, BeforeValidator(_text_as_object, json_schema_input_type=str | Candidate)]
"""A bare text or an object. One branch, not a union, so that an error's path is the caller's own."""


class Group(Request):
    """Candidates of one problem."""

    problem: Text | None = Field(None, validation_alias=AliasChoices("problem", "query"))
    messages: list[MessageIn] | None = Field(None, description="A conversation that ends with the problem.")
    candidates: list[AnyCandidate] | None = Field(
        None, min_length=1, validation_alias=AliasChoices("candidates", "documents")
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.check_shape()
        return self

    def check_shape(self) -> None:
        """Raises `ValueError` unless the group is said in exactly one way."""
        if (self.problem is None) == (self.messages is None):
            raise ValueError("give either problem or messages")
        if self.messages is not None:
            split_conversation(self.messages)
        if self.candidates is None:
            raise ValueError("candidates is missing")

    def to_task(self) -> RankTask:
        """The domain's task."""
        context, problem = ((), self.problem) if self.messages is None else split_conversation(self.messages)
        return RankTask(problem or "", tuple(given.to_input() for given in self.candidates or ()), context)


class RankingFields(CheckFields):
    """How candidates are ranked; shared by /rerank and /best_of_n."""

    strategy: Strategy = "process"
    model: str | None = Field(None, description="Process model; default: the first configured one.")
    outcome_model: str | None = Field(None, description="Outcome model; default: the first configured one.")
    aggregation: Aggregation | None = None
    threshold: Threshold | None = None
    top_n: int | None = Field(None, ge=1, description="At most so many results; votes count all candidates.")
    return_documents: bool = False
    tie_seed: int | None = Field(None, description="Seeds the choice among equals; without it the first one wins.")
    abstain_below: Threshold | None = Field(None, description="Pick nothing when the winner's relevance is below it.")
    timeout_s: Timeout | None = None
    priority: Priority = "interactive"

    def to_score_options(self) -> ScoreOptions:
        """How the candidates are scored."""
        return ScoreOptions(
            self.aggregation,
            self.threshold,
            False,
            self.priority,
            self.timeout_s,
            self.check_names(),
            self.combine_checks,
        )


class RerankRequest(RankingFields, Group):
    """One group at top level, or several in `items`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "problem": "2 + 3?",
                    "candidates": ["2 + 3 = 5\nThe answer is 5.", {"steps": ["2 + 3 = 6"], "answer": "6"}],
                    "strategy": "process_weighted",
                },
                {
                    "items": [{"problem": "2 + 3?", "candidates": ["The answer is 5.", "The answer is 6."]}],
                    "return_documents": True,
                },
            ]
        }
    )

    items: list[Group] | None = Field(None, min_length=1)

    def check_shape(self) -> None:
        """Raises `ValueError` unless there are items, or one group at top level."""
        given = [name for name in Group.model_fields if getattr(self, name) is not None]
        if self.items is None:
            super().check_shape()
        elif given:
            raise ValueError(f"give either items or {given[0]} at top level, not both")

    def to_tasks(self) -> list[RankTask]:
        """All groups in order."""
        return [self.to_task()] if self.items is None else [group.to_task() for group in self.items]


class VoteOut(Response):
    """One class of equivalent answers."""

    answer: str
    weight: float
    count: int
    indices: list[int]


class DocumentOut(Response):
    """A candidate's text, as step spans count it."""

    text: str


class RankedOut(Response):
    """One candidate in its place."""

    index: int
    id: str | None = None
    relevance_score: float | None = None
    answer: str | None = None
    first_error: int | None = None
    score: float | None = Field(None, description="The process model's solution score.")
    outcome_score: float | None = None
    unit_score: float | None = Field(
        None,
        description="`score` as weighted votes and products take it, in [0, 1]; absent where the scale has no map.",
    )
    unit_outcome_score: float | None = Field(None, description="The same of `outcome_score`.")
    steps: list[StepOut] | None = None
    checked: CheckedOut | None = None
    document: DocumentOut | None = None
    error: ErrorOut | None = None


class RankedGroupOut(Response):
    """One problem's ranking, or the group's `error`."""

    results: list[RankedOut] = Field(default_factory=list)
    best: int | None = None
    answer: str | None = None
    votes: list[VoteOut] = Field(default_factory=list)
    agreement: float | None = None
    tie: bool = False
    error: ErrorOut | None = None


class RankCosts(Response):
    """What answered and what it cost."""

    strategy: Strategy
    models: dict[str, str] = Field(description="The role each model played: process, outcome.")
    fingerprints: dict[str, str] = Field(description="Fingerprint by model name.")
    usage: UsageOut
    timing: TimingOut


class RerankResponse(RankedGroupOut, RankCosts):
    """A ranking; for a request with `items` the rankings stand in `groups` instead."""

    id: str
    groups: list[RankedGroupOut] | None = None


def group_view(
    task: RankTask, group: RankedGroup | ItemError, fields: RankingFields, numbers: Sequence[int] | None = None
) -> dict[str, Any]:
    """One group as JSON. `numbers` are the candidates' indices for the caller where they are not 0, 1, 2, ..."""
    if isinstance(group, ItemError):
        return {"results": [], "best": None, "error": ErrorOut.of(group).model_dump()}
    numbers = range(len(task.candidates)) if numbers is None else numbers
    selection = group.selection
    return {
        "results": [
            {"index": numbers[place], **_candidate_view(task, group, place, fields)}
            for place in selection.order[: fields.top_n]
        ],
        "best": None if selection.best is None else numbers[selection.best],
        "answer": selection.answer,
        "votes": [
            {
                "answer": vote.answer,
                "weight": vote.weight,
                "count": vote.count,
                "indices": [numbers[place] for place in vote.indices],
            }
            for vote in selection.votes
        ],
        "agreement": selection.agreement,
        "tie": selection.tie,
    }


def _candidate_view(task: RankTask, group: RankedGroup, index: int, fields: RankingFields) -> dict[str, Any]:
    given, error = task.candidates[index], group.errors[index]
    process, outcome = group.process[index], group.outcome[index]
    view: dict[str, Any] = {} if given.id is None else {"id": given.id}
    if error is not None:
        return {**view, "relevance_score": None, "error": ErrorOut.of(error).model_dump()}
    view |= {"relevance_score": group.selection.relevance[index], "answer": group.answers[index]}
    view |= score_view(process, outcome)
    entry = group.entries[index]
    units = {"unit_score": entry.process_unit, "unit_outcome_score": entry.outcome_unit}
    view |= {name: value for name, value in units.items() if value is not None}
    if fields.return_documents:
        view["document"] = {"text": _scored_text(given, process)}
    return view


def score_view(process: SolutionScore | None, outcome: SolutionScore | None) -> dict[str, Any]:
    """What the models say of one candidate as JSON; only those that were asked are shown."""
    view: dict[str, Any] = {"first_error": None if process is None else process.first_error}
    if process is not None:
        view |= {"score": process.score, "steps": step_views(process), **checked_view(process)}
    if outcome is not None:
        view["outcome_score"] = outcome.score
    return view


def _scored_text(given: CandidateInput, process: SolutionScore | None) -> str:
    if process is not None:
        return process.text
    return given.text if given.text is not None else "\n".join(given.steps or ())
