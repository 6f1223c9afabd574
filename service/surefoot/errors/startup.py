"""Errors for which a process, or one of its models, cannot serve."""

from __future__ import annotations

from surefoot.errors.base import SurefootError


class StartupError(SurefootError):
    """The process cannot serve what its configuration asks for."""


class CheckpointMissing(StartupError):
    """There is no checkpoint where one was named."""

    code = "checkpoint_missing"


class CheckpointDamaged(StartupError):
    """The checkpoint is incomplete, or not what the profile reads."""

    code = "checkpoint_damaged"


class CheckpointRefused(StartupError):
    """Reading the checkpoint could run its author's code, and the settings do not allow that."""

    code = "checkpoint_refused"


class ProfileInvalid(StartupError):
    """The profile cannot be used."""

    code = "profile_invalid"


class ProfileAmbiguous(StartupError):
    """Several profiles could read the checkpoint, and nothing in it says which one is meant."""

    code = "profile_ambiguous"


class AdapterInvalid(StartupError):
    """The adapter cannot be read, or asks for more than is applied here."""

    code = "adapter_invalid"


class AdapterMismatch(StartupError):
    """The adapter was trained for another base model."""

    code = "adapter_mismatch"


class SettingsInvalid(StartupError):
    """A setting has a value that cannot be served."""

    code = "settings_invalid"


class KeysFileInvalid(StartupError):
    """The file with the API keys cannot be read, written, or understood."""

    code = "keys_file_invalid"


class SelfCheckFailed(StartupError):
    """A loaded model does not give the scores that it must give: serving it would hand out wrong rewards."""

    code = "self_check_failed"


class PortInUse(StartupError):
    """Something else listens on the port."""

    code = "port_in_use"


class OutOfMemory(StartupError):
    """The model's weights do not fit into the memory that is left."""

    code = "out_of_memory"


class GpuMemoryTooSmall(StartupError):
    """Sampler and scorer do not fit on the GPU as asked."""

    code = "gpu_memory_too_small"
