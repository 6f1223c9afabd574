"""The answer of `/rerank`: candidates best first, the votes, and which one was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from surefoot_client.checks import CheckedScore
from surefoot_client.errors import ServerError
from surefoot_client.reading import Fields, Received, flag, integer, list_of, map_of, number, text
from surefoot_client.scores import ItemFailure, StepScore, item_error
from surefoot_client.usage import Timing, Usage


@dataclass(frozen=True, slots=True)
class Vote(Received):
    """One group of equivalent answers; `indices` are the candidates that gave it."""

    answer: str
    weight: float
    count: int
    indices: tuple[int, ...]

    @classmethod
    def from_dict(cls, value: object, path: str = "vote") -> Vote:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            answer=fields.required("answer", text),
            weight=fields.required("weight", number),
            count=fields.required("count", integer),
            indices=fields.required("indices", list_of(integer)),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class RankedCandidate(Received):
    """One candidate in its place; `index` is its place in the request.

    `relevance_score` is `None` for a candidate that failed, and then `error` says why. `score` and `outcome_score` are
    the two models' own scores, on their own scales, where they played a role, `unit_score` and `unit_outcome_score` the
    same in (0, 1) as weighted votes take them, where their models have a map there. `document` is the candidate's text
    where `return_documents` asked for it. With `checked`, scores that rule checks were taken into, the ranking went by
    those.
    """

    index: int
    relevance_score: float | None
    id: str | None = None
    answer: str | None = None
    first_error: int | None = None
    score: float | None = None
    outcome_score: float | None = None
    steps: tuple[StepScore, ...] | None = None
    document: str | None = None
    checked: CheckedScore | None = None
    error: ServerError | None = None
    unit_score: float | None = None
    unit_outcome_score: float | None = None

    @classmethod
    def from_dict(cls, value: object, path: str = "candidate") -> RankedCandidate:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        error = fields.optional("error", item_error)
        relevance_score = fields.required("relevance_score", number) if error is None else None
        return cls(
            index=fields.required("index", integer),
            relevance_score=relevance_score,
            id=fields.optional("id", text),
            answer=fields.optional("answer", text),
            first_error=fields.optional("first_error", integer),
            score=fields.optional("score", number),
            outcome_score=fields.optional("outcome_score", number),
            steps=fields.optional("steps", list_of(StepScore.from_dict)),
            document=fields.optional("document", _document),
            checked=fields.optional("checked", CheckedScore.from_dict),
            error=error,
            unit_score=fields.optional("unit_score", number),
            unit_outcome_score=fields.optional("unit_outcome_score", number),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class Ranking(Received):
    """`results` stand best first, failed candidates last.

    `best` is the index in the request of the chosen candidate, `None` when the server abstained or had nothing to
    choose from. `agreement` is the share of the most common answer; `tie` says that the seeded rule decided.
    `models` is keyed by the role that each model played, `fingerprints` by the model's name. `id`, `usage` and `timing`
    belong to a whole request: they are `None` inside a group or `best_of_n`. `error` says why nothing could be ranked;
    only `best_of_n` hands out such a ranking, since its candidates are there all the same.
    """

    results: tuple[RankedCandidate, ...]
    best: int | None
    answer: str | None = None
    votes: tuple[Vote, ...] = ()
    agreement: float | None = None
    tie: bool = False
    error: ServerError | None = None
    id: str | None = None
    strategy: str | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    usage: Usage | None = None
    timing: Timing | None = None

    @property
    def best_result(self) -> RankedCandidate | None:
        """The chosen candidate, `None` when there is none (or `top_n` cut it off)."""
        return next((result for result in self.results if result.index == self.best), None)

    @classmethod
    def from_dict(cls, value: object, path: str = "ranking") -> Ranking:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            results=fields.required("results", list_of(RankedCandidate.from_dict)),
            best=fields.optional("best", integer),
            answer=fields.optional("answer", text),
            votes=fields.optional("votes", list_of(Vote.from_dict)) or (),
            agreement=fields.optional("agreement", number),
            tie=fields.optional("tie", flag) or False,
            error=fields.optional("error", item_error),
            id=fields.optional("id", text),
            strategy=fields.optional("strategy", text),
            models=fields.optional("models", map_of(text)) or {},
            fingerprints=fields.optional("fingerprints", map_of(text)) or {},
            usage=fields.optional("usage", Usage.from_dict),
            timing=fields.optional("timing", Timing.from_dict),
            _json=fields.json,
        )


def single_ranking(value: object, path: str = "response") -> Ranking:
    """The ranking of a request with one group; raises the group's error, or `BadResponse`."""
    ranking = Ranking.from_dict(value, path)
    if ranking.error is not None:
        raise ranking.error
    return ranking


def ranking_groups(value: object, path: str = "response") -> list[Ranking | ItemFailure]:
    """The `groups` of an answer in the order of the request's `items`; raises `BadResponse`.

    What the answer says once for all groups (strategy, models, fingerprints) is repeated in each ranking.
    """
    fields = Fields(value, path)
    strategy = fields.optional("strategy", text)
    models = fields.optional("models", map_of(text)) or {}
    fingerprints = fields.optional("fingerprints", map_of(text)) or {}
    groups: list[Ranking | ItemFailure] = []
    for index, group in enumerate(fields.required("groups", list_of(Fields))):
        error = group.optional("error", item_error)
        if error is not None:
            groups.append(ItemFailure(index=index, error=error, id=group.optional("id", text), _json=group.json))
            continue
        ranking = Ranking.from_dict(group.json, group.path)
        groups.append(
            replace(
                ranking,
                strategy=ranking.strategy or strategy,
                models=ranking.models or models,
                fingerprints=ranking.fingerprints or fingerprints,
            )
        )
    return groups


def _document(value: object, path: str) -> str:
    return value if isinstance(value, str) else Fields(value, path).required("text", text)
