"""The environment that every engine of vLLM in this process starts in."""

from __future__ import annotations

import os


def set_vllm_environment(*, cpu_kv_cache_gib: int) -> None:
    """Set what vLLM reads when it is imported and hands to its processes; a user's own values win.

    The key/value cache on a CPU, in GiB, is one number for all engines of a process: the first one sets it.
    """
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", str(cpu_kv_cache_gib))
