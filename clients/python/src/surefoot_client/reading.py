"""Reading JSON answers into typed values: strict about what is there, silent about fields it does not know.

A reader is a function `(value, path) -> typed value` that raises `BadResponse` with the path and never the value.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from surefoot_client.errors import BadResponse

T = TypeVar("T")
Reader = Callable[[object, str], T]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A value read from the server's JSON; it keeps the whole object, unknown fields included."""

    _json: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object exactly as the server sent it, as a copy that may be changed."""
        return copy.deepcopy(self._json)


class Fields:
    """The fields of one JSON object; null counts as absent."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise BadResponse(f"{path} must be a JSON object")
        self.json: dict[str, Any] = value
        self.path = path

    def optional(self, name: str, read: Reader[T]) -> T | None:
        """The field as `read` gives it, `None` when it is absent or null."""
        value = self.json.get(name)
        return None if value is None else read(value, f"{self.path}.{name}")

    def required(self, name: str, read: Reader[T]) -> T:
        """The field as `read` gives it; `BadResponse` when it is absent or null."""
        value = self.optional(name, read)
        if value is None:
            raise BadResponse(f"{self.path}.{name} is missing")
        return value


def text(value: object, path: str) -> str:
    """A JSON string."""
    if not isinstance(value, str):
        raise BadResponse(f"{path} must be a string")
    return value


def number(value: object, path: str) -> float:
    """A finite JSON number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadResponse(f"{path} must be a number")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise BadResponse(f"{path} must be finite")
    return result


def integer(value: object, path: str) -> int:
    """A JSON integer."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadResponse(f"{path} must be an integer")
    return value


def flag(value: object, path: str) -> bool:
    """A JSON boolean."""
    if not isinstance(value, bool):
        raise BadResponse(f"{path} must be true or false")
    return value


def list_of(read: Reader[T]) -> Reader[tuple[T, ...]]:
    """Reader of a JSON array whose elements `read` understands."""

    def read_list(value: object, path: str) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise BadResponse(f"{path} must be an array")
        return tuple(read(element, f"{path}[{index}]") for index, element in enumerate(value))

    return read_list


def map_of(read: Reader[T]) -> Reader[dict[str, T]]:
    """Reader of a JSON object whose values `read` understands; null values are left out."""

    def read_map(value: object, path: str) -> dict[str, T]:
        fields = Fields(value, path)
        return {name: read(entry, f"{path}.{name}") for name, entry in fields.json.items() if entry is not None}

    return read_map


def span(value: object, path: str) -> tuple[int, int]:
    """Two integers: a half-open range of Unicode code points."""
    bounds = list_of(integer)(value, path)
    if len(bounds) != 2:
        raise BadResponse(f"{path} must hold two integers")
    return bounds[0], bounds[1]
