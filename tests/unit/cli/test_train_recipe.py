"""`surefoot train recipe`: the commands it is made of, in what order, and how it goes on."""

import json
import shlex
import subprocess

import pytest

from surefoot.cli import train_recipe
from surefoot.cli.recipe_steps import RecipeOptions, recipe_steps
from surefoot.cli.reference import all_commands

PROBLEM = {"question": "Tom has 3 boxes with 12 pens. How many?", "answer": "3*12=<<3*12=36>>36 pens.\n#### 36"}


@pytest.fixture
def files(tmp_path):
    for name in ("train.jsonl", "test.jsonl"):
        (tmp_path / name).write_text(json.dumps(PROBLEM) + "\n", encoding="utf-8")
    return ("--gsm8k", tmp_path / "train.jsonl", "--test", tmp_path / "test.jsonl", "-o", tmp_path / "models")


@pytest.fixture
def steps_run(monkeypatch):
    """Steps that only leave their mark; those named in `failing` do not, those in `row_failing` exit with 1 too."""

    class Run(list):
        failing = ""
        row_failing = ""

    run = Run()

    def leave_mark(command, **_):
        words = command[3:]
        run.append(words)
        text = shlex.join(words)
        if run.failing and run.failing in text:
            return subprocess.CompletedProcess(command, 3)
        for step in recipe_steps(run.options):
            if list(step.command) == [word for word in words if word != "--resume"]:
                step.makes.parent.mkdir(parents=True, exist_ok=True)
                step.makes.touch()
                if step.unfinished:
                    step.unfinished.unlink(missing_ok=True)
        return subprocess.CompletedProcess(command, int(bool(run.row_failing) and run.row_failing in text))

    monkeypatch.setattr(train_recipe.subprocess, "run", leave_mark)
    return run


@pytest.fixture
def options(files, steps_run):
    steps_run.options = RecipeOptions(files[5], str(files[1]), str(files[3]))
    return steps_run.options


@pytest.mark.parametrize("size", ["trial", "small", "full"])
def test_every_command_is_one_that_the_program_takes(program, files, options, size: str) -> None:
    shown = program("train", "recipe", *files, "--size", size, "--show", "--json")
    assert shown.exit_code == 0, shown.output
    lines = [shlex.split(line) for line in json.loads(shown.stdout)]
    commands = [words[words.index("surefoot") :] for words in lines]
    assert {tuple(words[:3]) for words in commands} >= {
        ("surefoot", "train", role) for role in ("generator", "prm", "orm")
    }
    for step in recipe_steps(options):
        step.makes.parent.mkdir(parents=True, exist_ok=True)
        for name in (step.makes.name, "train.jsonl", "validation.jsonl"):
            (step.makes.parent / name).touch()
    verbs = dict(all_commands())
    for words in commands:
        # The parser alone: unknown options and values out of range are errors before anything runs.
        verbs[" ".join(words[:3])].make_context(words[2], words[3:])


def test_steps_run_in_their_order_and_what_they_make_is_told(program, files, steps_run, options) -> None:
    ended = program("train", "recipe", *files, "--size", "small", "--json")
    assert ended.exit_code == 0, ended.output
    assert steps_run == [list(step.command) for step in recipe_steps(options)]
    assert json.loads(ended.stdout)["prm"] == str(files[5] / "prm")


def test_nothing_of_the_test_problems_is_trained_on(options) -> None:
    for step in recipe_steps(options):
        makes_rows_to_train_on = step.command[:2] == ("train", "data") and step.makes.parent.name in (
            "gsm8k",
            "family",
            "form",
        )
        if makes_rows_to_train_on:
            excluded = [step.command[place + 1] for place, word in enumerate(step.command) if word == "--exclude"]
            assert options.test in excluded
            assert str(options.output / "problems" / "test.jsonl") in excluded
        if step.command[1] in ("prm", "orm", "generator"):
            assert options.test not in step.command


def test_samples_are_those_of_the_new_generator(program, files, steps_run, options) -> None:
    given = {}
    for step in recipe_steps(options):
        if step.command[1] == "samples":
            given |= dict(step.settings)
    assert given["SUREFOOT_GENERATOR__ADAPTER"] == str(options.output / "generator")
    line = next(
        line for line in program("train", "recipe", *files, "--show").stdout.splitlines() if "--only-way" in line
    )
    assert line.startswith("SUREFOOT_GENERATOR__PATH=embedded SUREFOOT_GENERATOR__ADAPTER=")


def test_samples_go_where_a_directory_is(options) -> None:
    """Verbs that make directories make their own; `train samples` writes a file into one that is there."""
    for step in recipe_steps(options):
        if step.command[1] == "samples":
            assert step.makes.parent == options.output


def test_settings_of_a_step_reach_its_process(program, files, options, monkeypatch) -> None:
    seen = {}

    def note(command, *, env, **_):
        seen[command[4]] = env.get("SUREFOOT_GENERATOR__ADAPTER")
        made = next(step.makes for step in recipe_steps(options) if list(step.command) == command[3:])
        made.parent.mkdir(parents=True, exist_ok=True)
        made.touch()
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(train_recipe.subprocess, "run", note)
    assert program("train", "recipe", *files, "--size", "small").exit_code == 0
    assert seen["samples"] == str(options.output / "generator")
    assert seen["prm"] is None


def test_it_goes_on_at_the_step_that_failed(program, files, steps_run, options) -> None:
    steps_run.failing = "train prm"
    ended = program("train", "recipe", *files, "--size", "small")
    assert ended.exit_code == 3
    assert "the same command goes on there" in ended.output
    before, steps_run.failing = len(steps_run), ""
    options.output.joinpath("prm").mkdir()
    next(step for step in recipe_steps(options) if step.command[1] == "prm").unfinished.touch()
    assert program("train", "recipe", *files, "--size", "small").exit_code == 0
    assert steps_run[before][:2] == ["train", "prm"]
    assert steps_run[before][-1] == "--resume"
    assert [words[1] for words in steps_run[before + 1 :]] == ["orm", "samples", "report"]


def test_rows_that_failed_stop_nothing_and_are_told_by_the_exit_code(program, files, steps_run, options) -> None:
    steps_run.row_failing = "train data"
    assert program("train", "recipe", *files, "--size", "small").exit_code == 1
    assert len(steps_run) == len(list(recipe_steps(options)))


def test_a_directory_of_another_recipe_is_refused(program, files, steps_run, options) -> None:
    assert program("train", "recipe", *files, "--size", "small").exit_code == 0
    ended = program("train", "recipe", *files, "--size", "small", "--seed", "2")
    assert ended.exit_code == 2
    assert "name another directory" in ended.output


def test_a_file_that_is_not_there_is_named(program, tmp_path) -> None:
    ended = program("train", "recipe", "--gsm8k", "nowhere.jsonl", "--test", "x", "-o", tmp_path)
    assert ended.exit_code == 2
    assert "nowhere.jsonl" in ended.output
