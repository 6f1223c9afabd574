"""What nvidia-smi prints is added up for a peer's processes."""

import pytest
from loadtests.comparison import gpu_memory
from loadtests.comparison.gpu_memory import taken_mib, taken_of

TABLE = "101, 2048\n102, 512\n101, 1024\n7, 9000\n103, [N/A]\n"


@pytest.mark.parametrize(("pids", "expected"), [([101, 102], 3584.0), ([103], None), ([55], None), ([], None)])
def test_a_peers_processes_are_added_up(pids: list[int], expected: float | None) -> None:
    assert taken_of(TABLE, pids) == expected


def test_a_machine_without_a_gpu_says_nothing(monkeypatch) -> None:
    monkeypatch.setattr(gpu_memory.shutil, "which", lambda _: None)
    assert taken_mib([1]) is None
