"""What all errors have in common, and those that no request or item is to blame for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surefoot_client.scores import ItemFailure


class SurefootError(Exception):
    """Base of all deliberate errors. `request_id` is the `x-request-id` to look for in the server's log."""

    def __init__(self, message: str, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.request_id = request_id


class TransportError(SurefootError):
    """No usable answer arrived. `code` and `retryable` are the client's own: the server said nothing."""

    code: str = "transport_error"
    retryable: bool = True


class ConnectionFailed(TransportError):
    """The server could not be reached, or hung up. `sent`: it may have received the request all the same."""

    code = "connection_failed"

    def __init__(self, message: str, *, sent: bool = True, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.sent = sent


class TimedOut(TransportError):
    """The call's time was up before the answer was complete."""

    code = "timed_out"


class BadResponse(TransportError):
    """An answer arrived that is not what the API promises; the message names the field."""

    code = "bad_response"
    retryable = False


class ItemsFailed(SurefootError):
    """Some items failed; `failures` holds every one, `__cause__` is the first one's error."""

    def __init__(self, message: str, failures: tuple[ItemFailure, ...] = ()) -> None:
        super().__init__(message)
        self.failures = failures


class ServerError(SurefootError):
    """The server said no.

    `code` is the server's stable identifier, `param` the field at fault, `status` the HTTP status (`None` for the
    error of one item or of a stream that had begun), `retryable` whether the same call may succeed later,
    `retry_after_s` how many seconds the server asked to wait.
    """

    code: str = "internal_error"
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int | None = None,
        retry_after_s: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.code = code or type(self).code
        self.param = param
        self.status = status
        self.retry_after_s = retry_after_s


class InternalError(ServerError):
    """The server failed in a way that it did not foresee."""

    code = "internal_error"


class BadGateway(ServerError):
    """A proxy before the server got no usable answer from it."""

    code = "bad_gateway"
    retryable = True
