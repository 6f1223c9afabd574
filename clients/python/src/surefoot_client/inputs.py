"""What callers hand in, and how it becomes a JSON body."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from typing import Any, Literal

Aggregation = Literal["prod", "min", "mean", "last", "sum_logprob", "sum", "soft_min"]
Strategy = Literal["process", "outcome", "majority", "process_weighted", "outcome_weighted", "process_outcome"]
Priority = Literal["interactive", "bulk"]
Messages = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class ScoreItem:
    """One solution to score, in one of three forms.

    `problem` with `steps`; `problem` with a whole `solution`, which the server splits; or `messages`, whose last
    assistant turn is the solution. `id` comes back with the result. Raises `ValueError` for any other combination.
    """

    problem: str | None = None
    steps: Sequence[str] | None = None
    solution: str | None = None
    messages: Messages | None = None
    id: str | None = None

    def __post_init__(self) -> None:
        if self.messages is not None:
            if any(given is not None for given in (self.problem, self.steps, self.solution)):
                raise ValueError("messages stands alone: leave out problem, steps and solution")
        elif self.problem is None or (self.steps is None) == (self.solution is None):
            raise ValueError("give problem with exactly one of steps and solution, or messages")
        if isinstance(self.steps, str):
            raise TypeError("steps must be a list of texts; pass one whole text as solution")


@dataclass(frozen=True, slots=True)
class EarlyStop:
    """When the sampling of a vote ends early: once the leading answer would stay first with `confidence`.

    `confidence` lies in (0.5, 1); at least `min_n` candidates are scored before. `None` leaves a value to the server
    (0.95 and 4). Only strategies that vote can end early.
    """

    confidence: float | None = None
    min_n: int | None = None


def listed(name: str, values: object) -> list[Any]:
    """`values` as a list; `TypeError` for a single text, mapping or item, which would be taken apart silently."""
    if isinstance(values, (str, bytes, Mapping, ScoreItem)) or not isinstance(values, Sequence):
        raise TypeError(f"{name} must be a list; wrap a single one in [ ]")
    return list(values)


def affinity_of(value: object) -> str | None:
    """What an item, a group or a conversation asks about: calls that ask the same go to the same server.

    Of a list, what its first entry asks about. `None` where nothing can be told, which is no error here.
    """
    if isinstance(value, ScoreItem):
        return value.problem if value.messages is None else affinity_of({"messages": value.messages})
    if isinstance(value, Mapping):
        problem = value.get("problem")
        if isinstance(problem, str):
            return problem
        messages = value.get("messages")
        if not isinstance(messages, Sequence):
            return None
        # The first turns of a conversation ask; its last one, the assistant's, is what differs.
        asked = [turn for turn in messages if isinstance(turn, Mapping) and turn.get("role") != "assistant"]
        return json.dumps([[str(turn.get("role")), str(turn.get("content"))] for turn in asked])
    return affinity_of(value[0]) if isinstance(value, list) and value else None


def encode(body: Mapping[str, object]) -> bytes:
    """The body as JSON without fields that are `None`, at any depth.

    Raises `ValueError` for NaN or infinity and `TypeError` for what JSON does not know; both name the field.
    """
    return json.dumps(_plain(body, ""), allow_nan=False, separators=(",", ":")).encode("ascii")


def _plain(value: object, path: str) -> object:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, (ScoreItem, EarlyStop)):
        return _plain(asdict(value), path)
    if isinstance(value, Mapping):
        given = [(key, entry) for key, entry in value.items() if entry is not None]
        return {_name(key, path): _plain(entry, _joined(path, key)) for key, entry in given}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [_plain(entry, f"{path}[{index}]") for index, entry in enumerate(value)]
    # The number types of array libraries register here, so that a reward loop may pass them as they are.
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return _finite(float(value), path)
    raise TypeError(f"{path} has a type that JSON does not know: {type(value).__name__}")


def _name(key: object, path: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"the field names of {path or 'the body'} must be strings")
    return key


def _joined(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _finite(value: float, path: str) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{path} must be a finite number")
    return value
