"""`surefoot train samples` over a fake service: rows, pools, resuming, and how it fails."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from surefoot.domain import Message
from surefoot.sampling.fake_sampler import FakeSampler

TEXTS = ("2 + 3 = 5.\nThe answer is 5.", "2 + 3 = 6.\nThe answer is 6.", "It is 5.", "2 + 3 = 5.\nThe answer is 5.")
PROBLEMS = [
    json.dumps({"problem": "What is 2 + 3?", "answer": "5"}),
    json.dumps({"question": "What is 1 + 4?", "answer": "1 + 4 = <<1+4=5>>5\n#### 5"}),
]
PROBES = 1


@pytest.fixture
def sampler() -> FakeSampler:
    return FakeSampler(TEXTS)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def draw(program, sampler, written, output) -> Callable[..., Result]:
    """Samples four solutions of each problem."""

    def run(*options: str, problems: list[str] = PROBLEMS, preface: tuple[Message, ...] = ()) -> Result:
        serving = program.with_parts(sampler=sampler, preface=preface)
        return serving("train", "samples", written("in.jsonl", *problems), "-o", output, "--n", "4", *options)

    return run


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_each_distinct_solution_is_a_labelled_row(draw, output) -> None:
    ended = draw()
    assert ended.exit_code == 0, ended.output
    rows = rows_of(output)
    assert [(row["id"], row["is_correct"], row["labels"]) for row in rows] == [
        ("in:1:0", True, [1, 1]),
        ("in:1:1", False, [0, None]),
        ("in:1:2", True, [1]),
        ("in:2:0", True, [1, 1]),
        ("in:2:1", False, [0, None]),
        ("in:2:2", True, [1]),
    ]
    assert rows[0]["steps"] == ["2 + 3 = 5.", "The answer is 5."]


def test_rows_can_be_trained_on_as_they_are(draw, output) -> None:
    from surefoot.training.labelled_row import rows_from

    draw("--keep", "correct")
    assert all(row.is_correct and row.answer == "5" for row in rows_from(rows_of(output), "samples"))


def test_conditions_are_joined(draw, output) -> None:
    draw("--keep", "correct", "--keep", "well-formed")
    assert [row["id"] for row in rows_of(output)] == ["in:1:0", "in:2:0"]


def test_the_summary_counts_samples(draw) -> None:
    summary = json.loads(draw("--json", "--keep", "wrong").stdout)
    found = {name: summary[name] for name in ("problems", "drawn", "pass_at_1", "well_formed", "distinct")}
    assert found == {"problems": 2, "drawn": 8, "pass_at_1": 0.75, "well_formed": 0.75, "distinct": 6}
    assert (summary["rows_written"], summary["failed"]) == (2, 0)


def test_a_person_is_told_the_same(draw) -> None:
    assert "6 rows; of 8 samples of 2 problems 75.0% are well-formed, 75.0% correct (pass@1)" in draw().stdout


def test_pools_hold_every_sample_and_can_be_evaluated(draw, program, output, tmp_path) -> None:
    assert draw("--as", "pools").exit_code == 0
    assert [len(row["solutions"]) for row in rows_of(output)] == [4, 4]
    ended = program("evaluate", "best-of-n", output, "--out", tmp_path / "report", "--json")
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout)["pass_at_1"] == pytest.approx(0.75)


def test_pools_are_not_filtered(draw) -> None:
    ended = draw("--as", "pools", "--keep", "correct")
    assert ended.exit_code == 2
    assert "a pool holds every sample" in ended.output


def test_no_reward_model_is_loaded(program, written, output) -> None:
    program("train", "samples", written("in.jsonl", *PROBLEMS), "-o", output)
    assert [settings.models for settings in program.settings] == [[]]


def test_another_choice_draws_nothing_again(draw, sampler, output) -> None:
    draw("--keep", "correct")
    drawn = len(sampler.prompts)
    assert drawn == len(PROBLEMS) + PROBES
    draw("--keep", "wrong")
    assert len(sampler.prompts) == drawn + PROBES
    assert [row["is_correct"] for row in rows_of(output)] == [False, False]


def test_an_interrupted_run_goes_on_and_ends_the_same(draw, sampler, output) -> None:
    draw()
    whole = output.read_bytes()
    drawn = output.with_suffix(".drawn.jsonl")
    lines = drawn.read_bytes().splitlines(keepends=True)
    drawn.write_bytes(lines[0] + lines[1][:20])
    before = len(sampler.prompts)
    assert json.loads(draw("--json").stdout)["resumed"] == 1
    assert len(sampler.prompts) == before + 1 + PROBES
    assert output.read_bytes() == whole


def test_the_only_way_labels_again_without_drawing(program, written, output) -> None:
    sampler = FakeSampler(("1 + 3 = 4.\nThe answer is 4.",))
    serving = program.with_parts(sampler=sampler, preface=())
    given = ("train", "samples", written("in.jsonl", PROBLEMS[1]), "-o", output)
    serving(*given)
    assert [row["labels"] for row in rows_of(output)] == [[None, None]]
    drawn = len(sampler.prompts)
    assert serving(*given, "--only-way").exit_code == 0
    assert len(sampler.prompts) == drawn + PROBES
    assert [row["labels"] for row in rows_of(output)] == [[0, None]]


@pytest.mark.parametrize("changed", [{"seed": 1}, {"temperature": 0.5}, {"max-tokens": 9}])
def test_draws_with_other_options_are_not_gone_on_with(draw, changed: dict) -> None:
    draw()
    ended = draw(*(word for name, value in changed.items() for word in (f"--{name}", str(value))))
    assert ended.exit_code == 2
    assert "cannot resume" in ended.output


def test_draws_after_other_instructions_are_not_gone_on_with(draw) -> None:
    draw()
    assert "cannot resume" in draw(preface=(Message("system", "Be brief."),)).output


def test_each_problem_has_a_seed_of_its_own_that_repeats(draw, sampler) -> None:
    draw("--seed", "3")
    draw("--seed", "3", "--overwrite")
    first, again = ([each.seed for each in sampler.options if each.n == 4][start : start + 2] for start in (0, 2))
    assert sorted(first) == sorted(again)
    assert len(set(first)) == 2


def test_a_bad_row_is_named_and_the_others_are_drawn(draw, output) -> None:
    ended = draw("--json", problems=[PROBLEMS[0], '{"problem": "p"}', PROBLEMS[1]])
    summary = json.loads(ended.stdout)
    assert ended.exit_code == 1
    assert (summary["first_failures"][0]["line"], summary["problems"]) == (2, 2)
    assert {row["id"].split(":")[1] for row in rows_of(output)} == {"1", "3"}


def test_the_output_is_not_the_input(draw, program, written, output) -> None:
    source = written("out.jsonl", *PROBLEMS)
    ended = program("train", "samples", source, "-o", source)
    assert ended.exit_code == 2
    assert source.read_text(encoding="utf-8").splitlines() == PROBLEMS


def test_standard_input_cannot_be_judged_later(program, output) -> None:
    assert program("train", "samples", "-", "-o", output, stdin=b"").exit_code == 2


def test_a_condition_that_does_not_exist_is_refused_with_the_choices(draw) -> None:
    ended = draw("--keep", "nice")
    assert ended.exit_code == 2
    assert "well-formed, correct, wrong, all" in " ".join(ended.output.split())
