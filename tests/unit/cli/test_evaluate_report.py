"""`surefoot evaluate report` over a fake service: its parts, its files, resuming, and how it fails."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from surefoot.backends.fake_backend import FakeBackend
from surefoot.evaluation.calibration_report import profile_toml
from surefoot.profiles import load_profile

SYSTEMS = ("small", "large")


def labelled(number: int) -> str:
    family, error = ("true", None) if number % 2 else ("arithmetic_slip", 1)
    steps = [f"{number} + 1 = {number + 1}", f"{number} + 2 = {number + (2 if error is None else 3)}"]
    return json.dumps({"problem": "p", "steps": steps, "first_error": error, "family": family, "is_correct": not error})


def system_row(number: int) -> str:
    right, wrong = ({"solution": f"One.\nA: {value}", "is_correct": value == number} for value in (number, 99))
    pair = (right, wrong) if number % 3 else (wrong, right)
    return json.dumps({"question": "q?", "ground_truth": f"A: {number}", **dict(zip(SYSTEMS, pair, strict=True))})


LABELLED = [labelled(number) for number in range(8)]
ROWS = [system_row(number) for number in range(6)]
POOLS = [json.dumps({"problem": "p", "answer": "1", "candidates": ["So.\nThe answer is 1.", "The answer is 2."]})] * 3


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


def options_for(write: Callable[..., Path]) -> list[str | Path]:
    files = {"--labelled": LABELLED, "--systems": ROWS, "--pools": POOLS}
    named = [(option, write(f"{option[2:]}.jsonl", *rows)) for option, rows in files.items()]
    return ["evaluate", "report", "--prm", "prm", "--orm", "orm", *(word for pair in named for word in pair)]


@pytest.fixture
def options(written) -> list[str | Path]:
    return options_for(written)


@pytest.fixture(scope="module")
def reported(new_program, tmp_path_factory) -> Path:
    """A whole report, which several tests read: its pictures take seconds to draw."""
    directory = tmp_path_factory.mktemp("report")

    def write(name: str, *lines: str) -> Path:
        path = directory / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    ended = new_program()(*options_for(write), "-o", directory / "out")
    assert ended.exit_code == 0, ended.output
    return directory / "out"


def report_of(out: Path) -> dict:
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


def test_the_files_are_there(reported) -> None:
    scores = {f"{name}.scores.jsonl" for name in ("labelled", "systems", "pools-1")}
    pictures = {f"{n}.{e}" for n in ("steps", "confusion", "pairs", "choices", "pools-1") for e in ("png", "svg")}
    assert {path.name for path in reported.iterdir()} == {"report.md", "report.json"} | scores | pictures


def test_every_picture_stands_with_the_command_that_made_it(reported) -> None:
    page = (reported / "report.md").read_text(encoding="utf-8")
    shown = page.split("![")[1:]
    assert len(shown) == 5
    assert all("made by `surefoot evaluate report --prm prm --orm orm --" in each for each in shown)


def test_the_checks_find_the_slips(reported) -> None:
    slips = next(group for group in report_of(reported)["labelled"]["families"] if group["name"] == "arithmetic_slip")
    assert (slips["num_wrong"], slips["num_right"], slips["auroc"]["checks"]) == (4, 12, 1.0)


def test_the_bounds_of_a_choice_are_those_of_the_data(reported) -> None:
    choices = {name: found["value"] for name, found in report_of(reported)["systems"]["choices"].items()}
    bounds = {"random choice": 0.5, "oracle": 1.0, "majority vote": 0.5, "always small, the strongest here": 2 / 3}
    assert bounds == {name: pytest.approx(choices[name]) for name in bounds}


def test_equal_texts_of_equal_length_are_told_apart_by_no_count(reported) -> None:
    assert report_of(reported)["systems"]["pairs"]["num_steps"]["mean"]["value"] == 0.5


def test_pools_say_how_many_candidates_are_well_formed(reported) -> None:
    assert report_of(reported)["pools-1"]["well_formed_candidates"] == "50.0%"


def test_a_second_run_scores_nothing_and_writes_the_same(program, options, out) -> None:
    program(*options, "-o", out)
    whole = {path.name: path.read_bytes() for path in out.iterdir()}
    backend = FakeBackend()
    ended = program.with_parts(backend=backend)(*options, "-o", out)
    assert (ended.exit_code, backend.batches) == (0, [])
    assert {path.name: path.read_bytes() for path in out.iterdir()} == whole


def test_what_was_not_given_is_left_out_and_named(program, written, out) -> None:
    ended = program("evaluate", "report", "--labelled", written("in.jsonl", *LABELLED), "-o", out)
    assert (ended.exit_code, set(report_of(out))) == (0, {"labelled", "left_out"})
    page = (out / "report.md").read_text(encoding="utf-8")
    assert all(option in page.partition("## Left out")[2] for option in ("--systems", "--pools", "--orm"))


def test_data_without_errors_leave_first_errors_out(program, written, out) -> None:
    ended = program("evaluate", "report", "--labelled", written("in.jsonl", *LABELLED[1::2]), "-o", out)
    assert (ended.exit_code, report_of(out)["labelled"]["first_errors"]) == (0, {})


def test_json_is_the_report(program, options, out) -> None:
    assert json.loads(program(*options, "-o", out, "--json").stdout) == report_of(out)


def test_an_adapters_directory_names_a_model(program, written, out, tmp_path) -> None:
    adapter = tmp_path / "trained"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}", encoding="utf-8")
    profile = profile_toml(load_profile("embedded-prm"), "made by a test")
    (adapter / "profile.toml").write_text(profile, encoding="utf-8")
    ended = program("evaluate", "report", "--prm", adapter, "--labelled", written("in.jsonl", *LABELLED), "-o", out)
    assert ended.exit_code == 0, ended.output
    ((model,),) = [settings.models for settings in program.settings]
    assert (model.adapter, model.profile) == (str(adapter), str(adapter / "profile.toml"))


def test_a_row_without_one_of_the_systems_is_named(program, written, out) -> None:
    odd = json.dumps({"question": "q", "ground_truth": "A: 1", "small": {"solution": "A: 1", "is_correct": True}})
    ended = program("evaluate", "report", "--systems", written("in.jsonl", *ROWS, odd), "-o", out)
    assert (ended.exit_code, "line 7: [invalid_row]" in ended.stderr) == (1, True)
    assert report_of(out)["systems"]["num_problems"] == 6


@pytest.mark.parametrize(
    ("rows", "given"),
    [([], ["--prm", "prm"]), (['{"problem": "p"}'], ["--systems"]), (LABELLED, ["--orm", "prm", "--labelled"])],
    ids=["nothing to measure on", "no systems", "a process model as outcome model"],
)
def test_wrong_use_is_refused_before_anything_is_scored(program, written, out, rows, given) -> None:
    source = [written("in.jsonl", *rows)] if rows else []
    ended = program("evaluate", "report", *given, *source, "-o", out)
    assert ended.exit_code in (1, 2)
    assert program.settings == []
