"""`surefoot evaluate first-error` over a fake service: its files, its thresholds, and how it fails."""

import json
from pathlib import Path

import pytest

from surefoot.backends.fake_backend import FakeBackend
from surefoot.profiles import load_profile

ROWS = [
    json.dumps({"problem": f"What is {number}+1?", "steps": ["one", "two"], "first_error": [None, 0, 1][number % 3]})
    for number in range(24)
]
FILES = {"scores.jsonl", "report.md", "report.json", "measures.csv", "confusion.csv", "confusion.png", "confusion.svg"}


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


def report_of(out: Path) -> dict:
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


def test_the_files_are_there(program, written, out) -> None:
    ended = program("evaluate", "first-error", written("in.jsonl", *ROWS), "--out", out)
    assert ended.exit_code == 0, ended.output
    assert {path.name for path in out.iterdir()} == FILES


def test_everything_labelled_is_measured(program, written, out) -> None:
    program("evaluate", "first-error", written("in.jsonl", *ROWS), "--out", out)
    report = report_of(out)
    counted = ("num_solutions", "num_judged_solutions", "num_erroneous_solutions", "num_steps")
    assert [report[name] for name in counted] == [24, 24, 16, 8 * (2 + 1 + 2)]


@pytest.mark.parametrize(("options", "thresholds"), [([], []), (["--threshold", "0.9"], [0.9])])
def test_the_profiles_threshold_is_measured_and_the_given_one_too(program, written, out, options, thresholds) -> None:
    program("evaluate", "first-error", written("in.jsonl", *ROWS), "--out", out, *options)
    own = load_profile("embedded-prm").threshold
    assert [at["threshold"] for at in report_of(out)["at"]] == [own, *thresholds]


def test_the_profiles_threshold_is_measured_once(program, written, out) -> None:
    own = str(load_profile("embedded-prm").threshold)
    program("evaluate", "first-error", written("in.jsonl", *ROWS), "--out", out, "--threshold", own)
    assert len(report_of(out)["at"]) == 1


def test_the_server_finds_the_same_first_errors(program, written, out, tmp_path) -> None:
    source = written("in.jsonl", *ROWS)
    program("evaluate", "first-error", source, "--out", out, "--threshold", "0.7")
    program("score", source, "-o", tmp_path / "scored.jsonl", "--threshold", "0.7")
    rows = (json.loads(line) for line in (tmp_path / "scored.jsonl").read_text(encoding="utf-8").splitlines())
    found = [row["result"]["first_error"] for row in rows]
    wanted = [sum(place == index for place in found) for index in (0, 1, None)]
    confusion = report_of(out)["at"][1]["confusion"]
    assert [sum(row[column] for row in confusion) for column in range(3)] == wanted


def test_equal_runs_write_equal_files(program, written, tmp_path) -> None:
    source = written("in.jsonl", *ROWS)
    for name, size in (("a", "5"), ("b", "32")):
        program("evaluate", "first-error", source, "--out", tmp_path / name, "--batch-size", size)
    assert [path.read_bytes() for path in sorted((tmp_path / "a").iterdir())] == [
        path.read_bytes() for path in sorted((tmp_path / "b").iterdir())
    ]


def test_a_resumed_run_scores_only_what_is_missing(program, written, out) -> None:
    source = written("in.jsonl", *ROWS)
    program("evaluate", "first-error", source, "--out", out)
    whole = {path.name: path.read_bytes() for path in out.iterdir()}
    rows = whole["scores.jsonl"].splitlines(keepends=True)
    (out / "scores.jsonl").write_bytes(b"".join(rows[:20]) + rows[20][:30])
    backend = FakeBackend()
    program.with_parts(backend=backend)("evaluate", "first-error", source, "--out", out)
    assert sum(map(len, backend.batches)) == 4
    assert {path.name: path.read_bytes() for path in out.iterdir()} == whole


def test_scores_of_other_rows_are_begun_again_only_when_that_is_asked_for(program, written, out) -> None:
    program("evaluate", "first-error", written("in.jsonl", *ROWS), "--out", out)
    other = written("other.jsonl", *ROWS[3:])
    codes = [
        program("evaluate", "first-error", other, "--out", out, *options).exit_code for options in ([], ["--overwrite"])
    ]
    assert (codes, report_of(out)["rows"]) == ([2, 0], 21)


def test_json_is_the_report(program, written, out) -> None:
    ended = program("evaluate", "first-error", written("in.jsonl", *ROWS), "--out", out, "--json")
    assert json.loads(ended.stdout) == report_of(out)


def test_a_bad_row_is_named_and_the_others_are_used(program, written, out) -> None:
    ended = program("evaluate", "first-error", written("in.jsonl", *ROWS, '{"problem": "p"}'), "--out", out)
    assert ended.exit_code == 1
    assert "line 25: [invalid_row]" in ended.stderr
    assert (report_of(out)["rows"], report_of(out)["failed_rows"]) == (25, 1)


def test_labels_of_one_side_end_with_their_error(program, written, out) -> None:
    ended = program("evaluate", "first-error", written("in.jsonl", *ROWS[::3]), "--out", out, "--json")
    assert (ended.exit_code, json.loads(ended.stdout)["error"]["code"]) == (1, "labels_degenerate")
    assert {path.name for path in out.iterdir()} == {"scores.jsonl"}


def test_an_outcome_model_is_refused(program, written, out) -> None:
    ended = program("evaluate", "first-error", written("in.jsonl", *ROWS), "--out", out, "--name", "orm")
    assert ended.exit_code == 1
    assert "process model" in ended.stderr


@pytest.mark.parametrize("broken", ["source", "out"])
def test_files_that_cannot_be_are_refused_before_the_work(program, written, tmp_path, broken) -> None:
    source = written("in.jsonl", *ROWS)
    paths = {"source": tmp_path / "nothing.jsonl", "out": tmp_path / "out"} if broken == "source" else {}
    ended = program("evaluate", "first-error", paths.get("source", source), "--out", paths.get("out", source))
    assert ended.exit_code == 2
    assert program.settings == []
