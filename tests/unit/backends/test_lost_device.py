"""A device that a failed pass has broken is told from a pass that merely failed."""

import pytest
import torch

from surefoot.backends.lost_device import lost_device_told
from surefoot.errors import ModelStopped

GPU = torch.device("cuda:0")


def broken(_: torch.device) -> None:
    raise RuntimeError("CUDA error: device-side assert triggered")


def sound(_: torch.device) -> None:
    """Has nothing to report."""


def failing_pass(device: torch.device, synchronize, failure: Exception) -> None:
    with lost_device_told(device, synchronize):
        raise failure


def test_a_pass_that_broke_the_device_stops_the_model() -> None:
    with pytest.raises(ModelStopped, match="CUDA context"):
        failing_pass(GPU, broken, RuntimeError("CUDA error"))


@pytest.mark.parametrize(
    ("device", "synchronize", "failure"),
    [
        (GPU, sound, RuntimeError("shapes")),
        (GPU, broken, torch.OutOfMemoryError("much")),
        (GPU, broken, KeyError("head")),
        (torch.device("cpu"), broken, RuntimeError("shapes")),
    ],
    ids=["device works", "out of memory", "not of the device", "on a CPU"],
)
def test_a_pass_that_merely_failed_is_raised_as_it_is(device, synchronize, failure) -> None:
    with pytest.raises(type(failure)) as raised:
        failing_pass(device, synchronize, failure)
    assert raised.value is failure


def test_a_pass_that_works_is_not_waited_for() -> None:
    with lost_device_told(GPU, broken):
        done = True
    assert done
