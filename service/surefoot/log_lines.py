"""How the log is written: as text for people, or as JSON, a line each; with the request's id, never with user text."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

from surefoot.callers import current_caller
from surefoot.errors import SurefootError
from surefoot.request_context import current_request

LogFormat = Literal["text", "json"]

_FIELDS = "surefoot_fields"
_TELLS_MESSAGES = "surefoot_tells_messages"

TELLS_MESSAGES: dict[str, Any] = {_TELLS_MESSAGES: True}
"""`extra` of a line whose exception is told with its message: what fails there reads files and settings, never what a
request brought."""


def with_fields(**fields: str | float | None) -> dict[str, Any]:
    """`extra` of a line: fields of their own in JSON. Those that are `None` are left out."""
    return {_FIELDS: {name: value for name, value in fields.items() if value is not None}}


def origin(error: BaseException | None) -> str:
    """The classes and the stacks of an error and of what caused it.

    Messages are left out, for they may quote user text; those of `SurefootError` never do.
    """
    return "caused by ".join(_told(error, set()))


def _told(error: BaseException | None, known: set[int]) -> Iterator[str]:
    """An error and its causes, each once: `raise error from cause` may close a circle, which would have no end."""
    while error is not None and id(error) not in known:
        known.add(id(error))
        said = f": {error.message}" if isinstance(error, SurefootError) else ""
        stack = "".join(traceback.format_tb(error.__traceback__))
        yield f"{type(error).__qualname__}{said}\n{stack}"
        if isinstance(error, BaseExceptionGroup):
            for one in error.exceptions:
                yield from _told(one, known)
        error = error.__cause__ or error.__context__


def log_origin(log: logging.Logger, what: str, error: BaseException) -> None:
    """A line at `error` of what nobody foresaw, told by `origin`: safe with any formatter, other programs' included."""
    told = origin(error)
    log.error("%s: %s", what, told, extra=with_fields(exception=type(error).__qualname__, stack=told))


class TextLines(logging.Formatter):
    """`time LEVEL logger: [request id] message`, and below it where an exception came from."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        request = current_request()
        record.message = _message(record) if request is None else f"[{request.request_id}] {_message(record)}"
        record.asctime = self.formatTime(record)
        line = self.formatMessage(record)
        stack = _stack(record)
        return line if stack is None else f"{line}\n{stack}".rstrip("\n")


class JsonLines(logging.Formatter):
    """An object a line, in ASCII: time (RFC 3339, UTC), level, logger, message; where they are known request_id,
    trace_id, span_id, caller, exception (its class), stack, and the fields of the line."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        request = current_request()
        if request is not None:
            line["request_id"] = request.request_id
            if request.trace is not None:
                line |= {"trace_id": request.trace.trace_id, "span_id": request.trace.span_id}
        if caller := current_caller():
            line["caller"] = caller
        fields = getattr(record, _FIELDS, {})
        if "stack" in fields:
            line["message"] = line["message"].partition("\n")[0]
        line |= fields
        stack = _stack(record)
        if stack is not None and record.exc_info is not None and record.exc_info[0] is not None:
            line |= {"exception": record.exc_info[0].__qualname__, "stack": stack}
        return json.dumps(line)


_LINES: dict[LogFormat, type[TextLines | JsonLines]] = {"text": TextLines, "json": JsonLines}


def set_up_logging(level: str, log_format: LogFormat) -> None:
    """Send the lines of all libraries, uvicorn's too, to standard error in one form.

    Does nothing where the process has handlers already.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_LINES[log_format]())
    logging.basicConfig(level=level.upper(), handlers=[handler])
    # A line on standard error that is none of the log's would not be JSON.
    logging.captureWarnings(log_format == "json")
    # They report every request, a line for each candidate of a remote generator, with its headers.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _message(record: logging.LogRecord) -> str:
    message = record.getMessage()
    # asyncio goes on with the task and its exception, message included.
    return message.partition("\n")[0] if record.name == "asyncio" else message


def _stack(record: logging.LogRecord) -> str | None:
    if not record.exc_info or record.exc_info[1] is None:
        return None
    error = record.exc_info[1]
    if getattr(record, _TELLS_MESSAGES, False):
        return "".join(traceback.format_exception(error))
    return origin(error)
