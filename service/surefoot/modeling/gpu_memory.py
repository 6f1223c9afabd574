"""Sampler and scorer on one GPU: explicit shares, checked before anything loads."""

from __future__ import annotations

from surefoot.errors import GpuMemoryTooSmall, SettingsInvalid

_HEADROOM = 0.03
"""Left for CUDA contexts and whatever else uses the card."""

_SCORER_WORKING_FACTOR = 1.25
"""Weights need some room beside them for activations."""


def check_gpu_shares(
    *,
    total_bytes: int,
    free_bytes: int,
    sampler_share: float,
    scorer_share: float,
    sampler_weight_bytes: int,
    scorer_weight_bytes: int,
) -> None:
    """Refuse a split of one GPU that cannot work, with the numbers and the setting to change.

    Raises `SettingsInvalid` when the shares leave no headroom, `GpuMemoryTooSmall` when weights exceed a share or
    other programs already hold the memory.
    """
    if sampler_share + scorer_share > 1 - _HEADROOM:
        raise SettingsInvalid(
            f"gpu.sampler_share {sampler_share:g} and gpu.scorer_share {scorer_share:g} together exceed "
            f"{1 - _HEADROOM:g} of the GPU",
            param="gpu",
        )
    wanted = int(total_bytes * (sampler_share + scorer_share))
    if free_bytes < wanted:
        raise GpuMemoryTooSmall(
            f"the shares ask for {_gib(wanted)} of GPU memory but {_gib(free_bytes)} of {_gib(total_bytes)} are free; "
            "stop what else uses the card, or lower gpu.sampler_share and gpu.scorer_share",
            param="gpu",
        )
    needs = {
        "sampler": (sampler_share, sampler_weight_bytes),
        "scorer": (scorer_share, int(scorer_weight_bytes * _SCORER_WORKING_FACTOR)),
    }
    for name, (share, needed) in needs.items():
        if needed > total_bytes * share:
            raise GpuMemoryTooSmall(
                f"the {name}'s weights need {_gib(needed)} but gpu.{name}_share {share:g} is "
                f"{_gib(total_bytes * share)}; raise the share, or use a larger card",
                param=f"gpu.{name}_share",
            )


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"
