from __future__ import annotations

import errno
import json
import os
import threading
from pathlib import Path

import pytest

from surefoot.embedded.checkpoint_cache import (
    Origin,
    check_free_space,
    exclusive_writer,
    find_fault,
    remove_leftovers,
    write_directory,
    write_errors_named,
)
from surefoot.errors import SettingsInvalid

ORIGIN = Origin(source_sha256="ab" * 32, converter_version="1")
NAMES = frozenset({"weights", "card"})


def fill(directory: Path) -> None:
    (directory / "weights").write_bytes(bytes(1000))
    (directory / "card").write_text("of this model")


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    write_directory(tmp_path / "model", ORIGIN, fill)
    return tmp_path / "model"


def test_a_written_directory_is_without_fault(target: Path) -> None:
    assert find_fault(target, ORIGIN, NAMES, "full") is None


def test_a_missing_directory_is_a_fault(tmp_path: Path) -> None:
    assert find_fault(tmp_path / "none", ORIGIN, NAMES, "quick") is not None


def test_a_missing_file_is_named(target: Path) -> None:
    (target / "weights").unlink()
    assert find_fault(target, ORIGIN, NAMES, "quick") == "weights cannot be read (No such file or directory)"


def test_a_truncated_file_is_named_with_its_sizes(target: Path) -> None:
    os.truncate(target / "weights", 999)
    assert find_fault(target, ORIGIN, NAMES, "quick") == "weights has 999 bytes, expected 1000"


def test_changed_content_is_named(target: Path) -> None:
    flip_a_bit(target / "card")
    assert find_fault(target, ORIGIN, NAMES, "quick") == "card has another content than its manifest tells"


def flip_a_bit_silently(path: Path) -> None:
    before = path.stat()
    flip_a_bit(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_full_verification_sees_a_bit_that_the_disk_changed(target: Path) -> None:
    flip_a_bit_silently(target / "weights")
    assert find_fault(target, ORIGIN, NAMES, "full") == "weights has another content than its manifest tells"


def test_quick_verification_does_not_read_unchanged_files(target: Path) -> None:
    flip_a_bit_silently(target / "weights")
    assert find_fault(target, ORIGIN, NAMES, "quick") is None


def test_touched_files_are_hashed_once_and_trusted_again(target: Path) -> None:
    os.utime(target / "weights", ns=(1, 1))
    find_fault(target, ORIGIN, NAMES, "quick")
    flip_a_bit_silently(target / "weights")
    assert find_fault(target, ORIGIN, NAMES, "quick") is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"files": {"weights": 3}}'])
def test_a_damaged_manifest_is_a_fault(target: Path, content: str) -> None:
    (target / "manifest.json").write_text(content)
    assert find_fault(target, ORIGIN, NAMES, "quick") == "manifest.json is damaged"


def test_a_manifest_without_an_expected_file_is_a_fault(target: Path) -> None:
    assert find_fault(target, ORIGIN, NAMES | {"more"}, "quick") == "manifest.json is damaged"


def test_a_changed_hash_in_the_manifest_is_a_fault(target: Path) -> None:
    manifest = json.loads((target / "manifest.json").read_text())
    manifest["files"]["card"]["sha256"] = "0" * 64
    (target / "manifest.json").write_text(json.dumps(manifest))
    assert find_fault(target, ORIGIN, NAMES, "quick") == "card has another content than its manifest tells"


def test_another_origin_is_a_fault(target: Path) -> None:
    other = Origin(ORIGIN.source_sha256, converter_version="2")
    assert find_fault(target, other, NAMES, "quick") == "manifest.json names another source or converter"


def fail_halfway(directory: Path) -> None:
    (directory / "weights").write_bytes(b"new")
    raise RuntimeError("halfway")


def test_a_failed_writer_leaves_the_old_directory_as_it_was(target: Path) -> None:
    with pytest.raises(RuntimeError, match="halfway"):
        write_directory(target, ORIGIN, fail_halfway)
    assert find_fault(target, ORIGIN, NAMES, "full") is None


def test_a_failed_writer_leaves_nothing_beside_the_directory(target: Path) -> None:
    with pytest.raises(RuntimeError, match="halfway"):
        write_directory(target, ORIGIN, fail_halfway)
    assert list(target.parent.iterdir()) == [target]


def test_nothing_stands_under_the_name_while_it_is_written(tmp_path: Path) -> None:
    seen: list[bool] = []

    def look_and_fill(directory: Path) -> None:
        fill(directory)
        seen.append((tmp_path / "model").exists())

    write_directory(tmp_path / "model", ORIGIN, look_and_fill)
    assert seen == [False]


def test_a_file_in_the_place_of_the_directory_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("in the way")
    write_directory(tmp_path / "model", ORIGIN, fill)
    assert find_fault(tmp_path / "model", ORIGIN, NAMES, "full") is None


def test_leftovers_go_and_finished_directories_stay(target: Path) -> None:
    fill_leftover = target.parent / ".partial-model"
    fill_leftover.mkdir()
    fill(fill_leftover)
    remove_leftovers(target.parent)
    assert list(target.parent.iterdir()) == [target]


def test_a_second_writer_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []
    started = threading.Event()

    def second() -> None:
        started.set()
        with exclusive_writer(tmp_path):
            order.append("second")

    thread = threading.Thread(target=second)
    with exclusive_writer(tmp_path):
        thread.start()
        started.wait()
        thread.join(timeout=0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_full_disk_is_told_before_writing(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=rf"needs {10**18} bytes, its disk has \d+ free"):
        check_free_space(tmp_path, 10**18)


def test_a_disk_that_fills_up_while_writing_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="the disk filled up"), write_errors_named(tmp_path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_refused_write_names_the_variable_to_change(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"Permission denied.*XDG_CACHE_HOME"), write_errors_named(tmp_path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
