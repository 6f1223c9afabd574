"""`surefoot train average`: values between those of two adapters, served as the second is."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from surefoot.modeling.adapters import CONFIG, FACTS, WEIGHTS, read_adapter

LAYER = "base_model.model.model.layers.0.mlp.up_proj"


@pytest.fixture
def adapter(tmp_path: Path):
    """Writes an adapter of one value: `adapter("first", 1.0)`."""

    def write(name: str, value: float, *, rank: int = 2, base_id: str = "b" * 16, alpha: float = 4) -> Path:
        directory = tmp_path / name
        directory.mkdir()
        down, up = torch.full((rank, 6), value), torch.full((4, rank), value)
        save_file({f"{LAYER}.lora_A.weight": down, f"{LAYER}.lora_B.weight": up}, directory / WEIGHTS)
        config = {"peft_type": "LORA", "r": rank, "lora_alpha": alpha, "bias": "none"}
        (directory / CONFIG).write_text(json.dumps(config), encoding="utf-8")
        digest = hashlib.sha256((directory / WEIGHTS).read_bytes()).hexdigest()
        facts = {"base_id": base_id, "sha256": digest, "stored_as": "float32", "preface": ["a"], "epochs": [1]}
        (directory / FACTS).write_text(json.dumps(facts), encoding="utf-8")
        (directory / "profile.toml").write_text(f"name = '{name}'", encoding="utf-8")
        return directory

    return write


@pytest.fixture
def averaged(program, tmp_path):
    """Runs the verb into `mean`."""
    return lambda *arguments: program("train", "average", *arguments, "-o", tmp_path / "mean")


@pytest.mark.parametrize(("share", "value"), [("0", 1.0), ("0.25", 1.5), ("1", 3.0)])
def test_values_lie_between_those_of_both(adapter, averaged, tmp_path, share: str, value: float) -> None:
    ended = averaged(adapter("first", 1.0), adapter("second", 3.0), "--share", share)
    assert ended.exit_code == 0, ended.output
    assert all(bool((tensor == value).all()) for tensor in load_file(tmp_path / "mean" / WEIGHTS).values())


def test_it_is_served_as_the_second_and_says_how_it_was_made(adapter, averaged, tmp_path) -> None:
    first, second = adapter("first", 1.0), adapter("second", 3.0)
    averaged(first, second)
    read = read_adapter(tmp_path / "mean")  # refuses weights that are not those of the facts
    facts = json.loads((tmp_path / "mean" / FACTS).read_text(encoding="utf-8"))
    assert read.base_id == "b" * 16
    assert facts["command"].startswith(f"surefoot train average {first} {second} -o ")
    assert facts["averaged"] == [read_adapter(first).id, read_adapter(second).id]
    assert facts["preface"] == ["a"]
    assert "epochs" not in facts
    assert (tmp_path / "mean" / "profile.toml").read_text(encoding="utf-8") == "name = 'second'"


@pytest.mark.parametrize("other", [{"rank": 3}, {"base_id": "c" * 16}, {"alpha": 8}])
def test_adapters_that_do_not_belong_together_are_refused(adapter, averaged, tmp_path, other: dict) -> None:
    ended = averaged(adapter("first", 1.0), adapter("second", 3.0, **other), "--json")
    assert ended.exit_code != 0
    assert "adapter_mismatch" in ended.output
    assert not (tmp_path / "mean").exists()


def test_what_was_there_stays_unless_it_is_to_be_replaced(adapter, averaged, tmp_path) -> None:
    first, second = adapter("first", 1.0), adapter("second", 3.0)
    averaged(first, second)
    before = (tmp_path / "mean" / WEIGHTS).read_bytes()
    assert averaged(first, second, "--share", "0.9").exit_code == 2
    assert (tmp_path / "mean" / WEIGHTS).read_bytes() == before
    assert averaged(first, second, "--share", "0.9", "--overwrite").exit_code == 0
    assert (tmp_path / "mean" / WEIGHTS).read_bytes() != before


def test_a_directory_without_an_adapter_is_named(adapter, averaged, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    ended = averaged(adapter("first", 1.0), tmp_path / "empty", "--json")
    assert "adapter_invalid" in ended.output
