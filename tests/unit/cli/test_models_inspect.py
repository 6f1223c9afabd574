"""`surefoot models inspect`: what it says, its exit codes, and the configuration that it prints."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from tiny_models import PUBLISHED

MARKS = {"openrlhf": {"value_head_prefix": "score"}}
"""What a published checkpoint's config.json holds beside the recipe."""


def inspected(program, *arguments: object) -> dict:
    ended = program("models", "inspect", *arguments, "--json")
    return json.loads(ended.stdout)


@pytest.fixture
def copied(tiny, tmp_path):
    """A checkpoint's copy, to be damaged."""

    def copy(family: str) -> Path:
        return Path(shutil.copytree(tiny(family), tmp_path / family))

    return copy


@pytest.mark.parametrize("family", PUBLISHED)
def test_every_published_family_is_offered_its_profile(program, tiny, family: str) -> None:
    found = inspected(program, tiny(family, **MARKS.get(family, {})))
    assert family in {candidate["profile"] for candidate in found["candidates"]}


@pytest.mark.parametrize("family", PUBLISHED)
def test_every_published_family_fits_its_profile(program, tiny, family: str) -> None:
    found = inspected(program, tiny(family), "--profile", family)
    assert found["fits"], found["checks"]


@pytest.mark.parametrize(
    ("family", "exit_code"),
    [("qwen2.5-math-prm", 0), ("trl-prm", 1), ("math-shepherd", 1)],
    ids=["one", "tokens", "causal"],
)
def test_only_what_is_certain_ends_with_success(program, tiny, family: str, exit_code: int) -> None:
    assert program("models", "inspect", tiny(family)).exit_code == exit_code


def test_a_profile_that_does_not_fit_ends_with_one(program, tiny) -> None:
    assert program("models", "inspect", tiny("trl-prm"), "--profile", "qwen2.5-math-prm").exit_code == 1


def test_a_profile_for_other_checkpoints_is_questioned(program, tiny) -> None:
    said = " ".join(program("models", "inspect", tiny("llama_reward"), "--profile", "openrlhf").stdout.split())
    assert "openrlhf reads it. Yet it looks like one for sequence-classification" in said


def test_no_checkpoint_ends_with_two(program, tmp_path) -> None:
    ended = program("models", "inspect", tmp_path)
    assert ended.exit_code == 2
    assert "[checkpoint_missing]" in ended.stderr


def test_an_unknown_profile_ends_with_two(program, tiny) -> None:
    assert program("models", "inspect", tiny("trl-prm"), "--profile", "nothing").exit_code == 2


def test_a_truncated_checkpoint_ends_with_two(program, copied) -> None:
    path = copied("trl-prm")
    weights = path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    ended = program("models", "inspect", path)
    assert ended.exit_code == 2
    assert "[checkpoint_damaged]" in ended.stderr


def test_the_configuration_can_be_pasted(program, tiny) -> None:
    path = tiny("qwen2.5-math-prm")
    printed = program("models", "inspect", path).stdout
    (model,) = tomllib.loads(printed[printed.index("[[models]]") :])["models"]
    assert (model["profile"], model["path"]) == ("qwen2.5-math-prm", str(path))


def test_an_ambiguous_checkpoint_gets_no_configuration(program, tiny) -> None:
    assert "[[models]]" not in program("models", "inspect", tiny("trl-prm")).stdout


def test_an_ambiguous_checkpoint_is_asked_about(program, tiny) -> None:
    said = " ".join(program("models", "inspect", tiny("trl-prm")).stdout.split())
    assert "which separator stood after each step" in said
    assert "trl-prm" in said
    assert "pure-prm" in said


def test_a_users_own_profile_is_checked(program, tiny, written) -> None:
    own = written(
        "own.toml",
        'name = "own"',
        'title = "own"',
        'kind = "process"',
        'scale = "probability"',
        "max_input_tokens = 99999",
        "[rendering]",
        'method = "separated_steps"',
        "[readout]",
        'method = "token_classification"',
    )
    found = inspected(program, tiny("trl-prm"), "--profile", own)
    assert [check["name"] for check in found["checks"] if check["status"] == "error"] == ["context"]


def test_a_checkpoint_without_its_tokenizer_does_not_fit(program, copied) -> None:
    path = copied("qwen2.5-math-prm")
    for file in path.glob("*token*"):
        file.unlink()
    found = inspected(program, path, "--profile", "qwen2.5-math-prm")
    assert [check["name"] for check in found["checks"] if check["status"] == "error"] == ["tokenizer"]


def test_a_missing_head_is_named(program, copied) -> None:
    path = copied("skywork-o1-open-prm")
    tensors = load_file(path / "model.safetensors")
    save_file({name: value for name, value in tensors.items() if "v_head" not in name}, path / "model.safetensors")
    found = inspected(program, path, "--profile", "skywork-o1-open-prm")
    assert [check["message"] for check in found["checks"] if check["status"] == "error"] == ["no head v_head.summary"]


def test_pickles_alone_fit_with_an_allowance(program, copied) -> None:
    path = copied("trl-prm")
    (path / "model.safetensors").rename(path / "pytorch_model.bin")
    found = inspected(program, path, "--profile", "trl-prm")
    (model,) = tomllib.loads(found["configuration"])["models"]
    assert model["allow"] == ["pickle_weights"]


def test_code_is_not_executed(program, copied) -> None:
    path = copied("internlm2-reward")
    (path / "modeling_internlm2.py").write_text("raise SystemExit(99)")
    assert program("models", "inspect", path).exit_code == 0


def test_an_adapter_names_its_base(program, tmp_path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "owner/base"}))
    ended = program("models", "inspect", tmp_path)
    assert ended.exit_code == 1
    assert "owner/base" in ended.stdout


def test_an_undetected_profile_is_listed_as_such(program, written) -> None:
    config = written("surefoot.toml", "[[models]]", 'name = "mine"', 'path = "/nowhere"')
    (row,) = json.loads(program("models", "--config", config, "--json").stdout)
    assert (row["profile"], row["kind"]) == ("auto", None)
