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
    │   ├── TooManySteps · InputTooLong · UnsafeText · StepCountMismatch · NonFiniteScore
    │   └── DeadlineExceeded · BackendFailed · ModelStopped
    ├── RequestError        the whole request was refused
    │   ├── InvalidRequest · UnrecognisedBody · AggregationNotDefined · WrongModelKind
    │   ├── AdapterNotConfigured · AdapterInvalid · AdapterMismatch · ProfileInvalid · SelfCheckFailed
    │   ├── CandidateNotConfigured · ModelStateConflict · SettingsInvalid · ProfileAmbiguous
    │   ├── CheckpointMissing · CheckpointDamaged · CheckpointRefused · OutOfMemory
    │   ├── Unauthorized · Forbidden
    │   ├── NotFound
    │   │   └── ModelNotFound · GeneratorNotFound
    │   ├── QueueFull · GroupTooLarge · RequestTimeout
    │   ├── BodyTooLarge · BodyTimeout · UnsupportedEncoding
    │   └── NotReady · SamplerUnavailable
    └── InternalError · BadGateway

`error_table.py` maps the server's codes to these classes. Messages never hold the texts that were sent: they may be
logged.
"""

from surefoot_client.errors.base import (
    BadGateway,
    BadResponse,
    ConnectionFailed,
    InternalError,
    ItemsFailed,
    ServerError,
    SurefootError,
    TimedOut,
    TransportError,
)
from surefoot_client.errors.item import (
    BackendFailed,
    DeadlineExceeded,
    EmptyProblem,
    EmptyStep,
    InputTooLong,
    ItemError,
    ModelStopped,
    NonFiniteScore,
    NoSteps,
    StepCountMismatch,
    TooManySteps,
    UnsafeText,
    UnsupportedMessages,
)
from surefoot_client.errors.request import (
    AdapterInvalid,
    AdapterMismatch,
    AdapterNotConfigured,
    AggregationNotDefined,
    BodyTimeout,
    BodyTooLarge,
    CandidateNotConfigured,
    CheckpointDamaged,
    CheckpointMissing,
    CheckpointRefused,
    Forbidden,
    GeneratorNotFound,
    GroupTooLarge,
    InvalidRequest,
    ModelNotFound,
    ModelStateConflict,
    NotFound,
    NotReady,
    OutOfMemory,
    ProfileAmbiguous,
    ProfileInvalid,
    QueueFull,
    RequestError,
    RequestTimeout,
    SamplerUnavailable,
    SelfCheckFailed,
    SettingsInvalid,
    Unauthorized,
    UnrecognisedBody,
    UnsupportedEncoding,
    WrongModelKind,
)

__all__ = [
    "AdapterInvalid",
    "AdapterMismatch",
    "AdapterNotConfigured",
    "AggregationNotDefined",
    "BackendFailed",
    "BadGateway",
    "BadResponse",
    "BodyTimeout",
    "BodyTooLarge",
    "CandidateNotConfigured",
    "CheckpointDamaged",
    "CheckpointMissing",
    "CheckpointRefused",
    "ConnectionFailed",
    "DeadlineExceeded",
    "EmptyProblem",
    "EmptyStep",
    "Forbidden",
    "GeneratorNotFound",
    "GroupTooLarge",
    "InputTooLong",
    "InternalError",
    "InvalidRequest",
    "ItemError",
    "ItemsFailed",
    "ModelNotFound",
    "ModelStateConflict",
    "ModelStopped",
    "NoSteps",
    "NonFiniteScore",
    "NotFound",
    "NotReady",
    "OutOfMemory",
    "ProfileAmbiguous",
    "ProfileInvalid",
    "QueueFull",
    "RequestError",
    "RequestTimeout",
    "SamplerUnavailable",
    "SelfCheckFailed",
    "ServerError",
    "SettingsInvalid",
    "StepCountMismatch",
    "SurefootError",
    "TimedOut",
    "TooManySteps",
    "TransportError",
    "Unauthorized",
    "UnrecognisedBody",
    "UnsafeText",
    "UnsupportedEncoding",
    "UnsupportedMessages",
    "WrongModelKind",
]
