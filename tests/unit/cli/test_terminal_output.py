"""What verbs print: for a person on a terminal, as plain lines for other programs, and never what a text commands."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.cli.consoles import harmless, one_line
from surefoot.cli.show import level
from surefoot.domain import Scale

PROBLEM = "What is 2 + 3?"
HOSTILE = "[red]x[/red] :smile: \x1b[31mred\x1b]0;title\x07 \x9b2J \u202eback\nline\r\n[link=http://h]"
LITERAL = "[red]x[/red] :smile: \\x1b[31mred\\x1b]0;title\\x07 \\x9b2J \\u202eback line [link=http://h]"
STYLE = re.compile(r"\x1b\[[0-9;]*m")
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7])m")


@pytest.fixture
def on_a_terminal(monkeypatch) -> None:
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "80", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def rows(written) -> Path:
    steps = ["2 + 3 = 6", HOSTILE]
    return written("in.jsonl", json.dumps({"id": "a", "problem": PROBLEM, "steps": steps}), "{", json.dumps({"x": 1}))


def fields(stdout: str) -> list[list[str]]:
    return [line.split("\t") for line in stdout.splitlines()]


def test_without_a_terminal_every_line_says_what_it_is(program) -> None:
    ended = program("solve", PROBLEM, "-n", "2", "--strategy", "process_weighted")
    assert ended.exit_code == 0, ended.output
    found = fields(ended.stdout)
    assert found[0] == ["problem", PROBLEM]
    assert {line[0] for line in found} <= {"problem", "candidate", "step", "text", "vote", "pick", "notice"}
    assert [line[1] for line in found if line[0] == "candidate"] == ["1", "2"]
    assert len([line for line in found if line[0] == "pick"]) == 1
    assert "\x1b" not in ended.stdout


def test_plain_lines_hold_the_numbers_of_the_answer(program, rows) -> None:
    shown, as_json = program("score", rows), program("score", rows, "--json")
    [first, *_] = [json.loads(line) for line in as_json.stdout.splitlines()]
    found = [line for line in fields(shown.stdout) if line[0] in ("solution", "step")]
    error = first["result"]["first_error"]
    assert found[0] == ["solution", "1", "a", f"{first['result']['score']:.4f}", "-" if error is None else str(error)]
    assert [line[3] for line in found[1:]] == [f"{step['score']:.4f}" for step in first["result"]["steps"]]
    assert [line[4] for line in found[1:]] == ["first_error" if place == error else "-" for place in (0, 1)]


def test_a_bad_row_is_a_line_of_its_own(program, rows) -> None:
    ended = program("score", rows)
    assert ended.exit_code == 1
    assert [line[:3] for line in fields(ended.stdout)][-2:] == [
        ["error", "2", "invalid_json"],
        ["error", "3", "invalid_row"],
    ]


def test_rows_for_a_script_are_rows_alone(program, rows) -> None:
    ended = program("score", rows, "--json")
    assert [json.loads(line)["line"] for line in ended.stdout.splitlines()] == [1, 2, 3]
    assert "failed" in ended.stderr


def test_best_of_n_tells_which_line_it_is_about(program, written) -> None:
    source = written("in.jsonl", json.dumps({"id": "q", "problem": PROBLEM}), "{")
    found = fields(program("best-of-n", source, "-n", "2").stdout)
    assert found[0] == ["line", "1", "q"]
    assert [line[0] for line in found].count("pick") == 1
    assert found[-1][:3] == ["error", "2", "invalid_json"]


@pytest.mark.parametrize("arguments", [["settings"], ["models"], ["models", "inspect", "."]], ids=" ".join)
def test_no_verb_colours_or_wraps_what_goes_into_a_pipe(program, arguments) -> None:
    shown = program(*arguments).stdout
    assert "\x1b" not in shown
    if arguments == ["settings"]:
        settings = {line.split()[0]: line for line in shown.splitlines()[1:]}
        assert len(settings) == len(shown.splitlines()) - 1
        assert settings["max_input_tokens"].rstrip().endswith("never cut.")
        assert "models[].candidates[].label" in settings


def test_a_terminal_gets_colours_marks_and_a_table(program, on_a_terminal) -> None:
    shown = program("solve", PROBLEM, "-n", "2").stdout
    assert COLOUR.search(shown)
    text = STYLE.sub("", shown)
    assert "◀ pick" in text
    assert re.search(r"candidate +score +steps +first error +answer", text)
    assert re.search(r"[✓~✗·] +[01]\.\d\d ", text)
    assert max(map(len, text.splitlines())) <= 120


def test_no_color_leaves_marks_and_numbers(program, on_a_terminal, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = program("solve", PROBLEM, "-n", "2").stdout
    assert not COLOUR.search(shown)
    assert re.search(r"[✓~✗·] +[01]\.\d\d ", STYLE.sub("", shown))


def test_a_picture_has_its_colours_all_the_same(program, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    path = tmp_path / "solve.svg"
    assert program("solve", PROBLEM, "-n", "1", "--svg", path).exit_code == 0
    drawn = path.read_text(encoding="utf-8")
    assert "fill: #" in drawn
    assert "@font-face" not in drawn


def test_json_is_json_on_a_terminal_too(program, on_a_terminal) -> None:
    assert json.loads(program("solve", PROBLEM, "-n", "2", "--json").stdout)["candidates"]


@pytest.mark.parametrize("arguments", [["solve", HOSTILE, "-n", "1"], ["score", "in.jsonl"]], ids=["solve", "score"])
@pytest.mark.parametrize("terminal", [False, True])
def test_a_text_is_shown_and_not_obeyed(program, rows, request, monkeypatch, arguments, terminal) -> None:
    monkeypatch.chdir(rows.parent)
    if terminal:
        request.getfixturevalue("on_a_terminal")
    shown = STYLE.sub("", program(*arguments).stdout) if terminal else program(*arguments).stdout
    assert " ".join(LITERAL.split()) in " ".join(shown.split())
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)


def test_json_spells_controls_out_and_keeps_the_text(program) -> None:
    ended = program("solve", HOSTILE, "-n", "1", "--json")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", ended.stdout)
    assert json.loads(ended.stdout)


def test_an_error_that_a_server_wrote_is_harmless_too(program) -> None:
    ended = program("score", "absent\x1b[2J.jsonl")
    assert "\x1b[2J" not in ended.stderr


@given(st.text())
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", harmless(text))
    assert len(one_line(text).splitlines()) <= 1
    assert len(one_line(text, 10)) <= 10


@given(st.text(st.characters(categories=("L", "N", "P", "S"))))
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("score", "scale", "reached"),
    [
        (0.9, "probability", "good"),
        (0.5, "probability", "doubtful"),
        (0.1, "probability", "bad"),
        (0.5, "signed", "good"),
        (-0.5, "signed", "bad"),
        (0.9, "unbounded", "unknown"),
    ],
)
def test_a_colour_means_the_same_on_every_scale(score: float, scale: Scale, reached: str) -> None:
    assert level(score, scale) == reached
