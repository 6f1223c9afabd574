"""`surefoot train problems`: the file that it writes, and what `train data` makes of it."""

import json
from pathlib import Path

import pytest

from surefoot.training.word_problems.splits import TEMPLATES


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def problems(program, tmp_path):
    """Makes a file of problems of a split."""

    def make(split: str, count: int, seed: int = 1) -> Path:
        path = tmp_path / f"{split}_{count}_{seed}.jsonl"
        options = ("--split", split, "--count", str(count), "--seed", str(seed))
        ended = program("train", "problems", *options, "-o", path)
        assert ended.exit_code == 0, ended.output
        return path

    return make


def test_rows_are_those_of_gsm8k_with_template_and_number_of_steps(problems) -> None:
    rows = rows_of(problems("train", 40))
    assert len(rows) == 40
    assert {tuple(row) for row in rows} == {("question", "answer", "template", "num_steps")}


@pytest.mark.parametrize("split", TEMPLATES)
def test_a_split_writes_problems_of_its_templates_alone(problems, split) -> None:
    names = {template.name for template in TEMPLATES[split]}
    assert {row["template"] for row in rows_of(problems(split, 200))} <= names


def test_equal_options_write_equal_bytes(program, tmp_path) -> None:
    for name in ("a", "b"):
        program("train", "problems", "--count", "30", "--seed", "7", "-o", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_summary_counts_by_number_of_steps(program, tmp_path) -> None:
    path = tmp_path / "rows.jsonl"
    said = program("train", "problems", "--count", "60", "-o", path).output
    for steps, words in ((1, "1 step"), (2, "2 steps"), (3, "3 steps")):
        assert f"{sum(row['num_steps'] == steps for row in rows_of(path))} of {words}" in said


def test_a_directory_in_its_place_is_refused(program, tmp_path) -> None:
    ended = program("train", "problems", "--count", "5", "-o", tmp_path)
    assert ended.exit_code == 2
    assert "name a file" in ended.output


def test_a_file_that_cannot_be_written_leaves_nothing(program, tmp_path) -> None:
    (tmp_path / "taken").write_text("")
    ended = program("train", "problems", "--count", "5", "-o", tmp_path / "taken" / "rows.jsonl")
    assert ended.exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_training_data_takes_every_problem_though_they_resemble_one_another(program, problems, tmp_path) -> None:
    train, test = problems("train", 150), problems("test", 100)
    options = ("--exclude", test, "--validation", "0", "-o", tmp_path / "data")
    ended = program("train", "data", "--gsm8k", train, *options)
    assert ended.exit_code == 0, ended.output
    rows = rows_of(tmp_path / "data" / "train.jsonl")
    assert {row["problem"] for row in rows} == {row["question"] for row in rows_of(train)}


def test_no_validation_leaves_an_empty_file_and_says_so(program, problems, tmp_path) -> None:
    program("train", "data", "--gsm8k", problems("train", 20), "--validation", "0", "-o", tmp_path / "data")
    assert (tmp_path / "data" / "validation.jsonl").read_bytes() == b""
    assert "## Validation\n\nNo rows.\n" in (tmp_path / "data" / "report.md").read_text(encoding="utf-8")


def test_files_of_problems_can_be_mixed(program, problems, tmp_path) -> None:
    first, second = problems("train", 20, seed=1), problems("train", 30, seed=2)
    out = tmp_path / "data"
    program("train", "data", "--gsm8k", first, "--gsm8k", second, "--validation", "0", "-o", out)
    assert {row["source"] for row in rows_of(out / "train.jsonl")} == {first.stem, second.stem}
