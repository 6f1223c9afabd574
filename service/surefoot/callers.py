"""Who a request comes from, known to all that is done for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

NOBODY = ""
"""Who asks where no request does: the command line, a self-check."""

_caller: ContextVar[str] = ContextVar("caller", default=NOBODY)


def current_caller() -> str:
    """What tells this request's caller from others; never a key itself."""
    return _caller.get()


@contextmanager
def called_by(caller: str) -> Iterator[None]:
    """All that is begun within is done for this caller, tasks included."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)
