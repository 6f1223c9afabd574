"""Memory of this process and what it allocated on GPUs, looked up when it is scraped."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")


class MemoryCollector(Collector):
    """Resident memory and its limit; per GPU what torch allocated here and what it may allocate.

    Engines in processes of their own (vLLM's) are not in it. Where a number cannot be told there is no sample.
    """

    def __init__(self, proc: Path = _PROC, cgroups: Path = _CGROUPS) -> None:
        self._proc = proc
        self._cgroups = cgroups

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What holds at the moment of the scrape."""
        yield _gauge("surefoot_memory_resident_bytes", "Memory of this process in RAM.", resident_bytes(self._proc))
        yield _gauge(
            "surefoot_memory_limit_bytes",
            "Memory that this process may use: its container's limit, or the machine's RAM.",
            limit_bytes(self._proc, self._cgroups),
        )
        allocated = GaugeMetricFamily(
            "surefoot_gpu_memory_allocated_bytes", "Memory that scoring in this process holds on a GPU.", labels=["gpu"]
        )
        limits = GaugeMetricFamily(
            "surefoot_gpu_memory_limit_bytes", "Memory of a GPU that scoring in this process may hold.", labels=["gpu"]
        )
        for gpu, held, limit in gpu_memory():
            allocated.add_metric([gpu], held)
            limits.add_metric([gpu], limit)
        yield allocated
        yield limits


def resident_bytes(proc: Path = _PROC) -> int | None:
    """Bytes of this process in RAM; `None` on systems without /proc."""
    try:
        num_pages = int((proc / "self/statm").read_text().split()[1])
    except OSError:
        return None
    return num_pages * os.sysconf("SC_PAGE_SIZE")


def limit_bytes(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int | None:
    """The smaller of the machine's RAM and the limit of the control group (version 2 or 1), in bytes."""
    limits = [_text(cgroups / file) for file in ("memory.max", "memory/memory.limit_in_bytes")]
    ram = [line.split()[1] for line in _text(proc / "meminfo").splitlines() if line.startswith("MemTotal:")]
    # A group without a limit says "max".
    return min([*(int(limit) for limit in limits if limit.isdigit()), *(int(kib) * 1024 for kib in ram)], default=None)


def gpu_memory() -> list[tuple[str, int, int]]:
    """Index, bytes allocated and bytes allowed of each GPU that this process has used already.

    Nothing is loaded or initialised in order to tell.
    """
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return []
    found = []
    for index in range(torch.cuda.device_count()):
        total = torch.cuda.get_device_properties(index).total_memory
        share = torch.cuda.get_per_process_memory_fraction(index)
        found.append((str(index), int(torch.cuda.memory_allocated(index)), int(share * total)))
    return found


def _gauge(name: str, documentation: str, value: int | None) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, value=value)


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
