"""How much of a CUDA device vLLM may take, which by default takes nearly all of it, while here others hold the model
too; and how much each peer has taken."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

ROOM_BYTES = 12 * 2**30
"""Beside the weights: keys and values of what is under way and in the prefix cache, activations, CUDA graphs."""
_MOST = 0.9


def memory_share(directory: str, device: str) -> float:
    """Share of the device's memory that a checkpoint is served in."""
    import torch

    weights = sum(file.stat().st_size for file in Path(directory).glob("*.safetensors"))
    return share_of(torch.cuda.get_device_properties(device).total_memory, weights)


def share_of(total_bytes: int, weights_bytes: int) -> float:
    """The weights with `ROOM_BYTES`, or all that vLLM takes by itself where the device has less."""
    return min(_MOST, (weights_bytes + ROOM_BYTES) / total_bytes)


def taken_mib(pids: Iterable[int]) -> float | None:
    """MiB of all GPUs that processes hold, by nvidia-smi; `None` where it is not there or shows no processes.

    The allocators of torch and vLLM give nothing back while they run, so that this is the peak as well.
    """
    command = shutil.which("nvidia-smi")
    if command is None:
        return None
    query = [command, "--query-compute-apps=pid,used_gpu_memory", "--format=csv,noheader,nounits"]
    ended = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    return taken_of(ended.stdout, pids)


def taken_of(table: str, pids: Iterable[int]) -> float | None:
    """The same from what it prints: a line "pid, MiB" for each process and GPU."""
    wanted = set(map(str, pids))
    rows = [[cell.strip() for cell in line.split(",")] for line in table.splitlines()]
    found = [float(row[1]) for row in rows if len(row) == 2 and row[0] in wanted and row[1].isdigit()]
    return sum(found) if found else None
