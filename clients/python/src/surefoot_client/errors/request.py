"""Errors of a request that the server refused."""

from __future__ import annotations

from surefoot_client.errors.base import ServerError


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


class AdapterNotConfigured(RequestError):
    """The model is served without an adapter, so that there is none to read again."""

    code = "adapter_not_configured"


class CandidateNotConfigured(RequestError):
    """The model has no candidate of that label in the server's settings."""

    code = "candidate_not_configured"


class ModelStateConflict(RequestError):
    """There is nothing to promote, to roll back to or to unload, or the place of a candidate is taken."""

    code = "model_state_conflict"


class CheckpointMissing(RequestError):
    """There is no checkpoint where the settings name one; the model is served as before."""

    code = "checkpoint_missing"


class CheckpointDamaged(RequestError):
    """The checkpoint is incomplete or not what the profile reads; the model is served as before."""

    code = "checkpoint_damaged"


class OutOfMemory(RequestError):
    """The weights do not fit beside those that are loaded; the model is served as before."""

    code = "out_of_memory"


class CheckpointRefused(RequestError):
    """Reading the checkpoint could run its author's code; the model is served as before."""

    code = "checkpoint_refused"


class SettingsInvalid(RequestError):
    """The settings of a candidate cannot be served; the model is served as before."""

    code = "settings_invalid"


class ProfileAmbiguous(RequestError):
    """Several profiles could read the checkpoint; the model is served as before."""

    code = "profile_ambiguous"


class AdapterInvalid(RequestError):
    """The adapter's files cannot be read; the model is served as before."""

    code = "adapter_invalid"


class AdapterMismatch(RequestError):
    """The adapter was trained for another base; the model is served as before."""

    code = "adapter_mismatch"


class ProfileInvalid(RequestError):
    """The model's profile cannot be used; the model is served as before."""

    code = "profile_invalid"


class SelfCheckFailed(RequestError):
    """What was read does not give the scores that it must; the model is served as before."""

    code = "self_check_failed"


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


class BodyTimeout(RequestError):
    """The body did not reach the server in time."""

    code = "body_timeout"
    retryable = True


class UnsupportedEncoding(RequestError):
    """The body was packed in a way that the server does not unpack."""

    code = "unsupported_encoding"


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
