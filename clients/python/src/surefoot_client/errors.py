"""Every error that the client raises on purpose, by meaning.

SurefootError
├── TransportError          no usable answer arrived
│   ├── ConnectionFailed    the server could not be reached, or hung up
│   ├── TimedOut            the call's time was up before the answer was complete
│   └── BadResponse         an answer arrived that is not what the API promises
├── ItemsFailed             `raise_for_failures()` found failed items
└── ServerError             the server said no: .code .message .param .status .retryable .retry_after_s
    ├── ItemError           one item failed; found in `ItemFailure.error`
    │   ├── EmptyProblem · NoSteps · EmptyStep · UnsupportedMessages
    │   ├── InputTooLong · UnsafeText · StepCountMismatch · NonFiniteScore
    │   └── DeadlineExceeded · BackendFailed
    ├── RequestError        the whole request was refused
    │   ├── InvalidRequest · UnrecognisedBody · AggregationNotDefined · WrongModelKind
    │   ├── Unauthorized · Forbidden
    │   ├── NotFound
    │   │   └── ModelNotFound · GeneratorNotFound
    │   ├── QueueFull · GroupTooLarge · BodyTooLarge · RequestTimeout
    │   └── NotReady · SamplerUnavailable
    └── InternalError · BadGateway

`error_table.py` maps the server's codes to these classes. Messages never hold the texts that were sent: they may be
logged.
"""

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
    error of one item), `retryable` whether the same call may succeed later, `retry_after_s` how many seconds the
    server asked to wait.
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


class ItemError(ServerError):
    """One item failed; its neighbours did not."""

    code = "item_error"


class EmptyProblem(ItemError):
    """The problem has no text."""

    code = "empty_problem"


class NoSteps(ItemError):
    """The solution has no steps."""

    code = "no_steps"


class EmptyStep(ItemError):
    """A step has no text."""

    code = "empty_step"


class UnsupportedMessages(ItemError):
    """The conversation has a shape that cannot be scored."""

    code = "unsupported_messages"


class InputTooLong(ItemError):
    """The rendered input exceeds the model's token limit."""

    code = "input_too_long"


class UnsafeText(ItemError):
    """The text spells a control token that the model's tokenizer cannot keep apart from a real one."""

    code = "unsafe_text"


class StepCountMismatch(ItemError):
    """The model gave another number of scores than there are steps."""

    code = "step_count_mismatch"


class NonFiniteScore(ItemError):
    """The model's score was NaN or infinite."""

    code = "non_finite_score"


class DeadlineExceeded(ItemError):
    """The item's deadline passed before it ran."""

    code = "deadline_exceeded"
    retryable = True


class BackendFailed(ItemError):
    """The model's forward pass failed."""

    code = "backend_failed"
    retryable = True


class RequestError(ServerError):
    """The whole request was refused."""

    code = "request_refused"


class InvalidRequest(RequestError):
    """A field is missing, unknown or of the wrong type; `param` names it."""

    code = "invalid_request"


class UnrecognisedBody(RequestError):
    """The body fits no request of the route."""

    code = "unrecognised_body"


class AggregationNotDefined(RequestError):
    """The aggregation is not defined on the model's scale."""

    code = "aggregation_not_defined"


class WrongModelKind(RequestError):
    """A process model was asked for where an outcome model is needed, or the other way round."""

    code = "wrong_model_kind"


class Unauthorized(RequestError):
    """The API key is missing or unknown."""

    code = "unauthorized"


class Forbidden(RequestError):
    """The API key may not do this."""

    code = "forbidden"


class NotFound(RequestError):
    """The server has no such route; check `base_url`."""

    code = "not_found"


class ModelNotFound(NotFound):
    """The server has no model of that name."""

    code = "model_not_found"


class GeneratorNotFound(NotFound):
    """The server has no generator of that name."""

    code = "generator_not_found"


class QueueFull(RequestError):
    """The queue has no room now."""

    code = "queue_full"
    retryable = True


class GroupTooLarge(RequestError):
    """The request is larger than the queue could ever hold; send smaller groups."""

    code = "group_too_large"


class BodyTooLarge(RequestError):
    """The body has more bytes than the server accepts."""

    code = "body_too_large"


class RequestTimeout(RequestError):
    """The whole request passed its deadline on the server."""

    code = "request_timeout"
    retryable = True


class NotReady(RequestError):
    """The server is starting or draining."""

    code = "not_ready"
    retryable = True


class SamplerUnavailable(RequestError):
    """The generator cannot sample now."""

    code = "sampler_unavailable"
    retryable = True


class InternalError(ServerError):
    """The server failed in a way that it did not foresee."""

    code = "internal_error"


class BadGateway(ServerError):
    """A proxy before the server got no usable answer from it."""

    code = "bad_gateway"
    retryable = True
