"""How many matrix-product kernels of a CPU are kept for shapes that may come again."""

from __future__ import annotations

import os

_KERNELS = "32"
"""A pass needs about a dozen, and making one anew takes 0.3 ms. Kept up to 1,024 as by default, at 1 MB each, those of
every number of tokens that a batch ever had came to a gigabyte."""


def bound_kernel_caches() -> None:
    """Bound oneDNN's cache and that of torch's layer above it, which hold the same kernels; a user's own values win.

    To be called before the first matrix product of a process, when both read their bounds.
    """
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(name, _KERNELS)
