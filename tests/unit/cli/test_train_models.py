"""`surefoot train prm | orm | generator` on tiny checkpoints: what they leave, say and refuse."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from surefoot.profiles import load_profile
from surefoot.sampling.policy_adapter import preface_facts
from surefoot.settings import GeneratorSettings
from surefoot.wiring.generators import preface

SMALL = ("--rank", "2", "--epochs", "1", "--batch-tokens", "60", "--learning-rate", "0.005")


def row(number: int, **fields: object) -> str:
    wrong = (None, 0, 1)[number % 3]
    steps = ["bad" if place == wrong else f"{number}+{place}" for place in range(2)]
    return json.dumps({"problem": f"Add {number}", "steps": steps, "first_error": wrong, **fields})


ROWS = [row(number) for number in range(24)]


@pytest.fixture(autouse=True)
def _on_the_cpu(on_the_cpu) -> None: ...


@pytest.fixture
def train(program, tiny, tmp_path: Path) -> Callable[..., Result]:
    """Trains on a file into `tmp_path / "out"`."""

    def run(verb: str, source: Path, *options: str) -> Result:
        return program("train", verb, source, "--model", tiny("llama"), "--output", tmp_path / "out", *SMALL, *options)

    return run


def files_of(out: Path) -> set[str]:
    return {path.name for path in out.iterdir()}


def test_a_process_model_leaves_an_adapter_and_the_profile_that_serves_it(train, written, tmp_path) -> None:
    ended = train("prm", written("in.jsonl", *ROWS))
    assert ended.exit_code == 0, ended.output
    out = tmp_path / "out"
    adapter = {"adapter_config.json", "adapter_model.safetensors", "profile.toml", "surefoot.json"}
    assert files_of(out) == {*adapter, "curves.png", "curves.svg"}
    profile = load_profile(str(out / "profile.toml"))
    assert (profile.name, profile.trained, profile.notice) == ("embedded-prm-trained", True, None)


def test_facts_say_how_the_adapter_was_made(train, written, tmp_path) -> None:
    train("prm", written("in.jsonl", *ROWS), "--seed", "7")
    facts = json.loads((tmp_path / "out" / "surefoot.json").read_text(encoding="utf-8"))
    assert (facts["seed"], facts["plan"]["epochs"], facts["lora"]["rank"]) == (7, 1, 2)
    assert (facts["num_training_examples"], facts["num_validation_examples"]) == (23, 1)
    assert len(facts["base_id"]) == 16
    assert {"loss", "accuracy"} <= facts["epochs"][-1].keys()


def test_a_validation_file_is_what_is_measured_on(train, written) -> None:
    ended = train("prm", written("in.jsonl", *ROWS), "--validation", written("v.jsonl", *ROWS[:9]), "--json")
    epochs = json.loads(ended.stdout)["epochs"]
    assert {"loss", "auroc", "f1", "accuracy"} <= epochs[0].keys()


@pytest.mark.parametrize("how", ["--every-token", "--final-token"])
def test_an_outcome_model_is_trained(train, written, tmp_path, how: str) -> None:
    ended = train("orm", written("in.jsonl", *ROWS), "--validation", written("v.jsonl", *ROWS[:9]), how, "--json")
    assert ended.exit_code == 0, ended.output
    assert load_profile(str(tmp_path / "out" / "profile.toml")).kind == "outcome"
    assert "auroc" in json.loads(ended.stdout)["epochs"][-1]


def test_a_generator_is_trained_on_right_solutions_alone(train, written, tmp_path) -> None:
    ended = train("generator", written("in.jsonl", *ROWS), "--answers", "correct", "--json")
    assert ended.exit_code == 0, ended.output
    facts = json.loads((tmp_path / "out" / "surefoot.json").read_text(encoding="utf-8"))
    assert facts["num_training_examples"] + facts["num_validation_examples"] == 8
    assert "profile.toml" not in files_of(tmp_path / "out")
    losses = [epoch["loss"] for epoch in json.loads(ended.stdout)["epochs"]]
    assert losses[1] < losses[0]


def test_a_generators_facts_say_after_which_turns_it_was_trained(train, written, tmp_path) -> None:
    train("generator", written("in.jsonl", *ROWS))
    facts = json.loads((tmp_path / "out" / "surefoot.json").read_text(encoding="utf-8"))
    assert facts["preface"] == preface_facts(preface(GeneratorSettings(adapter="out")))["preface"]


def test_the_same_seed_gives_the_same_files(train, written, tmp_path) -> None:
    source = written("in.jsonl", *ROWS)
    found = []
    for _ in range(2):
        assert train("prm", source, "--overwrite").exit_code == 0
        found.append((tmp_path / "out" / "adapter_model.safetensors").read_bytes())
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ('{"problem": "p"}', "steps must be a list"),
        (json.dumps({"problem": "p", "steps": ["a", "b"], "labels": [1]}), "one for each of the 2 steps"),
        (json.dumps({"problem": "p", "steps": [" "], "labels": [1]}), "is blank"),
        (json.dumps({"problem": " ", "steps": ["a"], "labels": [1]}), "problem is empty"),
        (json.dumps({"problem": "p", "steps": ["a"], "labels": [None]}), "labels say nothing"),
        (json.dumps({"problem": "p", "steps": ["a"], "labels": [1], "soft_labels": [2]}), "soft_labels must hold"),
        (json.dumps({"problem": "p", "steps": ["a" * 5000], "labels": [1]}), "tokens"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_used(train, written, bad: str, message: str) -> None:
    ended = train("prm", written("in.jsonl", *ROWS[:3], bad, *ROWS[3:]), "--json")
    summary = json.loads(ended.stdout)
    assert ended.exit_code == 1
    assert (summary["rows"], summary["succeeded"]) == (25, 24)
    (failure,) = summary["first_failures"]
    assert failure["line"] == 4
    assert message in failure["message"]


def test_without_a_row_that_can_be_used_nothing_is_trained(train, written, tmp_path) -> None:
    ended = train("prm", written("in.jsonl", '{"problem": "p"}'), "--json")
    assert (ended.exit_code, json.loads(ended.stdout)["error"]["code"]) == (1, "examples_invalid")
    assert not (tmp_path / "out").exists()


def test_an_adapter_is_not_written_over_without_being_asked(train, written) -> None:
    source = written("in.jsonl", *ROWS)
    assert train("prm", source).exit_code == 0
    ended = train("prm", source)
    assert ended.exit_code == 2
    assert "--overwrite" in ended.output


@pytest.fixture
def interrupted(train, written, interrupted_training) -> Path:
    """A file on which a run was interrupted after its second step."""
    source = written("in.jsonl", *ROWS)
    with interrupted_training():
        ended = train("prm", source, "--save-every", "1")
    assert ended.exit_code == 130
    assert "--resume goes on" in ended.stderr
    return source


def test_an_interrupted_run_is_not_begun_again_without_being_asked(train, interrupted) -> None:
    ended = train("prm", interrupted, "--save-every", "1")
    assert ended.exit_code == 2
    assert "--resume" in ended.output


def test_a_resumed_run_gives_what_a_whole_one_gives(train, interrupted, tmp_path) -> None:
    weights = tmp_path / "out" / "adapter_model.safetensors"
    assert train("prm", interrupted, "--save-every", "1", "--resume").exit_code == 0
    resumed = weights.read_bytes()
    assert train("prm", interrupted, "--save-every", "1", "--overwrite").exit_code == 0
    assert weights.read_bytes() == resumed


def test_a_run_is_not_resumed_with_other_rows(train, interrupted, written) -> None:
    ended = train("prm", written("other.jsonl", *ROWS[::-1]), "--save-every", "1", "--resume", "--json")
    error = json.loads(ended.stdout)["error"]
    assert (ended.exit_code, error["code"]) == (1, "run_mismatch")
    assert "another data" in error["message"]


def test_a_full_disk_is_told(train, written, monkeypatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("surefoot.whole_file.os.fsync", full)
    ended = train("prm", written("in.jsonl", *ROWS), "--json")
    error = json.loads(ended.stdout)["error"]
    assert (ended.exit_code, error["code"]) == (1, "file_failed")
    assert "No space left" in error["message"]


def test_missing_peft_is_told_with_what_brings_it(train, written, monkeypatch) -> None:
    monkeypatch.setattr("surefoot.training.lora.find_spec", lambda _: None)
    ended = train("prm", written("in.jsonl", *ROWS), "--json")
    assert "pip install 'surefoot[train]'" in json.loads(ended.stdout)["error"]["message"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--profile", "embedded-orm"), "surefoot train orm"),
        (("--targets", "q_prj"), "there are q_proj, k_proj"),
        (("--top-layers", "3"), "the model has 2 layers"),
        (("--profile", "skywork-o1-open-prm"), "value_head"),
    ],
)
def test_what_cannot_be_trained_is_refused_with_what_can(train, written, options, message: str) -> None:
    ended = train("prm", written("in.jsonl", *ROWS), *options)
    assert ended.exit_code in (1, 2)
    assert message in " ".join(ended.stderr.split())


def test_only_the_top_layers_are_adapted_when_asked(train, written, tmp_path) -> None:
    assert train("prm", written("in.jsonl", *ROWS), "--top-layers", "1").exit_code == 0
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["layers_to_transform"] == [1]


async def test_what_was_trained_is_served(train, written, serve, tiny, tmp_path) -> None:
    from surefoot.domain import ScoreTask

    assert train("prm", written("in.jsonl", *ROWS)).exit_code == 0
    out = tmp_path / "out"
    served = await serve({"prm": (str(out / "profile.toml"), tiny("llama"), {"adapter": str(out)})})
    (found,) = await served.scores("prm", [ScoreTask("Add 1", steps=("1+0", "bad"))])
    assert len(found.steps) == 2


async def test_another_base_is_refused(train, written, serve, tiny, tmp_path) -> None:
    assert train("prm", written("in.jsonl", *ROWS)).exit_code == 0
    out = tmp_path / "out"
    with pytest.raises(AssertionError, match="adapter_mismatch"):
        await serve({"prm": (str(out / "profile.toml"), tiny("llama", seed=5), {"adapter": str(out)})})
