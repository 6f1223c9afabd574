"""`surefoot train data`: its files, what it counts, and how it fails."""

import json
from pathlib import Path

import pytest

from surefoot.cli.failures import FileFailed
from surefoot.cli.row_file import write_files
from surefoot.evaluation.labelled_steps import labelled_steps
from surefoot.training.overlap import ProblemIndex

THINGS = ("apples", "pens", "stamps", "shells", "bricks", "coins", "cards", "roses", "cups", "boats")


def gsm8k(number: int) -> str:
    first, second = 13 + number, 57 + 3 * number
    thing, other = THINGS[number % 10], THINGS[number // 10 % 10]
    places = " ".join(f"{thing}{other}{letter}" for letter in "abcdefgh")
    return json.dumps(
        {
            "question": f"Ann keeps {first} {thing} and {second} {other} at {places}. How many things does Ann keep?",
            "answer": f"Ann keeps {first}+{second}=<<{first}+{second}={first + second}>>{first + second} things.\n"
            f"#### {first + second}",
        }
    )


ROWS = [gsm8k(number) for number in range(60)]
TESTED = [json.loads(gsm8k(number))["question"].replace("Ann keeps 1", "Ann keeps 7") for number in (3, 4)]
EXCLUDED = [json.dumps({"question": question}) for question in TESTED]


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def report_of(out: Path) -> dict:
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


def test_the_files_are_there_and_can_be_read_as_labelled_steps(program, written, out) -> None:
    ended = program("train", "data", "--gsm8k", written("train.jsonl", *ROWS), "-o", out, "--validation", "0.2")
    assert ended.exit_code == 0, ended.output
    assert {path.name for path in out.iterdir()} == {"train.jsonl", "validation.jsonl", "report.json", "report.md"}
    for row in [*rows_of(out / "train.jsonl"), *rows_of(out / "validation.jsonl")]:
        assert labelled_steps(row).steps == tuple(row["steps"])


def test_equal_runs_write_equal_bytes(program, written, tmp_path) -> None:
    source = written("train.jsonl", *ROWS)
    for name in ("a", "b"):
        program("train", "data", "--gsm8k", source, "-o", tmp_path / name, "--seed", "7")
    first, second = ([path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in ("a", "b"))
    assert first == second


def test_no_problem_of_the_test_is_trained_on(program, written, out) -> None:
    source, test = written("train.jsonl", *ROWS), written("test.jsonl", *EXCLUDED)
    program("train", "data", "--gsm8k", source, "--exclude", test, "-o", out, "--per-problem", "3")
    index = ProblemIndex(TESTED)
    rows = [*rows_of(out / "train.jsonl"), *rows_of(out / "validation.jsonl")]
    assert rows
    assert all(index.overlap(row["problem"]) is None for row in rows)
    assert report_of(out)["dropped"]["excluded_problems"] == 2


def test_the_report_is_what_was_written(program, written, out) -> None:
    program("train", "data", "--gsm8k", written("train.jsonl", *ROWS), "-o", out, "--per-problem", "2")
    report = report_of(out)
    for part in ("train", "validation"):
        rows = rows_of(out / f"{part}.jsonl")
        assert report[part]["rows"] == len(rows)
        assert report[part]["by_family"].get("true") == sum(row["family"] == "true" for row in rows)


def test_json_is_the_report_and_nothing_else(program, written, out) -> None:
    ended = program("train", "data", "--gsm8k", written("train.jsonl", *ROWS), "-o", out, "--json")
    assert json.loads(ended.stdout) == report_of(out)


def test_the_report_names_files_without_their_directories(program, written, out, tmp_path) -> None:
    program("train", "data", "--gsm8k", written("train.jsonl", *ROWS), "-o", out)
    assert str(tmp_path) not in (out / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("row_format", ["prm800k", "trl", "math-shepherd"])
def test_what_is_written_in_a_format_is_read_again(program, written, out, tmp_path, row_format) -> None:
    program("train", "data", "--gsm8k", written("train.jsonl", *ROWS), "-o", out, "--format", row_format)
    ended = program("train", "data", "--labelled", out / "train.jsonl", "-o", tmp_path / "again", "--validation", "0")
    assert ended.exit_code == 0, ended.output
    again = rows_of(tmp_path / "again/train.jsonl")
    assert len(again) == len(rows_of(out / "train.jsonl"))
    assert {0, 1} <= {label for row in again for label in row["labels"]}


def test_a_generator_learns_calculations_of_few_steps(program, written, out) -> None:
    options = ("--wording", "calculations", "--max-steps", "2", "--per-problem", "0", "--validation", "0")
    assert program("train", "data", "--gsm8k", written("train.jsonl", *ROWS), "-o", out, *options).exit_code == 0
    assert rows_of(out / "train.jsonl")[0]["steps"] == ["13 + 57 = 70 things.", "The answer is 70."]
    assert "--max-steps 2 --wording calculations" in report_of(out)["command"]


def test_solutions_of_models_are_labelled_by_their_answer(program, written, out) -> None:
    row = {"problem": "What is 2 + 3?", "solutions": ["2 + 3 = 5", "2 + 3 = 6\nThe answer is 6."], "answer": "5"}
    program("train", "data", "--solutions", written("pool.jsonl", json.dumps(row)), "-o", out, "--validation", "0")
    assert [(row["is_correct"], row["labels"]) for row in rows_of(out / "train.jsonl")] == [
        (True, [1]),
        (False, [0, None]),
    ]


BAD_ROWS = ['{"question": "only"}', "not json", "[1]", '{"question": "q", "answer": "no last line"}']


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_a_bad_row_is_named_and_the_others_are_used(program, written, out, bad) -> None:
    ended = program("train", "data", "--gsm8k", written("train.jsonl", *ROWS[:3], bad, *ROWS[3:]), "-o", out)
    assert ended.exit_code == 1
    assert "line 4: [invalid_" in ended.stderr
    assert report_of(out)["failed_rows"] == 1


def test_a_solution_that_cannot_be_followed_is_counted_and_no_failure(program, written, out) -> None:
    odd = json.dumps({"question": "q", "answer": "x = <<x+1=2>>2\n#### 2"})
    ended = program("train", "data", "--gsm8k", written("train.jsonl", *ROWS, odd), "-o", out)
    assert ended.exit_code == 0
    assert sum(report_of(out)["left_out"].values()) == 1


UNUSABLE = {
    "an empty file": ([], []),
    "bad rows alone": (["not json"], []),
    "all problems excluded": (ROWS[:5], ROWS[:5]),
}


@pytest.mark.parametrize(("rows", "excluded"), UNUSABLE.values(), ids=UNUSABLE)
def test_nothing_to_train_on_is_an_error_and_writes_nothing(program, written, out, rows, excluded) -> None:
    options = ["--exclude", written("test.jsonl", *excluded)] if excluded else []
    ended = program("train", "data", "--gsm8k", written("train.jsonl", *rows), *options, "-o", out, "--json")
    assert (ended.exit_code, json.loads(ended.stdout)["error"]["code"]) == (1, "examples_invalid")
    assert not out.exists()


@pytest.mark.parametrize("excluded", [[], ["not json"], [*EXCLUDED, '{"text": "SECRET"}']])
def test_problems_that_cannot_be_read_cannot_be_kept_out(program, written, out, excluded) -> None:
    test = written("test.jsonl", *excluded)
    ended = program("train", "data", "--gsm8k", written("train.jsonl", *ROWS), "--exclude", test, "-o", out)
    assert ended.exit_code == 1
    assert "cannot be kept out of training" in ended.stderr
    assert "SECRET" not in ended.output
    assert not out.exists()


WRONG_USE = {
    "no file at all": [],
    "a file that is not there": ["--gsm8k", "nowhere.jsonl"],
    "a file of the hub without its path": ["--gsm8k", "hub:owner/data"],
    "a conclusion without the answer": ["--gsm8k", "train.jsonl", "--conclusion", "Done."],
    "a conclusion with another field": ["--gsm8k", "train.jsonl", "--conclusion", "{answer} {x}"],
    "a format that nobody knows": ["--gsm8k", "train.jsonl", "--format", "xml"],
    "a share of more than 0.9": ["--gsm8k", "train.jsonl", "--validation", "1"],
}


@pytest.mark.parametrize("options", WRONG_USE.values(), ids=WRONG_USE)
def test_wrong_use_writes_nothing(program, written, out, tmp_path, monkeypatch, options) -> None:
    written("train.jsonl", *ROWS)
    monkeypatch.chdir(tmp_path)
    assert program("train", "data", *options, "-o", out).exit_code in (1, 2)
    assert not out.exists()


def test_a_file_in_the_place_of_the_directory_is_refused(program, written) -> None:
    source = written("train.jsonl", *ROWS)
    assert program("train", "data", "--gsm8k", source, "-o", source).exit_code == 2


def test_a_full_disk_changes_nothing(tmp_path) -> None:
    def full():
        yield "half a "
        raise OSError(28, "No space left on device")

    (tmp_path / "a.txt").write_text("before", encoding="utf-8")
    with pytest.raises(FileFailed, match="No space left"):
        write_files(tmp_path, {"a.txt": ["after"], "b.txt": full()})
    assert [(path.name, path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()] == [("a.txt", "before")]


def test_a_half_read_source_leaves_the_files_of_before(program, written, out) -> None:
    program("train", "data", "--gsm8k", written("train.jsonl", *ROWS), "-o", out)
    before = (out / "train.jsonl").read_bytes()
    assert program("train", "data", "--gsm8k", written("empty.jsonl"), "-o", out).exit_code == 1
    assert (out / "train.jsonl").read_bytes() == before


def test_the_help_shows_a_command_to_begin_with(program) -> None:
    assert "--per-problem 2" in " ".join(program("train", "data", "--help").output.split())
