"""What torch tells of GPUs, without one."""

from types import SimpleNamespace


def torch_with_one_gpu(share: float) -> SimpleNamespace:
    """A GPU of 1,000 bytes, of which this process may take that share and holds 100."""
    return SimpleNamespace(
        cuda=SimpleNamespace(
            is_initialized=lambda: True,
            device_count=lambda: 1,
            get_device_properties=lambda _: SimpleNamespace(total_memory=1000),
            get_per_process_memory_fraction=lambda _: share,
            memory_allocated=lambda _: 100,
        )
    )
