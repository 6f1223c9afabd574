"""Headers of safetensors files: what they tell, at any size, and what is refused."""

import json
from pathlib import Path

import pytest

from surefoot.errors import CheckpointDamaged
from surefoot.inspection.checkpoint_files import SAFETENSORS
from surefoot.inspection.tensor_index import read_header, read_index

INDEX = SAFETENSORS[0]


def write_index(directory: Path, **files: str) -> None:
    (directory / INDEX).write_text(json.dumps({"weight_map": files}))


def test_a_header_gives_shapes_types_and_sizes(tmp_path, write_header) -> None:
    write_header(tmp_path / "a.safetensors", {"score.weight": (2, 64)})
    info = read_header(tmp_path / "a.safetensors")["score.weight"]
    assert (info.dtype, info.shape, info.num_parameters, info.num_bytes) == ("bfloat16", (2, 64), 128, 256)


def test_a_checkpoint_of_140_gigabytes_is_read_by_its_header_alone(tmp_path, write_header) -> None:
    write_header(tmp_path / "model.safetensors", {"model.embed_tokens.weight": (70, 1000)}, scale=1_000_000)
    assert (tmp_path / "model.safetensors").stat().st_size > 140e9
    tensors = read_index(tmp_path)
    assert tensors is not None
    assert sum(info.num_parameters for info in tensors.values()) == 70_000_000_000


def test_tensors_of_all_listed_shards_are_found(tmp_path, write_header) -> None:
    write_header(tmp_path / "1.safetensors", {"a": (1,)})
    write_header(tmp_path / "2.safetensors", {"b": (1,)})
    write_index(tmp_path, a="1.safetensors", b="2.safetensors")
    assert set(read_index(tmp_path) or {}) == {"a", "b"}


def test_files_that_the_index_does_not_list_are_not_the_model(tmp_path, write_header) -> None:
    write_header(tmp_path / "1.safetensors", {"a": (1,)})
    write_header(tmp_path / "consolidated.safetensors", {"z": (1,)})
    write_index(tmp_path, a="1.safetensors")
    assert set(read_index(tmp_path) or {}) == {"a"}


def test_without_safetensors_there_is_no_index(tmp_path) -> None:
    assert read_index(tmp_path) is None


def test_a_missing_shard_is_named(tmp_path, write_header) -> None:
    write_header(tmp_path / "1.safetensors", {"a": (1,)})
    write_index(tmp_path, a="1.safetensors", b="2.safetensors")
    with pytest.raises(CheckpointDamaged, match=r"^2\.safetensors is listed .*1 of 2 files"):
        read_index(tmp_path)


def test_an_index_that_points_elsewhere_is_refused(tmp_path) -> None:
    write_index(tmp_path, a="../other/model.safetensors")
    with pytest.raises(CheckpointDamaged, match="outside its directory"):
        read_index(tmp_path)


def test_a_file_cut_short_is_refused_with_both_sizes(tmp_path, write_header) -> None:
    file = tmp_path / "model.safetensors"
    write_header(file, {"a": (1000,)})
    whole = file.stat().st_size
    with file.open("r+b") as stream:
        stream.truncate(whole - 1)
    with pytest.raises(CheckpointDamaged, match=f"{whole - 1:,} bytes.* {whole:,}"):
        read_index(tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"\xff" * 8 + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (2).to_bytes(8, "little") + b"{x",
        (9).to_bytes(8, "little") + b'{"a": {}}',
    ],
    ids=["empty", "no length", "length beyond the file", "no object", "no JSON", "no shape"],
)
def test_what_is_no_header_is_refused(tmp_path, data: bytes) -> None:
    (tmp_path / "model.safetensors").write_bytes(data)
    with pytest.raises(CheckpointDamaged, match=r"model\.safetensors is cut short or damaged"):
        read_index(tmp_path)
