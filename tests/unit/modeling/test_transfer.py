"""Numbers arrive on the device of a pass, those for a GPU from pinned memory."""

import pytest
import torch

from surefoot.modeling.transfer import on_device


@pytest.mark.parametrize("given", [[1, 2, 3], range(1, 4), torch.tensor([1, 2, 3])])
def test_numbers_stay_what_they_are(given) -> None:
    found = on_device(list(given) if isinstance(given, range) else given, torch.device("cpu"))
    assert found.dtype == torch.long
    assert found.tolist() == [1, 2, 3]


def test_no_numbers_are_whole_numbers_too() -> None:
    assert torch.zeros(4)[on_device([], torch.device("cpu"))].shape == (0,)


def test_what_goes_to_a_gpu_is_pinned_first(monkeypatch) -> None:
    acts = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: acts.append("pinned") or self)
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *place, **how: acts.append((*place, how)) or self)
    on_device([1], torch.device("cuda"))
    assert acts == ["pinned", (torch.device("cuda"), {"non_blocking": True})]
