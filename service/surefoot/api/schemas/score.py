"""`POST /score`: request and response."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from surefoot.api.schemas.checks import CheckedOut, CheckFields, StepCheckOut, check_view, checked_view
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
    split_scored_conversation,
)
from surefoot.api.schemas.rewards import RewardOptions, RewardsOut, add_rewards
from surefoot.domain import Aggregation, GroupScore, Priority, ScoreOptions, ScoreTask, SolutionScore
from surefoot.registry import ModelCard


class ScoreItem(Request):
    """A problem with `steps` or a whole `solution`, or a conversation that ends with the solution."""

    id: Text | None = None
    problem: Text | None = None
    steps: list[Text] | None = None
    solution: Text | None = None
    messages: list[MessageIn] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.check_shape()
        return self

    def check_shape(self) -> None:
        """Raises `ValueError` unless the item is said in exactly one way."""
        if self.messages is not None:
            if self.problem is not None or self.steps is not None or self.solution is not None:
                raise ValueError("give either messages, or problem with steps or solution, not both")
            split_scored_conversation(self.messages)
        elif self.problem is None:
            raise ValueError("problem is missing (or give messages)")
        elif self.steps is not None and self.solution is not None:
            raise ValueError("give either steps or solution, not both")

    def to_task(self) -> ScoreTask:
        """The domain's task."""
        if self.messages is not None:
            context, problem, solution = split_scored_conversation(self.messages)
            return ScoreTask(problem, solution=solution, context=context, id=self.id)
        steps = None if self.steps is None else tuple(self.steps)
        return ScoreTask(self.problem or "", solution=self.solution, steps=steps, id=self.id)


_ITEM_FIELDS = tuple(ScoreItem.model_fields)


class ScoreRequest(CheckFields, ScoreItem):
    """Several `items`, or the fields of one item at top level."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"problem": "2 + 3 * 4?", "steps": ["3 * 4 = 12", "2 + 12 = 14", "The answer is 14."]},
                {
                    "items": [
                        {"id": "a", "problem": "2 + 3?", "solution": "2 + 3 = 5\nThe answer is 5."},
                        {
                            "id": "b",
                            "messages": [
                                {"role": "user", "content": "2 + 3?"},
                                {"role": "assistant", "content": "2 + 3 = 6"},
                            ],
                        },
                    ],
                    "aggregation": "min",
                },
            ]
        }
    )

    items: list[ScoreItem] | None = Field(None, min_length=1)
    model: str | None = Field(None, description="A name from /v1/models; default: the first configured model.")
    aggregation: Aggregation | None = Field(None, description="How step scores become `score`; default: the profile's.")
    threshold: Threshold | None = Field(None, description="Steps scored below it are errors; default: the profile's.")
    timeout_s: Timeout | None = None
    priority: Priority = "interactive"
    trace: bool = Field(False, description="Outcome models: also the value after each step, at a pass per step.")
    rewards: RewardOptions | None = Field(None, description="Gives each scored item a `reward` too, made so.")

    def check_shape(self) -> None:
        """Raises `ValueError` unless there are items, or one item at top level."""
        if self.items is None:
            super().check_shape()
        elif any(getattr(self, name) is not None for name in _ITEM_FIELDS):
            raise ValueError("give either items or the fields of one item at top level, not both")

    def to_tasks(self) -> list[ScoreTask]:
        """All tasks in order."""
        return [self.to_task()] if self.items is None else [item.to_task() for item in self.items]

    def to_options(self) -> ScoreOptions:
        """How they are scored."""
        return ScoreOptions(
            self.aggregation,
            self.threshold,
            self.trace,
            self.priority,
            self.timeout_s,
            self.check_names(),
            self.combine_checks,
        )


class StepOut(Response):
    """One scored step; `span` is its place in `text`, in code points, end exclusive."""

    index: int
    span: tuple[int, int]
    score: float
    raw: list[float]
    probabilities: dict[str, float] | None
    checks: list[StepCheckOut] | None = Field(None, description="Verdicts of the checks that were asked for.")


class ScoreResult(Response):
    """One item's result, or its `error`."""

    index: int
    id: str | None = None
    kind: Literal["process", "outcome"] | None = None
    text: str | None = None
    steps: list[StepOut] | None = None
    first_error: int | None = None
    first_error_probabilities: list[float] | None = None
    no_error_probability: float | None = None
    score: float | None = None
    raw: list[float] | None = None
    trace: list[float] | None = None
    aggregations: dict[str, float] | None = None
    checked: CheckedOut | None = None
    reward: float | None = Field(None, description="The score after what `rewards` asked for.")
    num_tokens: int | None = None
    cached_tokens: int | None = None
    error: ErrorOut | None = None


class ScoreResponse(Response):
    """Results in the order of the items."""

    id: str
    model: str
    fingerprint: str
    scale: Literal["probability", "signed", "unbounded"]
    results: list[ScoreResult]
    rewards: RewardsOut | None = None
    usage: UsageOut
    timing: TimingOut


def step_views(score: SolutionScore) -> list[dict[str, Any]]:
    """The steps of a process score as JSON."""
    return [
        {
            "index": step.index,
            "span": list(step.span),
            "score": step.score,
            "raw": list(step.raw),
            "probabilities": None if step.probabilities is None else dict(step.probabilities),
            **({"checks": [check_view(check) for check in step.checks]} if step.checks else {}),
        }
        for step in score.steps
    ]


def result_view(index: int, item_id: str | None, result: SolutionScore | Exception) -> dict[str, Any]:
    """One result as JSON: fields that do not belong to its kind are left out."""
    head = {"index": index} if item_id is None else {"index": index, "id": item_id}
    if isinstance(result, Exception):
        return {**head, "error": ErrorOut.of(result).model_dump()}
    tail = {"num_tokens": result.num_tokens, "cached_tokens": result.cached_tokens}
    if result.kind == "outcome":
        trace = {} if result.trace is None else {"trace": list(result.trace)}
        raw = list(result.raw or ())
        return {**head, "kind": "outcome", "text": result.text, "score": result.score, "raw": raw, **trace, **tail}
    return {
        **head,
        "kind": "process",
        "text": result.text,
        "steps": step_views(result),
        "first_error": result.first_error,
        "first_error_probabilities": result.first_error_probabilities,
        "no_error_probability": result.no_error_probability,
        "score": result.score,
        "aggregations": dict(result.aggregations),
        **checked_view(result),
        **tail,
    }


def response_view(
    request_id: str, card: ModelCard, tasks: list[ScoreTask], group: GroupScore, rewards: RewardOptions | None
) -> dict[str, Any]:
    """The whole answer as JSON."""
    answer = {
        "id": request_id,
        "model": card.name,
        "fingerprint": card.fingerprint,
        "scale": card.scale,
        "results": [
            result_view(index, task.id, result)
            for index, (task, result) in enumerate(zip(tasks, group.results, strict=True))
        ],
        "usage": UsageOut.of(group.usage).model_dump(),
        "timing": TimingOut.of(group.timing).model_dump(),
    }
    add_rewards(answer, rewards, tasks, group)
    return answer
