"""What all deliberate errors have in common."""

from __future__ import annotations

from typing import ClassVar, Self


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

    def at(self, place: str) -> Self:
        """The same error, telling which of several inputs it is about; this one may be told to others too."""
        told = type(self).__new__(type(self), *self.args)
        told.__dict__.update(self.__dict__, message=f"{place}: {self.message}", param=place)
        return told
