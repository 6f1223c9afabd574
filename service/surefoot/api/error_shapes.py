"""How an error is written: natively, or as the system does whose contract a route speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from surefoot.api.schemas.common import ErrorResponse


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is told of an error: an HTTP status, the stable code, a message, and the field at fault."""

    status: int
    code: str
    message: str
    param: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorShape:
    """One way of writing errors: the body, its schema, and what stands for statuses that the system does not use."""

    body: Callable[[Refusal], dict[str, Any]]
    model: type[BaseModel]
    instead: Mapping[int, int] = field(default_factory=dict)

    def status(self, status: int) -> int:
        """The status that this system answers with."""
        return self.instead.get(status, status)


def _native_body(refusal: Refusal) -> dict[str, Any]:
    kind = _native_type(refusal.status)
    return {"error": {"code": refusal.code, "message": refusal.message, "type": kind, "param": refusal.param}}


def _native_type(status: int) -> str:
    if status == 429:
        return "overloaded_error"
    return "server_error" if status >= 500 else "invalid_request_error"


NATIVE = ErrorShape(_native_body, ErrorResponse)
