"""Settings read nothing from the environment of whoever runs the tests, and a GPU is there when a test says so."""

from collections.abc import Callable

import pytest
import torch

GIB = 2**30


@pytest.fixture(autouse=True)
def _in_a_clean_environment(clean_environment: None) -> None: ...


@pytest.fixture
def gpu(monkeypatch) -> Callable[[float, float], list]:
    """Pretends a card with so many free and total GiB; gives the bounds that were set on this process."""

    def pretend(free_gib: float, total_gib: float) -> list:
        bounds: list[tuple[float, str]] = []
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (int(free_gib * GIB), int(total_gib * GIB)))
        monkeypatch.setattr(
            torch.cuda, "set_per_process_memory_fraction", lambda share, device: bounds.append((share, str(device)))
        )
        return bounds

    return pretend
