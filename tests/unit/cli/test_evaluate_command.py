"""`surefoot evaluate calibration` over a fake service: its rows, its files, and how it fails."""

import json
from pathlib import Path

import pytest

from surefoot.profiles import Profile, load_profile
from surefoot.wiring.fake_service import fake_profiles

ROWS = [
    json.dumps({"problem": f"What is {number}+1?", "steps": ["one", "two"], "first_error": [None, 0, 1][number % 3]})
    for number in range(24)
]


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


def report_of(out: Path) -> dict:
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


def test_the_files_are_there_and_the_profile_loads(program, written, out) -> None:
    ended = program("evaluate", "calibration", written("in.jsonl", *ROWS), "--out", out)
    assert ended.exit_code == 0, ended.output
    assert {"scores.jsonl", "profile.toml", "report.md", "report.json", "reliability.png", "reliability.svg"} == {
        path.name for path in out.iterdir()
    }
    assert load_profile(str(out / "profile.toml")).threshold == report_of(out)["threshold"]


def test_every_labelled_step_is_measured(program, written, out) -> None:
    program("evaluate", "calibration", written("in.jsonl", *ROWS), "--out", out)
    parts = [report_of(out)[part]["after"] for part in ("held_out", "fitted")]
    assert sum(part["num_steps"] for part in parts) == 8 * (2 + 1 + 2)


def test_equal_runs_write_equal_files(program, written, tmp_path) -> None:
    source = written("in.jsonl", *ROWS)
    for name, size in (("a", "5"), ("b", "32")):
        program("evaluate", "calibration", source, "--out", tmp_path / name, "--batch-size", size)
    assert [path.read_bytes() for path in sorted((tmp_path / "a").iterdir())] == [
        path.read_bytes() for path in sorted((tmp_path / "b").iterdir())
    ]


def test_a_bad_row_is_named_and_the_others_are_used(program, written, out) -> None:
    ended = program("evaluate", "calibration", written("in.jsonl", *ROWS[:3], '{"problem": "p"}', *ROWS[3:]), "-o", out)
    assert ended.exit_code == 1
    assert "line 4: [invalid_row]" in ended.stderr
    assert (report_of(out)["rows"], report_of(out)["failed_rows"]) == (25, 1)


def test_a_row_that_the_model_refuses_is_named(program, written, out) -> None:
    empty = json.dumps({"problem": "p", "steps": ["a", " "], "first_error": 0})
    ended = program("evaluate", "calibration", written("in.jsonl", *ROWS, empty), "-o", out)
    assert ended.exit_code == 1
    assert "line 25: [empty_step]" in ended.stderr


@pytest.mark.parametrize(("further", "said"), [([], "wrong"), ([-1], "neutral")])
def test_zero_is_neutral_where_the_file_holds_minus_one(program, written, out, further, said) -> None:
    rows = [json.dumps({"problem": "p", "steps": ["a"], "labels": [label]}) for label in [1, 1, 0, 0, 0, *further * 3]]
    program("evaluate", "calibration", written("in.jsonl", *rows), "-o", out)
    report = report_of(out)
    num_right = sum(report[part]["after"]["num_right_steps"] for part in ("held_out", "fitted"))
    assert (report["labels_of_0"], num_right) == (said, 5 if further else 2)


def test_json_is_the_report(program, written, out) -> None:
    ended = program("evaluate", "calibration", written("in.jsonl", *ROWS), "--out", out, "--json")
    assert json.loads(ended.stdout) == report_of(out)


def test_labels_of_one_side_end_with_their_error(program, written, out) -> None:
    rows = [row for index, row in enumerate(ROWS) if index % 3 == 0]
    ended = program("evaluate", "calibration", written("in.jsonl", *rows), "--out", out, "--json")
    assert (ended.exit_code, json.loads(ended.stdout)["error"]["code"]) == (1, "labels_degenerate")
    assert {path.name for path in out.iterdir()} == {"scores.jsonl"}


def test_a_checkpoint_is_loaded_alone_and_without_a_generator(program, written, out) -> None:
    options = ["--model", "embedded", "--profile", "embedded-prm"]
    program("evaluate", "calibration", written("in.jsonl", *ROWS), "--out", out, *options)
    (settings,) = program.settings
    assert [(model.profile, model.path) for model in settings.models] == [("embedded-prm", "embedded")]
    assert settings.generator.engine == "none"


def test_another_profile_than_the_served_one_is_refused(program, written, out) -> None:
    warm = load_profile("embedded-prm").model_dump(mode="json", exclude_none=True)
    warm["readout"]["temperature"] = 2.0
    served = program.with_parts(profiles=fake_profiles() | {"prm": Profile.model_validate(warm)})
    ended = served("evaluate", "calibration", written("in.jsonl", *ROWS), "--out", out)
    assert ended.exit_code == 2
    assert "give the one that is served" in " ".join(ended.stderr.replace("│", " ").split())


WRONG = {
    "a checkpoint without a profile": (["--model", "embedded"], 2, "set profile to one of"),
    "a name that is not configured": (["--name", "nobody"], 1, "no model of that name"),
    "an outcome model": (["--name", "orm"], 1, "process model"),
    "a profile that is not there": (["--profile", "nowhere.toml"], 2, "does not exist"),
    "a checkpoint on a server": (["--url", "http://127.0.0.1:1", "--model", "embedded"], 2, "go without it"),
    "a server that is not there": (["--url", "http://127.0.0.1:1"], 3, "could not be reached"),
}


@pytest.mark.parametrize(("options", "code", "said"), WRONG.values(), ids=WRONG)
def test_wrong_use_is_named(program, written, out, options, code, said) -> None:
    ended = program("evaluate", "calibration", written("in.jsonl", *ROWS), "--out", out, *options)
    assert ended.exit_code == code, ended.output
    assert said in " ".join(ended.stderr.replace("│", " ").split())


def test_a_file_in_the_place_of_the_directory_is_refused(program, written, tmp_path) -> None:
    source = written("in.jsonl", *ROWS)
    assert program("evaluate", "calibration", source, "--out", source).exit_code == 2


def test_the_help_shows_the_rows(program) -> None:
    assert "first_error" in program("evaluate", "calibration", "--help").output
