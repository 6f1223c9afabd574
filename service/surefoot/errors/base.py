"""What all deliberate errors have in common."""

from __future__ import annotations

from typing import ClassVar


class SurefootError(Exception):
    """Base of all deliberate errors.

    `code` is a stable identifier, `retryable` says whether the same call may succeed later, `param` names the
    field at fault where there is one. Messages never hold user text: they may be logged.
    """

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
