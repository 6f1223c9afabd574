"""`--json`: one document on standard output and nothing else, of a failure too; exit codes; the line for a person."""

import json

import pytest

from surefoot.backends.fake_backend import FakeBackend
from surefoot.cli.failures import EXIT_CODES, exit_code, explain, wants_json
from surefoot.cli.reference import all_commands
from surefoot.errors import CheckpointMissing, NotReady, PortInUse
from surefoot_client import ConnectionFailed, ItemsFailed, QueueFull

NOWHERE = "http://127.0.0.1:1"
ROW = json.dumps({"problem": "p", "steps": ["a"]})


def test_every_verb_that_prints_takes_it() -> None:
    silent = {"surefoot", "surefoot serve", "surefoot evaluate", "surefoot train", "surefoot keys"}
    with_json = {
        words for words, command in all_commands() if any("--json" in parameter.opts for parameter in command.params)
    }
    assert with_json == {words for words, _ in all_commands()} - silent


@pytest.mark.parametrize(
    "arguments",
    [["models"], ["settings"], ["solve", "What is 2 + 3?", "-n", "2"]],
    ids=["models", "settings", "solve"],
)
def test_standard_output_is_one_document(program, arguments) -> None:
    ended = program(*arguments, "--json")
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout)


UNREACHABLE = {
    "solve": ["solve", "What is 2 + 3?"],
    "models": ["models"],
    "score": ["score", "in.jsonl", "-o", "out.jsonl"],
    "best-of-n": ["best-of-n", "in.jsonl", "-o", "out.jsonl"],
}


@pytest.fixture
def in_directory(written, tmp_path, monkeypatch) -> None:
    written("in.jsonl", ROW)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("arguments", UNREACHABLE.values(), ids=UNREACHABLE)
def test_a_failure_is_an_object_for_a_script(program, in_directory, arguments) -> None:
    ended = program(*arguments, "--json", "--url", NOWHERE)
    error = json.loads(ended.stdout)["error"]
    assert (ended.exit_code, error["code"]) == (3, "connection_failed")
    assert set(error) == {"code", "message", "param"}


@pytest.mark.parametrize("arguments", UNREACHABLE.values(), ids=UNREACHABLE)
def test_a_failure_is_one_line_for_a_person(program, in_directory, arguments) -> None:
    ended = program(*arguments, "--url", NOWHERE)
    assert ended.stdout == ""
    assert ended.stderr.startswith("surefoot: [connection_failed] ")
    assert len(ended.stderr.splitlines()) == 1


def test_the_person_is_told_beside_the_script(program) -> None:
    assert program("models", "--json", "--url", NOWHERE).stderr.startswith("surefoot: [connection_failed] ")


@pytest.mark.parametrize(
    ("arguments", "param"),
    [
        (["solve", "p", "-n", "0"], "-n"),
        (["solve", "p", "--strategy", "best"], "--strategy"),
        (["solve", "p", "--svg", "none/there.svg"], "--svg"),
        (["score", "absent.jsonl", "-o", "out.jsonl"], "IN.jsonl"),
        (["solve", "p", "--no-such"], "--no-such"),
        (["no-such-verb"], None),
        (["models", "prepare", "more"], None),
    ],
)
def test_wrong_usage_is_an_object_too(program, arguments, param) -> None:
    ended = program(*arguments, "--json")
    error = json.loads(ended.stdout)["error"]
    assert (ended.exit_code, error["code"], error["param"]) == (2, "usage_error", param)


def test_wrong_settings_name_theirs(program, tmp_path) -> None:
    (tmp_path / "bad.toml").write_text("[scheduler]\nmax_batch_tokenz = 5\n")
    ended = program("settings", "--json", "-c", tmp_path / "bad.toml")
    error = json.loads(ended.stdout)["error"]
    assert (ended.exit_code, error["code"]) == (2, "settings_invalid")
    assert "scheduler.max_batch_tokenz" in error["message"]


def test_options_of_a_group_do_not_get_lost(program) -> None:
    assert program("models", "--json", "prepare").exit_code == 2


@pytest.mark.parametrize(("options", "read"), [([], str.strip), (["--json"], lambda said: json.loads(said)["path"])])
def test_where_the_base_model_is_can_be_read_either_way(program, tmp_path, monkeypatch, options, read) -> None:
    monkeypatch.setattr("surefoot.cli.models.prepare_embedded", lambda _: tmp_path)
    assert read(program("models", "prepare", *options).stdout) == str(tmp_path)


def test_a_disk_that_refuses_is_said_with_what_is_kept(program, written, tmp_path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("surefoot.cli.jsonl_command.resume", full)
    ended = program("score", written("in.jsonl", ROW), "-o", tmp_path / "out.jsonl", "--json")
    assert json.loads(ended.stdout)["error"]["code"] == "file_failed"
    assert "goes on from there" in ended.stderr


def test_what_was_not_foreseen_keeps_its_traceback(program) -> None:
    class Broken(FakeBackend):
        def close(self) -> None:
            raise ZeroDivisionError

    ended = program.with_parts(backend=Broken())("solve", "What is 2 + 3?", "-n", "1")
    assert isinstance(ended.exception, ZeroDivisionError)


def test_after_two_dashes_it_is_a_text() -> None:
    assert wants_json(["solve", "--json", "p"])
    assert not wants_json(["solve", "--", "--json"])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotReady("m"), 1),
        (QueueFull("m"), 1),
        (PortInUse("m"), 2),
        (CheckpointMissing("m"), 2),
        (ConnectionFailed("m"), 3),
    ],
)
def test_exit_codes_tell_who_is_to_act(error, code) -> None:
    assert exit_code(error) == code
    assert code in EXIT_CODES


def test_an_error_without_a_code_of_its_own_is_named() -> None:
    assert explain(ItemsFailed("2 items failed")) == "surefoot: [items_failed] 2 items failed"
