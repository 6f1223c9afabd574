"""A checkpoint's name is its content's, computed once and remembered as long as nothing is written anew."""

import json
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from surefoot.modeling import base_id as module
from surefoot.modeling.base_id import base_id


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def _tiny_checkpoints_are_worth_remembering(monkeypatch) -> None:
    monkeypatch.setattr(module, "_WORTH_REMEMBERING_BYTES", 0)


def memories(cache: Path) -> list[Path]:
    return sorted((cache / "base_ids").iterdir())


def flip_a_byte(file: Path) -> None:
    """Other content of the same size."""
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def change_unseen(file: Path) -> None:
    """Other content under the same size and time, which only reading would show."""
    status = file.stat()
    flip_a_byte(file)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_it_does_not_depend_on_the_path(tiny, copied: Path) -> None:
    assert base_id(copied) == base_id(tiny("llama"))


def test_it_is_sixteen_hex_digits(tiny) -> None:
    assert len(base_id(tiny("llama"))) == 16
    int(base_id(tiny("llama")), 16)


def test_it_changes_with_a_byte_of_the_weights(tiny, copied: Path) -> None:
    flip_a_byte(copied / "model.safetensors")
    assert base_id(copied) != base_id(tiny("llama"))


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"])
def test_it_changes_with_the_tokenizer(tiny, copied: Path, name: str) -> None:
    (copied / name).write_text((copied / name).read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert base_id(copied) != base_id(tiny("llama"))


def test_it_does_not_depend_on_notes_beside_the_weights(tiny, copied: Path) -> None:
    (copied / "README.md").write_text("Notes", encoding="utf-8")
    assert base_id(copied) == base_id(tiny("llama"))


def test_a_remembered_checkpoint_is_not_read_again(copied: Path, cache: Path) -> None:
    before = base_id(copied, cache=cache)
    change_unseen(copied / "model.safetensors")
    assert base_id(copied, cache=cache) == before


def test_remembering_does_not_change_the_name(copied: Path, cache: Path) -> None:
    assert base_id(copied, cache=cache) == base_id(copied, cache=cache) == base_id(copied)


def test_without_a_cache_it_is_always_read(copied: Path) -> None:
    before = base_id(copied)
    change_unseen(copied / "model.safetensors")
    assert base_id(copied) != before


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_newer_file_is_read_again(copied: Path, cache: Path, name: str) -> None:
    base_id(copied, cache=cache)
    file = copied / name
    change_unseen(file)
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))
    assert base_id(copied, cache=cache) == base_id(copied)


def test_a_new_file_is_read(copied: Path, cache: Path) -> None:
    base_id(copied, cache=cache)
    (copied / "merges.txt").write_text("a b", encoding="utf-8")
    assert base_id(copied, cache=cache) == base_id(copied)


def test_two_checkpoints_are_remembered_apart(tiny, copied: Path, cache: Path) -> None:
    names = {base_id(copied, cache=cache), base_id(tiny("qwen2"), cache=cache)}
    assert (len(names), len(memories(cache))) == (2, 2)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"files": 1}', '{"files": [], "base_id": 7}', "\x00"])
def test_an_unreadable_memory_is_ignored(copied: Path, cache: Path, content: str) -> None:
    expected = base_id(copied, cache=cache)
    memories(cache)[0].write_text(content, encoding="utf-8")
    assert base_id(copied, cache=cache) == expected


@pytest.mark.parametrize("given", [7, "", "not a name"])
def test_a_memory_with_something_else_for_a_name_is_ignored(copied: Path, cache: Path, given: object) -> None:
    expected = base_id(copied, cache=cache)
    (memory,) = memories(cache)
    memory.write_text(json.dumps(json.loads(memory.read_text(encoding="utf-8")) | {"base_id": given}))
    assert base_id(copied, cache=cache) == expected


def test_a_cache_that_cannot_be_written_is_done_without(copied: Path, cache: Path) -> None:
    cache.write_text("a file where the directory should be", encoding="utf-8")
    assert base_id(copied, cache=cache) == base_id(copied)


def test_files_written_while_they_are_hashed_are_not_remembered(copied: Path, cache: Path, monkeypatch) -> None:
    hash_files = module._hash

    def written_to(files):
        found = hash_files(files)
        os.utime(files[0], ns=(0, 7))
        return found

    monkeypatch.setattr(module, "_hash", written_to)
    base_id(copied, cache=cache)
    assert not (cache / "base_ids").exists()


def test_nothing_half_written_stays_behind(copied: Path, cache: Path) -> None:
    base_id(copied, cache=cache)
    assert [memory.suffix for memory in memories(cache)] == [".json"]


def test_processes_that_start_together_agree(copied: Path, cache: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as processes:
        found = list(processes.map(_base_id_in, [copied] * 8, [cache] * 8))
    assert set(found) == {base_id(copied)}
    assert len(memories(cache)) == 1


def _base_id_in(path: Path, cache: Path) -> str:
    return base_id(path, cache=cache)


def test_a_large_checkpoint_is_told_of_once(copied: Path, cache: Path, monkeypatch, caplog) -> None:
    monkeypatch.setattr(module, "_WORTH_A_LINE_BYTES", 1)
    with caplog.at_level("INFO", logger="surefoot"):
        base_id(copied, cache=cache)
        told = len(caplog.records)
        base_id(copied, cache=cache)
    assert (told, len(caplog.records)) == (2, 2)


def test_a_moved_checkpoint_keeps_its_name(copied: Path, cache: Path, tmp_path: Path) -> None:
    before = base_id(copied, cache=cache)
    assert base_id(Path(shutil.move(copied, tmp_path / "moved")), cache=cache) == before


def test_a_small_checkpoint_leaves_nothing_in_the_cache(copied: Path, cache: Path, monkeypatch) -> None:
    monkeypatch.undo()
    base_id(copied, cache=cache)
    assert not cache.exists()
