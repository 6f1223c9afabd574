"""Every error that surefoot raises on purpose, by meaning.

SurefootError
├── ItemError               one item failed; its neighbours and the request go on
│   ├── EmptyProblem · NoSteps · EmptyStep · UnsupportedMessages
│   ├── TooManySteps · InputTooLong · UnsafeText · StepCountMismatch · NonFiniteScore
│   └── DeadlineExceeded · BackendFailed · ModelStopped
├── RequestError            the whole request is answered with this error
│   ├── InvalidRequest · UnrecognisedBody · AggregationNotDefined
│   ├── Unauthorized · Forbidden
│   ├── ModelNotFound · GeneratorNotFound · WrongModelKind · AdapterNotConfigured
│   ├── CandidateNotConfigured · ModelStateConflict
│   ├── QueueFull · GroupTooLarge · RequestTimeout · BodyTooLarge · BodyTimeout · UnsupportedEncoding
│   └── NotReady · SamplerUnavailable
├── EvaluationError         the data cannot give what is asked of it: LabelsDegenerate · PoolsTooSmall
│                           ScaleNotProbability
├── BulkError               workers cannot do what is asked: EngineMissing · ClusterUnavailable
│                           WorkersLost · WorkersDiffer
├── TrainingError           a model cannot be trained as it is asked for
│   └── ExamplesInvalid · NotTrainable · LossNotFinite · RunMismatch · TrainerMissing
└── StartupError            the process cannot serve what its configuration asks for
    ├── CheckpointMissing · CheckpointDamaged · CheckpointRefused · ProfileInvalid · ProfileAmbiguous
    ├── AdapterInvalid · AdapterMismatch
    └── SettingsInvalid · KeysFileInvalid · SelfCheckFailed · PortInUse · OutOfMemory · GpuMemoryTooSmall

`code` is stable and part of the API. HTTP statuses are known to `api/errors.py` alone.
"""

from surefoot.errors.base import SurefootError
from surefoot.errors.bulk import BulkError, ClusterUnavailable, EngineMissing, WorkersDiffer, WorkersLost
from surefoot.errors.evaluation import (
    EvaluationError,
    LabelsDegenerate,
    PoolsTooSmall,
    ScaleNotProbability,
)
from surefoot.errors.item import (
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
from surefoot.errors.request import (
    AdapterNotConfigured,
    AggregationNotDefined,
    BodyTimeout,
    BodyTooLarge,
    CandidateNotConfigured,
    Forbidden,
    GeneratorNotFound,
    GroupTooLarge,
    InvalidRequest,
    ModelNotFound,
    ModelStateConflict,
    NotReady,
    QueueFull,
    RequestError,
    RequestTimeout,
    SamplerUnavailable,
    Unauthorized,
    UnrecognisedBody,
    UnsupportedEncoding,
    WrongModelKind,
)
from surefoot.errors.startup import (
    AdapterInvalid,
    AdapterMismatch,
    CheckpointDamaged,
    CheckpointMissing,
    CheckpointRefused,
    GpuMemoryTooSmall,
    KeysFileInvalid,
    OutOfMemory,
    PortInUse,
    ProfileAmbiguous,
    ProfileInvalid,
    SelfCheckFailed,
    SettingsInvalid,
    StartupError,
)
from surefoot.errors.training import (
    ExamplesInvalid,
    LossNotFinite,
    NotTrainable,
    RunMismatch,
    TrainerMissing,
    TrainingError,
)

__all__ = [
    "AdapterInvalid",
    "AdapterMismatch",
    "AdapterNotConfigured",
    "AggregationNotDefined",
    "BackendFailed",
    "BodyTimeout",
    "BodyTooLarge",
    "BulkError",
    "CandidateNotConfigured",
    "CheckpointDamaged",
    "CheckpointMissing",
    "CheckpointRefused",
    "ClusterUnavailable",
    "DeadlineExceeded",
    "EmptyProblem",
    "EmptyStep",
    "EngineMissing",
    "EvaluationError",
    "ExamplesInvalid",
    "Forbidden",
    "GeneratorNotFound",
    "GpuMemoryTooSmall",
    "GroupTooLarge",
    "InputTooLong",
    "InvalidRequest",
    "ItemError",
    "KeysFileInvalid",
    "LabelsDegenerate",
    "LossNotFinite",
    "ModelNotFound",
    "ModelStateConflict",
    "ModelStopped",
    "NoSteps",
    "NonFiniteScore",
    "NotReady",
    "NotTrainable",
    "OutOfMemory",
    "PoolsTooSmall",
    "PortInUse",
    "ProfileAmbiguous",
    "ProfileInvalid",
    "QueueFull",
    "RequestError",
    "RequestTimeout",
    "RunMismatch",
    "SamplerUnavailable",
    "ScaleNotProbability",
    "SelfCheckFailed",
    "SettingsInvalid",
    "StartupError",
    "StepCountMismatch",
    "SurefootError",
    "TooManySteps",
    "TrainerMissing",
    "TrainingError",
    "Unauthorized",
    "UnrecognisedBody",
    "UnsafeText",
    "UnsupportedEncoding",
    "UnsupportedMessages",
    "WorkersDiffer",
    "WorkersLost",
    "WrongModelKind",
]
