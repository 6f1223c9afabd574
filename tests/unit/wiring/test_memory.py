"""Weights that do not fit are an error of their own, and no other error is taken for it."""

import pytest
import torch

from surefoot.errors import OutOfMemory
from surefoot.wiring.memory import within_memory


def allocate_more_than_there_is() -> None:
    torch.empty(2**52, dtype=torch.uint8)


def raising(error: Exception):
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    "load",
    [allocate_more_than_there_is, raising(MemoryError()), raising(torch.OutOfMemoryError("CUDA out of memory"))],
    ids=["processor", "Python", "device"],
)
def test_what_does_not_fit_is_named(load) -> None:
    with pytest.raises(OutOfMemory, match="prm: the weights do not fit"), within_memory("prm"):
        load()


def test_another_error_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="a head is missing"), within_memory("prm"):
        raise RuntimeError("a head is missing")
