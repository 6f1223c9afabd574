"""What a directory says of itself."""

import json

import pytest

from surefoot.errors import CheckpointDamaged, CheckpointMissing
from surefoot.inspection import read_contents


def test_sizes_come_from_the_headers(contents) -> None:
    found = contents({"score.weight": (1, 64)})
    assert found.num_parameters == 320 * 64 + 64 * 64 + 8 * 64 + 64 + 64
    assert found.num_bytes == 2 * found.num_parameters


def test_only_real_heads_are_listed(contents) -> None:
    assert [head.weights for head in contents({"score.weight": (1, 64)}).heads] == ["score"]


def test_the_language_model_inside_a_larger_one_is_read(contents) -> None:
    found = contents({}, hidden_size=1, text_config={"hidden_size": 64, "max_position_embeddings": 99})
    assert (found.hidden_size, found.max_positions) == (64, 99)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, "yarn, factor 4"),
        ({"rope_scaling": {"type": "dynamic", "factor": 2}}, "dynamic, factor 2"),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}, None),
        ({"rope_scaling": None}, None),
    ],
)
def test_stretched_positions_are_told(contents, config, said) -> None:
    assert contents({}, **config).rope_scaling == said


def test_labels_are_counted(contents) -> None:
    found = contents({}, id2label={"0": "bad", "1": "good", "2": "best"})
    assert (found.num_labels, found.labels) == (3, ("bad", "good", "best"))


def test_a_bare_adapter_names_its_base(tmp_path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "owner/base"}))
    assert read_contents(tmp_path).adapter_base == "owner/base"


def test_an_adapters_weights_are_not_the_models(directory, write_header) -> None:
    path = directory({})
    write_header(path / "adapter_model.safetensors", {"base.lora_A.weight": (8, 64)})
    assert read_contents(path).heads == ()


def test_pickles_are_listed_but_not_opened(directory) -> None:
    path = directory()
    (path / "pytorch_model-00001-of-00001.bin").write_bytes(b"whatever")
    found = read_contents(path)
    assert (found.pickle_files, found.tensors) == (("pytorch_model-00001-of-00001.bin",), None)


def test_no_directory_is_said(tmp_path) -> None:
    with pytest.raises(CheckpointMissing, match="does not exist"):
        read_contents(tmp_path / "nothing")


def test_a_directory_without_a_configuration_is_no_checkpoint(tmp_path) -> None:
    with pytest.raises(CheckpointMissing, match=r"no config\.json"):
        read_contents(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_broken_configuration_is_damage(tmp_path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(CheckpointDamaged, match=r"config\.json"):
        read_contents(tmp_path)
