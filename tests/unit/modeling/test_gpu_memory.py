"""A split of one GPU that cannot work is refused with the numbers and the setting to change."""

import pytest

from surefoot.errors import GpuMemoryTooSmall, SettingsInvalid
from surefoot.modeling.gpu_memory import check_gpu_shares

GIB = 2**30
GOOD = {
    "total_bytes": 24 * GIB,
    "free_bytes": 23 * GIB,
    "sampler_share": 0.45,
    "scorer_share": 0.45,
    "sampler_weight_bytes": 8 * GIB,
    "scorer_weight_bytes": 8 * GIB,
}


def test_split_that_fits_is_accepted() -> None:
    check_gpu_shares(**GOOD)


def test_shares_that_leave_no_headroom_are_refused() -> None:
    with pytest.raises(SettingsInvalid, match=r"gpu\.sampler_share 0\.5 and gpu\.scorer_share 0\.48 .* 0\.97"):
        check_gpu_shares(**GOOD | {"sampler_share": 0.5, "scorer_share": 0.48})


def test_shares_up_to_the_headroom_are_accepted() -> None:
    check_gpu_shares(**GOOD | {"sampler_share": 0.5, "scorer_share": 0.46, "free_bytes": 24 * GIB})


def test_memory_that_others_hold_is_refused_with_the_numbers() -> None:
    with pytest.raises(GpuMemoryTooSmall, match=r"21\.6 GiB of GPU memory but 20\.0 GiB of 24\.0 GiB are free"):
        check_gpu_shares(**GOOD | {"free_bytes": 20 * GIB})


def test_sampler_that_exceeds_its_share_is_named() -> None:
    with pytest.raises(GpuMemoryTooSmall, match=r"gpu\.sampler_share 0\.45 is 10\.8 GiB") as caught:
        check_gpu_shares(**GOOD | {"sampler_weight_bytes": 11 * GIB})
    assert caught.value.param == "gpu.sampler_share"


def test_scorer_needs_room_beside_its_weights() -> None:
    with pytest.raises(GpuMemoryTooSmall, match=r"scorer's weights need 11\.2 GiB") as caught:
        check_gpu_shares(**GOOD | {"scorer_weight_bytes": 9 * GIB})
    assert caught.value.param == "gpu.scorer_share"
