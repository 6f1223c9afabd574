"""Kernels for numbers of tokens that never come again do not pile up."""

import os
import subprocess
import sys

import pytest

from surefoot.modeling.kernel_caches import bound_kernel_caches

NAMES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
GROWTH = """
import resource, sys
import torch
from surefoot.modeling.kernel_caches import bound_kernel_caches
if sys.argv[1] == "bounded":
    bound_kernel_caches()
torch.set_num_threads(1)
rows, weight = torch.randn(400, 64).bfloat16(), torch.randn(64, 64).bfloat16()
def products(first, last):
    for count in range(first, last):
        torch.nn.functional.linear(rows[:count], weight)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(-products(1, 40) + products(40, 400))
"""


def test_a_users_own_bound_wins(monkeypatch) -> None:
    monkeypatch.delenv(NAMES[0], raising=False)
    monkeypatch.setenv(NAMES[1], "7")
    bound_kernel_caches()
    assert int(os.environ[NAMES[0]]) < 100
    assert os.environ[NAMES[1]] == "7"


def grown_kib(how: str, monkeypatch: pytest.MonkeyPatch) -> int:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    ended = subprocess.run([sys.executable, "-c", GROWTH, how], check=True, capture_output=True, text=True)
    return int(ended.stdout)


def test_a_bound_set_behind_the_import_of_torch_holds(monkeypatch) -> None:
    """oneDNN makes bf16 kernels only where the processor has the instructions; elsewhere nothing piles up anyway."""
    free, bounded = grown_kib("free", monkeypatch), grown_kib("bounded", monkeypatch)
    assert bounded <= max(free / 2, 8_192)
