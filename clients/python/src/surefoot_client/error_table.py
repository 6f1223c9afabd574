"""From an error code, or else an HTTP status, to the exception class."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from surefoot_client import errors

ErrorCode = Literal[
    "empty_problem",
    "no_steps",
    "empty_step",
    "unsupported_messages",
    "too_many_steps",
    "input_too_long",
    "unsafe_text",
    "step_count_mismatch",
    "non_finite_score",
    "deadline_exceeded",
    "backend_failed",
    "model_stopped",
    "invalid_request",
    "unrecognised_body",
    "aggregation_not_defined",
    "wrong_model_kind",
    "adapter_not_configured",
    "adapter_invalid",
    "adapter_mismatch",
    "profile_invalid",
    "self_check_failed",
    "candidate_not_configured",
    "model_state_conflict",
    "checkpoint_missing",
    "checkpoint_damaged",
    "checkpoint_refused",
    "out_of_memory",
    "settings_invalid",
    "profile_ambiguous",
    "unauthorized",
    "forbidden",
    "not_found",
    "model_not_found",
    "generator_not_found",
    "queue_full",
    "group_too_large",
    "body_too_large",
    "body_timeout",
    "unsupported_encoding",
    "request_timeout",
    "not_ready",
    "sampler_unavailable",
    "internal_error",
    "bad_gateway",
]

ERRORS_BY_CODE: Mapping[str, type[errors.ServerError]] = MappingProxyType(
    {
        "empty_problem": errors.EmptyProblem,
        "no_steps": errors.NoSteps,
        "empty_step": errors.EmptyStep,
        "unsupported_messages": errors.UnsupportedMessages,
        "too_many_steps": errors.TooManySteps,
        "input_too_long": errors.InputTooLong,
        "unsafe_text": errors.UnsafeText,
        "step_count_mismatch": errors.StepCountMismatch,
        "non_finite_score": errors.NonFiniteScore,
        "deadline_exceeded": errors.DeadlineExceeded,
        "backend_failed": errors.BackendFailed,
        "model_stopped": errors.ModelStopped,
        "invalid_request": errors.InvalidRequest,
        "unrecognised_body": errors.UnrecognisedBody,
        "aggregation_not_defined": errors.AggregationNotDefined,
        "wrong_model_kind": errors.WrongModelKind,
        "adapter_not_configured": errors.AdapterNotConfigured,
        "adapter_invalid": errors.AdapterInvalid,
        "adapter_mismatch": errors.AdapterMismatch,
        "profile_invalid": errors.ProfileInvalid,
        "self_check_failed": errors.SelfCheckFailed,
        "candidate_not_configured": errors.CandidateNotConfigured,
        "model_state_conflict": errors.ModelStateConflict,
        "checkpoint_missing": errors.CheckpointMissing,
        "checkpoint_damaged": errors.CheckpointDamaged,
        "checkpoint_refused": errors.CheckpointRefused,
        "out_of_memory": errors.OutOfMemory,
        "settings_invalid": errors.SettingsInvalid,
        "profile_ambiguous": errors.ProfileAmbiguous,
        "unauthorized": errors.Unauthorized,
        "forbidden": errors.Forbidden,
        "not_found": errors.NotFound,
        "model_not_found": errors.ModelNotFound,
        "generator_not_found": errors.GeneratorNotFound,
        "queue_full": errors.QueueFull,
        "group_too_large": errors.GroupTooLarge,
        "body_too_large": errors.BodyTooLarge,
        "body_timeout": errors.BodyTimeout,
        "unsupported_encoding": errors.UnsupportedEncoding,
        "request_timeout": errors.RequestTimeout,
        "not_ready": errors.NotReady,
        "sampler_unavailable": errors.SamplerUnavailable,
        "internal_error": errors.InternalError,
        "bad_gateway": errors.BadGateway,
    }
)
"""One class for each `ErrorCode`."""

ERRORS_BY_STATUS: Mapping[int, type[errors.ServerError]] = MappingProxyType(
    {
        400: errors.InvalidRequest,
        401: errors.Unauthorized,
        403: errors.Forbidden,
        404: errors.NotFound,
        408: errors.BodyTimeout,
        409: errors.ModelStateConflict,
        413: errors.BodyTooLarge,
        415: errors.UnsupportedEncoding,
        422: errors.InvalidRequest,
        429: errors.QueueFull,
        502: errors.BadGateway,
        503: errors.NotReady,
        504: errors.RequestTimeout,
    }
)
"""For answers whose code this version does not know, or that a proxy wrote; other statuses fall back by their class."""


def error_class(code: str | None, status: int | None) -> type[errors.ServerError]:
    """The class of an error by its code, else by its HTTP status; `status` is `None` for the error of one item."""
    if code is not None and code in ERRORS_BY_CODE:
        return ERRORS_BY_CODE[code]
    if status is None:
        return errors.ItemError
    if status in ERRORS_BY_STATUS:
        return ERRORS_BY_STATUS[status]
    return errors.RequestError if status < 500 else errors.InternalError
