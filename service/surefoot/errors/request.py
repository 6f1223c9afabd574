"""Errors that answer a whole request."""

from __future__ import annotations

from surefoot.errors.base import SurefootError


class RequestError(SurefootError):
    """The whole request is answered with this error."""


class InvalidRequest(RequestError):
    """A field has a value that cannot be served; `param` names it."""

    code = "invalid_request"


class UnrecognisedBody(RequestError):
    """The body belongs to no dialect that this route speaks."""

    code = "unrecognised_body"


class AggregationNotDefined(RequestError):
    """The model's scale has no such aggregate."""

    code = "aggregation_not_defined"


class ModelNotFound(RequestError):
    """No model of that name, or none of that kind, is configured."""

    code = "model_not_found"


class Unauthorized(RequestError):
    """No API key that is known and good came with the request."""

    code = "unauthorized"


class Forbidden(RequestError):
    """The API key lacks a scope that the route asks for."""

    code = "forbidden"


class AdapterNotConfigured(RequestError):
    """The model is served without an adapter."""

    code = "adapter_not_configured"


class CandidateNotConfigured(RequestError):
    """The model has no candidate of that label in the settings."""

    code = "candidate_not_configured"


class ModelStateConflict(RequestError):
    """What is asked for does not fit what stands beside the model now: nothing to promote, or a place that is taken."""

    code = "model_state_conflict"


class GeneratorNotFound(RequestError):
    """No generator of that name is configured."""

    code = "generator_not_found"


class WrongModelKind(RequestError):
    """A process model was named where an outcome model is needed, or the other way round."""

    code = "wrong_model_kind"


MIN_RETRY_AFTER_S, MAX_RETRY_AFTER_S = 1.0, 60.0
"""Within which every estimate of when there is room is kept."""


class QueueFull(RequestError):
    """There is no room in the queue now; `retry_after_s` estimates when there is."""

    code = "queue_full"
    retryable = True

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class GroupTooLarge(RequestError):
    """The request is larger than the queue could ever hold."""

    code = "group_too_large"


class BodyTooLarge(RequestError):
    """The body has more bytes than allowed."""

    code = "body_too_large"


class BodyTimeout(RequestError):
    """The body did not arrive in time."""

    code = "body_timeout"
    retryable = True


class UnsupportedEncoding(RequestError):
    """The body is packed in a way that is not unpacked here; gzip is, up to the bound on bodies."""

    code = "unsupported_encoding"


class RequestTimeout(RequestError):
    """The whole request took too long."""

    code = "request_timeout"
    retryable = True


class NotReady(RequestError):
    """The model is loading, failed to load, or the service is stopping."""

    code = "not_ready"
    retryable = True


class SamplerUnavailable(RequestError):
    """The generator cannot be used now."""

    code = "sampler_unavailable"
    retryable = True
