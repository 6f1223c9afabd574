"""One call of the API as a value: what to send, how dear it is and how to read the answer. Knows no transport."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Generic, NoReturn, TypeVar

from surefoot_client.error_table import error_class
from surefoot_client.errors import BadResponse, ServerError
from surefoot_client.reading import Fields, text
from surefoot_client.retry import Cost, retry_after_s

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, whatever its status. `headers` are looked up in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request and the reader of its answer, which raises `BadResponse` or `ServerError`.

    `server_timeout_s` is the deadline that the server was given, if any; the client must not give up before it.
    `accept` names the media types that the answer may have. Calls of one `affinity` go to the same server, where there
    are several, because its cache knows their problem.
    """

    method: str
    path: str
    body: bytes | None
    cost: Cost
    read: Callable[[Reply], T]
    server_timeout_s: float | None = None
    accept: str = "application/json"
    affinity: str | None = None


def json_reader(parse: Callable[[object], T]) -> Callable[[Reply], T]:
    """Reader of a route that answers JSON with a 2xx status."""

    def read(reply: Reply) -> T:
        if not reply.succeeded:
            raise_for_status(reply)
        return parse(decoded(reply))

    return read


def decoded(reply: Reply) -> object:
    """The body as JSON; raises `BadResponse` where it is none, NaN and infinity included."""
    return parsed(reply.body, f"answered {reply.status} with a body")


def parsed(encoded: bytes | str, what: str) -> object:
    """`encoded` as JSON; raises `BadResponse`, which names `what` the server did, where it is none."""
    try:
        value: object = json.loads(encoded, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as cause:
        raise BadResponse(f"the server {what} that is not JSON") from cause
    return value


def raise_for_status(reply: Reply) -> NoReturn:
    """Raise the typed error of an answer that is no success."""
    if reply.status < 400:
        raise BadResponse(f"the server answered {reply.status}, which the API never does; check base_url")
    raise server_error(reply)


def server_error(reply: Reply) -> ServerError:
    """The error that a 4xx or 5xx answer stands for; a proxy's page instead of JSON is judged by its status."""
    code = message = param = None
    silence = f"the server answered {reply.status}"
    try:
        code, message, param = _error_fields(decoded(reply))
    except BadResponse:
        # Another dialect's error body: the status still says what happened.
        silence = f"{silence} without an error object"
    return error_class(code, reply.status)(
        message or silence,
        code=code,
        param=param,
        status=reply.status,
        retry_after_s=retry_after_s(reply.headers.get("retry-after"), datetime.now(timezone.utc)),
        request_id=reply.headers.get("x-request-id"),
    )


def error_in_stream(value: object) -> ServerError:
    """The error that ends a stream of events, whose status had said that all is well; raises `BadResponse`."""
    code, message, param = _error_fields(value)
    return error_class(code, 500)(message or "the server ended the stream with an error", code=code, param=param)


def _error_fields(value: object) -> tuple[str | None, str | None, str | None]:
    """Code, message and param of the native error body; raises `BadResponse`."""
    fields = Fields(value, "response").required("error", Fields)
    return fields.optional("code", text), fields.optional("message", text), fields.optional("param", text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
