"""`surefoot evaluate best-of-n` over a fake service: its rows, its files, resuming, and how it fails."""

import csv
import json
from pathlib import Path

import pytest

from surefoot.backends.fake_backend import FakeBackend

POOLS = [
    json.dumps(
        {
            "problem": f"What is {number}+1?",
            "answer": f"{number + 1}",
            "candidates": [f"Adding {index}.\nThe answer is {number + index % 3}." for index in range(6)],
        }
    )
    for number in range(5)
]
FILES = {"scores.jsonl", "report.md", "report.json", "curves.csv", "curves.png", "curves.svg"}


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


def report_of(out: Path) -> dict:
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


def scored(out: Path) -> list[dict]:
    rows = (json.loads(line) for line in (out / "scores.jsonl").read_text(encoding="utf-8").splitlines())
    return [row["result"]["candidates"] for row in rows if "result" in row]


def curve(out: Path, line: str) -> dict[int, float]:
    (found,) = [each for each in report_of(out)["curves"] if each["line"] == line]
    return {point["n"]: point["accuracy"] for point in found["points"]}


def test_the_files_are_there(program, written, out) -> None:
    ended = program("evaluate", "best-of-n", written("in.jsonl", *POOLS), "--out", out)
    assert ended.exit_code == 0, ended.output
    assert {path.name for path in out.iterdir()} == FILES


def test_pass_at_1_and_pass_at_max_come_first(program, written, out) -> None:
    program("evaluate", "best-of-n", written("in.jsonl", *POOLS), "--out", out)
    report = report_of(out)
    assert list(report)[:3] == ["pass_at_1", "pass_at_max", "max_n"]
    assert (report["pass_at_1"], report["pass_at_max"], report["max_n"]) == (pytest.approx(1 / 3), 1, 6)


def test_n_doubles_up_to_the_pool(program, written, out) -> None:
    program("evaluate", "best-of-n", written("in.jsonl", *POOLS), "--out", out)
    assert list(curve(out, "prm_prod")) == [1, 2, 4, 6]


def test_the_whole_pool_is_chosen_from_as_the_server_does(program, written, out) -> None:
    program("evaluate", "best-of-n", written("in.jsonl", *POOLS), "--out", out)
    best = [max(pool, key=lambda candidate: candidate["process"]["min"]) for pool in scored(out)]
    assert curve(out, "prm_min")[6] == sum(candidate["is_right"] for candidate in best) / 5


def test_the_outcome_model_has_a_line_when_it_is_named(program, written, out, tmp_path) -> None:
    source = written("in.jsonl", *POOLS)
    program("evaluate", "best-of-n", source, "--out", out)
    program("evaluate", "best-of-n", source, "--out", tmp_path / "both", "--outcome-model", "orm")
    lines = [[each["line"] for each in report_of(path)["curves"]] for path in (out, tmp_path / "both")]
    assert set(lines[1]) - set(lines[0]) == {"orm"}


def test_the_table_holds_the_points_of_the_report(program, written, out) -> None:
    program("evaluate", "best-of-n", written("in.jsonl", *POOLS), "--out", out)
    with (out / "curves.csv").open(encoding="utf-8") as rows:
        table = {(row["line"], int(row["n"])): float(row["accuracy"]) for row in csv.DictReader(rows)}
    points = {
        (each["line"], point["n"]): pytest.approx(point["accuracy"], abs=1e-6)
        for each in report_of(out)["curves"]
        for point in each["points"]
    }
    assert table == points


def test_equal_runs_write_equal_files(program, written, tmp_path) -> None:
    source = written("in.jsonl", *POOLS)
    for name, size in (("a", "1"), ("b", "5")):
        program("evaluate", "best-of-n", source, "--out", tmp_path / name, "--batch-size", size)
    assert [path.read_bytes() for path in sorted((tmp_path / "a").iterdir())] == [
        path.read_bytes() for path in sorted((tmp_path / "b").iterdir())
    ]


def test_a_resumed_run_scores_only_what_is_missing(program, written, out) -> None:
    source = written("in.jsonl", *POOLS)
    program("evaluate", "best-of-n", source, "--out", out)
    whole = {path.name: path.read_bytes() for path in out.iterdir()}
    rows = whole["scores.jsonl"].splitlines(keepends=True)
    (out / "scores.jsonl").write_bytes(b"".join(rows[:4]) + rows[4][:20])
    backend = FakeBackend()
    program.with_parts(backend=backend)("evaluate", "best-of-n", source, "--out", out)
    assert sum(map(len, backend.batches)) == 6
    assert {path.name: path.read_bytes() for path in out.iterdir()} == whole


def test_scores_of_another_model_are_not_gone_on_with(program, written, out) -> None:
    source = written("in.jsonl", *POOLS)
    program("evaluate", "best-of-n", source, "--out", out)
    ended = program("evaluate", "best-of-n", source, "--out", out, "--outcome-model", "orm")
    assert ended.exit_code == 2
    assert "cannot resume" in " ".join(ended.stderr.replace("│", " ").split())


def test_smaller_pools_are_left_out_above_their_size(program, written, out) -> None:
    small = json.dumps({"problem": "p", "answer": "1", "candidates": ["The answer is 1."]})
    program("evaluate", "best-of-n", written("in.jsonl", *POOLS, small), "--out", out, "--max-n", "4")
    report = report_of(out)
    assert (report["pools"], report["smaller_pools_left_out"]) == (5, 1)


def test_given_verdicts_go_before_the_answer(program, written, out) -> None:
    given = [
        {"text": "The answer is 1.", "is_correct": False},
        {"text": "no number", "answer": "5", "is_correct": True},
    ]
    program("evaluate", "best-of-n", written("in.jsonl", json.dumps({"problem": "p", "candidates": given})), "-o", out)
    ((first, second),) = scored(out)
    assert [(each["answer"], each["is_right"]) for each in (first, second)] == [("1", False), ("5", True)]


def test_model_solutions_of_gsm8k_are_read(program, written, out) -> None:
    row = {
        "question": "How many?",
        "ground_truth": "1 + 2 = <<1+2=3>>3\nA: 3",
        "6b_finetuning": {"is_correct": True, "solution": "1 + 2 = <<1+2=3>>3\nA: 3"},
        "175b_finetuning": {"is_correct": False, "solution": "1 + 2 = <<1+2=4>>4\nA: 4"},
    }
    ended = program("evaluate", "best-of-n", written("in.jsonl", json.dumps(row)), "--out", out)
    assert ended.exit_code == 0, ended.output
    assert [each["is_right"] for each in scored(out)[0]] == [True, False]


def test_a_candidate_that_cannot_be_scored_is_counted_and_stays_in_the_pool(program, written, out) -> None:
    row = json.dumps({"problem": "p", "answer": "1", "candidates": ["", "The answer is 1."]})
    ended = program("evaluate", "best-of-n", written("in.jsonl", row), "--out", out)
    assert ended.exit_code == 0, ended.output
    assert report_of(out)["candidates_not_scored"] == {"no_steps": 1}
    assert curve(out, "prm_prod") == {1: 0.5, 2: 1}


WRONG_ROWS = {
    "candidates that are no list": ({"problem": "p", "answer": "1", "candidates": "a"}, "candidates must be a list"),
    "no candidates": ({"problem": "p", "answer": "1", "candidates": []}, "candidates must be a list"),
    "a candidate that is a number": ({"problem": "p", "answer": "1", "candidates": [1]}, "candidates must be texts"),
    "nothing to judge by": ({"problem": "p", "candidates": ["a"]}, "give answer"),
    "a blank problem": ({"problem": " ", "answer": "1", "candidates": ["a"]}, "problem must be"),
    "an answer that is a number": ({"problem": "p", "answer": 1, "candidates": ["a"]}, "answer must be"),
    "a verdict that is a word": (
        {"problem": "p", "candidates": [{"text": "a", "is_correct": "yes"}]},
        "candidates: is_correct must be true or false",
    ),
    "an answer of a candidate that is a number": (
        {"problem": "p", "answer": "1", "candidates": [{"text": "a", "answer": 1}]},
        "candidates: answer must be a text",
    ),
}


@pytest.mark.parametrize(("row", "said"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_a_bad_row_is_named_and_the_others_are_used(program, written, out, row, said) -> None:
    ended = program("evaluate", "best-of-n", written("in.jsonl", POOLS[0], json.dumps(row), POOLS[1]), "--out", out)
    assert ended.exit_code == 1
    assert f"line 2: [invalid_row] {said}" in ended.stderr
    assert (report_of(out)["pools"], report_of(out)["failed_rows"]) == (2, 1)


def test_json_is_the_report(program, written, out) -> None:
    ended = program("evaluate", "best-of-n", written("in.jsonl", *POOLS), "--out", out, "--json")
    assert json.loads(ended.stdout) == report_of(out)


WRONG = {
    "an outcome model as process model": (["--process-model", "orm"], 1, "wrong_model_kind"),
    "a process model as outcome model": (["--outcome-model", "prm"], 1, "wrong_model_kind"),
    "a name that is not served": (["--outcome-model", "nobody"], 1, "model_not_found"),
    "pools that are too small": (["--max-n", "7"], 1, "pools_too_small"),
    "a server that is not there": (["--url", "http://127.0.0.1:1"], 3, "could not be reached"),
}


@pytest.mark.parametrize(("options", "code", "said"), WRONG.values(), ids=WRONG)
def test_wrong_use_is_named(program, written, out, options, code, said) -> None:
    ended = program("evaluate", "best-of-n", written("in.jsonl", *POOLS), "--out", out, *options)
    assert ended.exit_code == code, ended.output
    assert said in ended.stderr


def test_a_file_in_the_place_of_the_directory_is_refused(program, written) -> None:
    source = written("in.jsonl", *POOLS)
    assert program("evaluate", "best-of-n", source, "--out", source).exit_code == 2
