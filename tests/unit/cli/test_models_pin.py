"""`surefoot models pin`: the profile that it writes is read again, and what it pins is what is served."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from surefoot.ports import SilentTelemetry
from surefoot.profiles import load_profile, profile_text
from surefoot.registry import ModelCard, ModelState
from surefoot.self_check import PROBES
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring.models import ModelLoader

ROW = {"problem": "What is 1 + 1?", "steps": ["1 + 1 = 2", "It is 2."]}


@pytest.fixture
def pin(program, tmp_path: Path, monkeypatch) -> Callable[..., Result]:
    """Pins into `pinned.toml` on the CPU."""
    monkeypatch.setenv("SUREFOOT_DEVICE", "cpu")

    def run(directory: Path, *arguments: str | Path, profile: str = "embedded-prm") -> Result:
        output = tmp_path / "pinned.toml"
        return program("models", "pin", "--model", directory, "--profile", profile, "-o", output, *arguments)

    return run


@pytest.fixture
def serve_pinned(tmp_path: Path) -> Callable[..., tuple[list[ModelCard], ModelState]]:
    """Loads a checkpoint with the pinned profile: its card, if it is served, and its state."""

    async def load(directory: Path) -> tuple[list[ModelCard], ModelState]:
        model = ModelSettings(name="a", profile=str(tmp_path / "pinned.toml"), path=str(directory))
        settings = Settings(models=[model], device="cpu", dtype="float32")
        registry = ModelLoader(settings, SilentTelemetry()).registry()
        await registry.load_all()
        cards, states = registry.cards(), registry.states()
        await registry.close()
        return cards, states["a"]

    return lambda directory: asyncio.run(load(directory))


def test_the_probes_are_pinned(pin, tiny, tmp_path: Path) -> None:
    assert pin(tiny("llama")).exit_code == 0
    golden = load_profile(str(tmp_path / "pinned.toml")).golden
    assert [entry.steps for entry in golden] == [probe.steps for probe in PROBES.values()]


def test_the_source_stays_as_it_is(pin, tiny, tmp_path: Path) -> None:
    pin(tiny("llama"))
    assert (tmp_path / "pinned.toml").read_text(encoding="utf-8").startswith(profile_text("embedded-prm").rstrip())


def test_scores_of_an_outcome_model_are_one_each(pin, tiny, tmp_path: Path) -> None:
    assert pin(tiny("llama_reward"), profile="sequence-classification").exit_code == 0
    assert {len(entry.scores) for entry in load_profile(str(tmp_path / "pinned.toml")).golden} == {1}


def test_a_log_ratio_is_pinned_with_its_reference(pin, tiny, tmp_path: Path) -> None:
    ended = pin(tiny("llama"), "--reference", tiny("llama", seed=1), profile="eurus-prm")
    assert ended.exit_code == 0, ended.output
    assert load_profile(str(tmp_path / "pinned.toml")).golden


def test_given_problems_are_pinned_instead(pin, tiny, tmp_path: Path, written) -> None:
    ended = pin(tiny("llama"), "--problems", written("in.jsonl", json.dumps(ROW), ""))
    assert ended.exit_code == 0
    (golden,) = load_profile(str(tmp_path / "pinned.toml")).golden
    assert (golden.problem, list(golden.steps)) == (ROW["problem"], ROW["steps"])


def test_what_was_pinned_is_served(pin, serve_pinned, tiny) -> None:
    pin(tiny("llama"))
    (card,), _ = serve_pinned(tiny("llama"))
    assert (card.self_check.state, card.self_check.against) == ("passed", "golden")
    assert card.self_check.max_difference <= 1e-5


def test_another_checkpoint_is_not_served_with_these_values(pin, serve_pinned, tiny) -> None:
    pin(tiny("llama"))
    cards, state = serve_pinned(tiny("llama", seed=1))
    assert (cards, state.detail.startswith("self_check_failed: probe 'golden[")) == ([], True)


def test_pinning_does_not_change_the_fingerprint(pin, serve_pinned, tiny, tmp_path: Path) -> None:
    (tmp_path / "pinned.toml").write_text(profile_text("embedded-prm"), encoding="utf-8")
    (before,), _ = serve_pinned(tiny("llama"))
    pin(tiny("llama"), "--force")
    (after,), _ = serve_pinned(tiny("llama"))
    assert before.fingerprint == after.fingerprint


def test_values_of_another_checkpoint_are_replaced(pin, tiny, tmp_path: Path) -> None:
    pin(tiny("llama"))
    before = load_profile(str(tmp_path / "pinned.toml")).golden
    ended = pin(tiny("llama", seed=1), "--force", profile=str(tmp_path / "pinned.toml"))
    assert ended.exit_code == 0
    after = load_profile(str(tmp_path / "pinned.toml")).golden
    assert len(after) == len(before)
    assert after != before


def test_a_file_that_is_there_is_kept(pin, tmp_path: Path) -> None:
    (tmp_path / "pinned.toml").write_text("mine", encoding="utf-8")
    ended = pin(tmp_path)
    assert (ended.exit_code, (tmp_path / "pinned.toml").read_text(encoding="utf-8")) == (2, "mine")
    assert "--force" in ended.stderr


def test_an_output_that_no_setting_could_name_is_refused(program, tmp_path: Path) -> None:
    ended = program("models", "pin", "--model", tmp_path, "--profile", "trl-prm", "-o", tmp_path / "pinned.txt")
    assert (ended.exit_code, ".toml" in ended.stderr) == (2, True)


def test_an_unknown_permission_is_refused(pin, tmp_path: Path) -> None:
    ended = pin(tmp_path, "--allow", "everything")
    assert (ended.exit_code, "pickle_weights" in ended.stderr) == (2, True)


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"problem": "p"}', '{"problem": 3, "steps": ["a"]}', '{"problem": "p", "steps": "a"}'],
)
def test_a_bad_row_is_named_by_its_line_alone(pin, tmp_path: Path, written, line: str) -> None:
    ended = pin(tmp_path, "--problems", written("in.jsonl", json.dumps(ROW), line))
    assert (ended.exit_code, "line 2" in ended.stderr) == (1, True)
    assert not (tmp_path / "pinned.toml").exists()


def test_a_file_of_problems_without_rows_is_refused(pin, tmp_path: Path, written) -> None:
    assert "no rows" in pin(tmp_path, "--problems", written("in.jsonl")).stderr


def test_a_problem_that_cannot_be_scored_is_named(pin, tiny, tmp_path: Path, written) -> None:
    rows = [json.dumps(row) for row in (ROW, {"problem": "p", "steps": [" "]})]
    ended = pin(tiny("llama"), "--problems", written("in.jsonl", *rows))
    assert (ended.exit_code, "'line 2' cannot be scored: empty_step" in ended.stderr) == (2, True)


def test_a_problem_too_long_for_the_model_is_named(pin, tiny, written) -> None:
    row = {"problem": "p", "steps": ["1 + 1 = 2 " * 2000]}
    assert "line 1 is longer than" in pin(tiny("llama"), "--problems", written("in.jsonl", json.dumps(row))).stderr


def test_json_says_what_was_written_and_how_it_was_checked(pin, tiny, tmp_path: Path) -> None:
    told = json.loads(pin(tiny("llama"), "--json").stdout)
    assert (told["path"], told["profile"]) == (str(tmp_path / "pinned.toml"), "embedded-prm")
    assert told["num_scores"] == sum(len(probe.steps or ()) for probe in PROBES.values())
    assert (told["keeps_comments"], told["self_check"]["against"]) == (True, "plain_forward")


def test_a_person_is_told_where_it_is_and_how_close(pin, tiny, tmp_path: Path) -> None:
    said = pin(tiny("llama")).stdout
    assert said.startswith(f"{tmp_path / 'pinned.toml'}: 11 scores of 5 solutions")
    assert "the largest difference from a plain forward pass is" in said
