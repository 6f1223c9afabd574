"""Errors as one line for a person, and as an exit code for a script."""

from __future__ import annotations

from surefoot.errors import StartupError, SurefootError
from surefoot_client import ConnectionFailed, ServerError, TimedOut
from surefoot_client import SurefootError as ClientError


def exit_code(error: SurefootError | ClientError) -> int:
    """1 the work failed, 2 wrong settings, 3 the server cannot be reached."""
    if isinstance(error, (ConnectionFailed, TimedOut)):
        return 3
    return 2 if isinstance(error, StartupError) else 1


def explain(error: SurefootError | ClientError) -> str:
    """`surefoot: [code] message`."""
    code = error.code if isinstance(error, (SurefootError, ServerError)) else None
    return f"surefoot: {f'[{code}] ' if code else ''}{error}"
