"""How every verb fails: a line on standard error for a person, an exit code, and with --json an object for a script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperGroup

from surefoot.cli.consoles import harmless, print_json
from surefoot.cli.ending import MODEL_FAILED
from surefoot.errors import StartupError, SurefootError
from surefoot_client import ConnectionFailed, TimedOut
from surefoot_client import SurefootError as ClientError

EXIT_CODES: Mapping[int, str] = MappingProxyType(
    {
        0: "done",
        1: "the work or some rows failed",
        2: "wrong usage or settings",
        3: "the server cannot be reached",
        MODEL_FAILED: "a served model could not go on; start the service again",
        130: "interrupted",
    }
)
"""What the program ends with, and what that means."""

INTERRUPTED = 130
# Click's class; some versions of typer carry click inside themselves, so that it has no name to import it by.
_UsageError: Any = typer.BadParameter.__mro__[1]
_AS_JSON = "surefoot.as_json"


class FileFailed(SurefootError):
    """A file that was named cannot be read or written to its end."""

    code = "file_failed"


class Program(TyperGroup):
    """The verbs, and the only place where what they raise becomes output and an exit code."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """As click does; whether --json is asked for is known before the options are read, which may be wrong."""
        as_json = wants_json(args)
        with told(as_json=as_json):
            context = super().make_context(info_name, args, parent, **extra)
        context.meta[_AS_JSON] = as_json
        return context

    def invoke(self, ctx: Any) -> Any:
        """Run the verb. Raises `typer.Exit` for a deliberate error, which has been told by then."""
        with told(as_json=ctx.meta[_AS_JSON]):
            return super().invoke(ctx)


@contextmanager
def told(*, as_json: bool) -> Iterator[None]:
    """Tell of what is raised within, and turn it into an exit code; unforeseen errors pass with their traceback."""
    try:
        yield
    except _UsageError as error:
        # Typer writes it to standard error by itself.
        if as_json:
            _print_object("usage_error", error.format_message(), _option_of(error))
        raise
    except (SurefootError, ClientError) as error:
        typer.echo(explain(error), err=True)
        if as_json:
            _print_object(_code_of(error), error.message, getattr(error, "param", None))
        raise typer.Exit(exit_code(error)) from None
    except KeyboardInterrupt as interruption:
        typer.echo("\n".join(["surefoot: interrupted", *_notes_of(interruption)]), err=True)
        if as_json:
            _print_object("interrupted", "interrupted", None)
        raise typer.Exit(INTERRUPTED) from None


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether --json stands among the options; after `--` it is a text like any other."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options


def exit_code(error: SurefootError | ClientError) -> int:
    """The one of `EXIT_CODES` that a deliberate error ends with."""
    if isinstance(error, (ConnectionFailed, TimedOut)):
        return 3
    return 2 if isinstance(error, StartupError) else 1


def explain(error: SurefootError | ClientError) -> str:
    """`surefoot: [code] message`, and the notes that were added to the error below it."""
    return harmless("\n".join([f"surefoot: [{_code_of(error)}] {error}", *_notes_of(error)]))


def _code_of(error: SurefootError | ClientError) -> str:
    # Of the client's errors only `ItemsFailed`, which sums up others, has none.
    return getattr(error, "code", "items_failed")


def _notes_of(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


def _option_of(error: Any) -> str | None:
    """The option or argument at fault as it is written, where the error names one."""
    hint = getattr(error, "param_hint", None)
    if hint is None and (option := getattr(error, "param", None)) is not None:
        hint = option.opts[0]
    return hint or getattr(error, "option_name", None)


def _print_object(code: str, message: str, param: str | None) -> None:
    print_json({"error": {"code": code, "message": message, "param": param}})
