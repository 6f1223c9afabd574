"""What the rounds of a loop choose, learn from, leave and say."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from loop_rows import POOL, PROBLEMS, VALIDATION, chosen_in, lines_of, row
from surefoot.backends.fake_backend import FakeBackend
from surefoot.cli.main import app
from surefoot.sampling.fake_sampler import FakeSampler
from surefoot.wiring import build_service


def test_every_round_is_measured_against_its_labels(loop, tmp_path) -> None:
    ended = loop("out")
    assert ended.exit_code == 0, ended.output
    rounds = lines_of(tmp_path / "out/rounds.jsonl")
    assert [(each["round"], each["num_labels"]) for each in rounds] == [(1, 4), (2, 8)]
    assert all({"loss", "auroc", "f1"} <= each["measures"].keys() for each in rounds)


def test_a_loop_leaves_report_and_plot(loop, tmp_path) -> None:
    loop("out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"loop.json", "rounds.jsonl", "report.md", "report.json", "labels.png", "labels.svg"} <= names


def test_line_separators_within_a_solution_end_no_row(loop, tmp_path, file) -> None:
    rows = [row(number, steps=[f"{number}\u2028+0", f"{number}\u0085+1"]) for number in range(8)]
    ended = loop("out", source=("--pool", file("odd.jsonl", rows), "--labeller", "reference"))
    assert ended.exit_code == 0, ended.output
    assert lines_of(tmp_path / "out/rounds.jsonl")[-1]["num_labels"] == 8


def test_no_solution_is_chosen_twice(loop, tmp_path) -> None:
    loop("out", "--rounds", "3")
    chosen = chosen_in(tmp_path / "out")
    assert len(chosen) == len(set(chosen)) == 12


def test_what_the_seed_rows_have_is_not_chosen(loop, tmp_path, file) -> None:
    loop("out", "--seed-rows", file("seed.jsonl", POOL[:36]), "--rounds", "1")
    rows = lines_of(tmp_path / "out/round-1/rows.jsonl")
    assert sorted(each["problem"] for each in rows) == ["Add 36", "Add 37", "Add 38", "Add 39"]
    assert len(lines_of(tmp_path / "out/round-1/train.jsonl")) == 40


def test_the_convincing_choice_is_of_wrong_answers_with_the_highest_scores(loop, tmp_path) -> None:
    loop("out", "--rounds", "1")
    out = tmp_path / "out/round-1"
    scores = [each["score"] for each in lines_of(out / "scores.jsonl")]
    wrong = sorted((score for score, each in zip(scores, POOL, strict=True) if not each["is_correct"]), reverse=True)
    chosen = lines_of(out / "chosen.jsonl")
    assert [each["score"] for each in chosen if each["reason"] == "convincing_wrong_answer"] == wrong[:3]
    assert [each["reason"] for each in chosen][3:] == ["most_convincing_of_the_rest"]


def test_a_uniform_choice_asks_no_model(loop, program, tmp_path) -> None:
    assert loop("out", "--choose", "uniform").exit_code == 0
    assert program.settings == []
    assert len(chosen_in(tmp_path / "out")) == 8


def test_the_second_round_is_scored_by_the_first_ones_model(loop, program, tmp_path) -> None:
    loop("out")
    adapters = [settings.models[0].adapter for settings in program.settings]
    assert adapters == ["embedded", str(tmp_path / "out/round-1/adapter")]


def test_both_choices_are_compared_at_equal_labels(loop, tmp_path) -> None:
    ended = loop("out", "--compare-uniform", "--json")
    report = json.loads(ended.stdout)
    numbers = {how: [each["num_labels"] for each in rounds] for how, rounds in report["rounds"].items()}
    assert numbers == {"convincing": [4, 8], "uniform": [4, 8]}
    assert report["data_efficiency"].keys() == {"f1", "auroc", "loss"}


def test_excluded_problems_are_never_trained_on(loop, tmp_path, file) -> None:
    problems = ["How many red apples are in 3 bags?", "Tom walks 4 miles each day of a week."]
    pool = [row(number, problem=problems[number % 2], steps=[f"{number}", "so"]) for number in range(12)]
    source = ("--pool", file("pool.jsonl", pool), "--labeller", "reference")
    excluded = file("test.jsonl", [{"problem": "How many red apples are in 8 bags?"}])
    assert loop("out", "--exclude", excluded, source=source).exit_code == 0
    assert {each["problem"] for each in lines_of(tmp_path / "out/round-1/train.jsonl")} == {problems[1]}


def test_the_problems_that_are_validated_on_are_never_trained_on(loop, tmp_path, file) -> None:
    source = ("--pool", file("pool.jsonl", [*VALIDATION, *POOL[:3]]), "--labeller", "reference")
    assert loop("out", "--rounds", "1", source=source).exit_code == 0
    trained = {each["problem"] for each in lines_of(tmp_path / "out/round-1/train.jsonl")}
    assert trained == {"Add 0", "Add 1", "Add 2"}


def test_a_loop_ends_when_nothing_is_left(loop, tmp_path, file) -> None:
    source = ("--pool", file("pool.jsonl", POOL[:5]), "--labeller", "reference")
    ended = loop("out", "--rounds", "4", source=source)
    assert ended.exit_code == 0
    assert [each["num_labels"] for each in lines_of(tmp_path / "out/rounds.jsonl")] == [4, 5]
    assert "nothing is left" in ended.stderr


def test_solutions_are_sampled_and_labelled_by_rules(loop, tmp_path, file) -> None:
    ended = loop("out", "-n", "3", source=("--problems", file("problems.jsonl", PROBLEMS)))
    assert ended.exit_code == 0, ended.output
    samples = lines_of(tmp_path / "out/samples/round-2.jsonl")
    assert [len(each["solutions"]) for each in samples] == [3] * 6
    labels = {tuple(each["labels"]) for each in lines_of(tmp_path / "out/round-1/rows.jsonl")}
    assert labels <= {(1, 1), (0, None)}


def test_each_round_and_problem_is_sampled_with_its_own_seed(loop, program, file) -> None:
    sampler = FakeSampler(["2 + 3 = 5\nThe answer is 5.", "2 + 3 = 6\nThe answer is 6."])
    source = ("--problems", file("problems.jsonl", PROBLEMS))
    loop("out", "--choose", "uniform", source=source, using=program.with_parts(sampler=sampler))
    assert len({options.seed for options in sampler.options}) == 12


def test_a_failure_that_may_pass_is_no_missing_score(loop, program, tmp_path) -> None:
    backend = FakeBackend()
    backend.close()
    ended = loop("out", using=program.with_parts(backend=backend))
    assert ended.exit_code == 1
    assert "backend_failed" in ended.stderr
    assert not (tmp_path / "out/round-1/chosen.jsonl").exists()


def test_rollouts_label_what_was_chosen(loop, tmp_path, file) -> None:
    source = ("--problems", file("problems.jsonl", PROBLEMS), "--labeller", "rollouts", "-k", "2")
    ended = loop("out", "-n", "3", "--rounds", "1", source=source)
    assert ended.exit_code == 0, ended.output
    assert all(len(each["soft_labels"]) == 2 for each in lines_of(tmp_path / "out/round-1/rows.jsonl"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--compare-uniform", "--labeller", "hand-off"), "without people"),
        (("--reload", "http://host:1"), "--serve-dir"),
        (("--problems", "none.jsonl"), "or else a pool"),
        (("--exclude", "none.jsonl"), "there is no file"),
    ],
)
def test_what_does_not_go_together_is_refused(loop, options, message: str) -> None:
    ended = loop("out", *options)
    assert ended.exit_code == 2
    assert message in " ".join(ended.stderr.replace("│", " ").split())


@pytest.mark.parametrize(("words", "message"), [(("--rnak", "2"), "rnak"), (("--overwrite",), "the loop's own")])
def test_training_options_are_checked_before_anything_is_done(program, tmp_path, file, words, message: str) -> None:
    given = ("--pool", file("pool.jsonl", POOL), "--validation", file("validation.jsonl", VALIDATION))
    ended = program("train", "loop", "-o", tmp_path / "out", *given, "--", *words)
    assert ended.exit_code == 2
    assert message in " ".join(ended.stderr.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


def test_a_bad_row_of_the_pool_is_named_and_stops_nothing(loop, tmp_path, written) -> None:
    pool = written("pool.jsonl", *map(json.dumps, POOL), '{"problem": "p"}')
    ended = loop("out", "--rounds", "1", source=("--pool", pool, "--labeller", "reference"))
    assert ended.exit_code == 1
    assert "line 41" in ended.stderr
    assert (tmp_path / "out/report.md").is_file()


def test_the_model_of_a_round_scores_the_next_in_the_real_service(tiny, loop, written, tmp_path) -> None:
    config = written(
        "surefoot.toml", "[[models]]", 'name = "prm"', 'profile = "embedded-prm"', f'path = "{tiny("llama")}"'
    )

    def real(*arguments: str | Path) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments], obj=build_service)

    ended = loop("out", "--config", config, using=real)
    assert ended.exit_code == 0, ended.output
    first, second = (
        [each["score"] for each in lines_of(tmp_path / f"out/round-{number}/scores.jsonl")] for number in (1, 2)
    )
    assert (len(first), len(second)) == (40, 36)
    assert not set(first) & set(second)
