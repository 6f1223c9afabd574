"""Every error that surefoot raises on purpose, by meaning.

SurefootError
├── ItemError               one item failed; its neighbours and the request go on
│   ├── EmptyProblem · NoSteps · EmptyStep · UnsupportedMessages
│   ├── InputTooLong · UnsafeText · StepCountMismatch · NonFiniteScore
│   └── DeadlineExceeded · BackendFailed
├── RequestError            the whole request is answered with this error
│   ├── InvalidRequest · UnrecognisedBody · AggregationNotDefined
│   ├── ModelNotFound · GeneratorNotFound · WrongModelKind
│   ├── QueueFull · GroupTooLarge · BodyTooLarge · RequestTimeout
│   └── NotReady · SamplerUnavailable
└── StartupError            the process cannot serve what its configuration asks for
    └── CheckpointMissing · CheckpointDamaged · ProfileInvalid · SettingsInvalid · PortInUse · GpuMemoryTooSmall

`code` is stable and part of the API. HTTP statuses are known to `api/errors.py` alone.
"""

from __future__ import annotations

from typing import ClassVar


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


class ItemError(SurefootError):
    """One item failed; it is reported in that item's place."""


class EmptyProblem(ItemError):
    code = "empty_problem"


class NoSteps(ItemError):
    code = "no_steps"


class EmptyStep(ItemError):
    code = "empty_step"


class UnsupportedMessages(ItemError):
    code = "unsupported_messages"


class UnsafeText(ItemError):
    """Plain text that the tokenizer insists on encoding as a control token."""

    code = "unsafe_text"


class InputTooLong(ItemError):
    code = "input_too_long"

    def __init__(self, num_tokens: int, limit: int) -> None:
        super().__init__(f"the rendered input has {num_tokens} tokens, limit {limit}")
        self.num_tokens = num_tokens
        self.limit = limit


class StepCountMismatch(ItemError):
    code = "step_count_mismatch"

    def __init__(self, expected: int, got: int) -> None:
        super().__init__(f"{expected} steps but {got} scores")


class NonFiniteScore(ItemError):
    code = "non_finite_score"


class DeadlineExceeded(ItemError):
    code = "deadline_exceeded"
    retryable = True


class BackendFailed(ItemError):
    code = "backend_failed"
    retryable = True


class RequestError(SurefootError):
    """The whole request is answered with this error."""


class InvalidRequest(RequestError):
    code = "invalid_request"


class UnrecognisedBody(RequestError):
    code = "unrecognised_body"


class AggregationNotDefined(RequestError):
    code = "aggregation_not_defined"


class ModelNotFound(RequestError):
    code = "model_not_found"


class GeneratorNotFound(RequestError):
    code = "generator_not_found"


class WrongModelKind(RequestError):
    code = "wrong_model_kind"


class QueueFull(RequestError):
    code = "queue_full"
    retryable = True

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class GroupTooLarge(RequestError):
    code = "group_too_large"


class BodyTooLarge(RequestError):
    code = "body_too_large"


class RequestTimeout(RequestError):
    code = "request_timeout"
    retryable = True


class NotReady(RequestError):
    code = "not_ready"
    retryable = True


class SamplerUnavailable(RequestError):
    code = "sampler_unavailable"
    retryable = True


class StartupError(SurefootError):
    """The process cannot serve what its configuration asks for."""


class CheckpointMissing(StartupError):
    code = "checkpoint_missing"


class CheckpointDamaged(StartupError):
    code = "checkpoint_damaged"


class ProfileInvalid(StartupError):
    code = "profile_invalid"


class SettingsInvalid(StartupError):
    code = "settings_invalid"


class PortInUse(StartupError):
    code = "port_in_use"


class GpuMemoryTooSmall(StartupError):
    code = "gpu_memory_too_small"
