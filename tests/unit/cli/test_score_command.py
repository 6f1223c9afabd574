"""`surefoot score` over a fake service: rows, resuming, bad rows, standard streams, exit codes."""

import json
import os
import signal
from pathlib import Path

import pytest

from surefoot.api.service import Limits
from surefoot.backends.fake_backend import FakeBackend
from surefoot.errors import CheckpointMissing
from surefoot.scheduling.limits import SchedulerLimits

GOOD = [json.dumps({"problem": f"What is {number}+1?", "steps": ["one", "two"]}) for number in range(10)]


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def output(tmp_path) -> Path:
    return tmp_path / "out.jsonl"


def test_every_row_gets_its_result(program, written, output) -> None:
    ended = program("score", written("in.jsonl", *GOOD), "-o", output, "--batch-size", "3")
    assert ended.exit_code == 0, ended.output
    rows = rows_of(output)
    assert [row["line"] for row in rows] == list(range(1, 11))
    assert all(len(row["result"]["steps"]) == 2 and 0 <= row["result"]["score"] <= 1 for row in rows)


def test_the_size_of_batches_changes_no_result(program, written, output, tmp_path) -> None:
    source = written("in.jsonl", *GOOD)
    program("score", source, "-o", output, "--batch-size", "1", "--concurrency", "1")
    program("score", source, "-o", tmp_path / "other.jsonl", "--batch-size", "4")
    scores = [[row["result"]["score"] for row in rows_of(path)] for path in (output, tmp_path / "other.jsonl")]
    assert scores[0] == scores[1]


def test_all_forms_of_an_item_are_scored(program, written, output) -> None:
    conversation = [{"role": "user", "content": "p"}, {"role": "assistant", "content": "one"}]
    forms = [{"problem": "p", "steps": ["a"]}, {"problem": "p", "solution": "a\nb"}, {"messages": conversation}]
    ended = program("score", written("in.jsonl", *map(json.dumps, forms)), "-o", output)
    assert ended.exit_code == 0
    assert [row["result"]["text"] for row in rows_of(output)] == ["a", "a\nb", "one"]


def test_id_and_further_fields_are_carried(program, written, output) -> None:
    row = {"problem": "p", "steps": ["a"], "id": 17, "label": False}
    program("score", written("in.jsonl", json.dumps(row)), "-o", output)
    assert {name: rows_of(output)[0][name] for name in ("id", "extra")} == {"id": 17, "extra": {"label": False}}


def test_the_result_holds_no_place_within_its_request(program, written, output) -> None:
    program("score", written("in.jsonl", GOOD[0]), "-o", output)
    assert not {"index", "id"} & set(rows_of(output)[0]["result"])


BAD = {
    "not json": ("{", "invalid_json"),
    "blank": ("", "invalid_json"),
    "no form": ('{"problem": "p"}', "invalid_row"),
    "two forms": ('{"problem": "p", "steps": ["a"], "messages": []}', "invalid_row"),
    "steps of numbers": ('{"problem": "p", "steps": [1]}', "invalid_row"),
    "a problem of the wrong type": ('{"problem": 1, "solution": "a"}', "invalid_row"),
    "an unknown role": ('{"messages": [{"role": "judge", "content": "a"}]}', "invalid_row"),
    "no assistant's turn": ('{"messages": [{"role": "user", "content": "a"}]}', "invalid_request"),
    "no text": ('{"problem": "", "steps": ["a"]}', "empty_problem"),
    "no steps": ('{"problem": "p", "steps": []}', "no_steps"),
}


@pytest.mark.parametrize(("line", "code"), BAD.values(), ids=BAD)
def test_a_bad_row_fails_alone(program, written, output, line, code) -> None:
    ended = program("score", written("in.jsonl", *GOOD[:3], line, *GOOD[3:6]), "-o", output)
    assert ended.exit_code == 1
    rows = rows_of(output)
    assert ["error" in row for row in rows] == [False, False, False, True, False, False, False]
    assert (rows[3]["line"], rows[3]["error"]["code"]) == (4, code)


def test_a_bad_row_is_named_by_its_line_in_the_summary(program, written, output) -> None:
    ended = program("score", written("in.jsonl", GOOD[0], "{"), "-o", output)
    assert "line 2: [invalid_json]" in ended.stderr


def test_a_refused_row_is_not_named_by_its_place_in_the_request(program, written, output) -> None:
    program("score", written("in.jsonl", *GOOD[:3], BAD["no assistant's turn"][0]), "-o", output)
    assert "items[" not in rows_of(output)[3]["error"]["message"]


def test_the_summary_as_json(program, written, output) -> None:
    ended = program("score", written("in.jsonl", *GOOD, "{"), "-o", output, "--json")
    summary = json.loads(ended.stdout)
    assert (summary["rows"], summary["succeeded"], summary["failed"]) == (11, 10, 1)
    assert summary["failed_by_code"] == {"invalid_json": 1}
    assert summary["first_failures"][0]["line"] == 11
    assert summary["items_per_s"] > 0


def test_a_file_that_was_cut_is_finished_as_if_it_had_not_been(program, written, output) -> None:
    source = written("in.jsonl", *GOOD, "{")
    program("score", source, "-o", output)
    whole = output.read_bytes()
    output.write_bytes(whole[: len(whole) // 2])
    summary = json.loads(program("score", source, "-o", output, "--json").stdout)
    assert output.read_bytes() == whole
    assert (summary["rows"], summary["failed"]) == (11, 1)
    assert 0 < summary["resumed"] < 11


def test_rows_that_are_there_are_not_scored_again(program, written, output) -> None:
    source = written("in.jsonl", *GOOD)
    program("score", source, "-o", output)
    backend = FakeBackend()
    assert program.with_parts(backend=backend)("score", source, "-o", output).exit_code == 0
    assert backend.batches == []


def test_an_input_that_grew_is_continued(program, written, output) -> None:
    program("score", written("in.jsonl", *GOOD[:4]), "-o", output)
    assert program("score", written("in.jsonl", *GOOD), "-o", output).exit_code == 0
    assert len(rows_of(output)) == 10


@pytest.mark.parametrize(
    "change",
    [["--aggregation", "min"], ["--threshold", "0.3"], ["--model", "orm"]],
    ids=["aggregation", "threshold", "model"],
)
def test_other_options_do_not_continue_a_file(program, written, output, change) -> None:
    source = written("in.jsonl", *GOOD)
    program("score", source, "-o", output)
    before = output.read_bytes()
    ended = program("score", source, "-o", output, *change)
    assert ended.exit_code == 2
    assert output.read_bytes() == before


def test_another_input_is_refused_with_what_to_do(program, written, output) -> None:
    program("score", written("in.jsonl", *GOOD), "-o", output)
    ended = program("score", written("in.jsonl", *reversed(GOOD)), "-o", output)
    assert ended.exit_code == 2
    assert "--overwrite" in ended.stderr


def test_overwrite_begins_again(program, written, output) -> None:
    program("score", written("in.jsonl", *GOOD), "-o", output)
    assert program("score", written("in.jsonl", GOOD[3]), "-o", output, "--overwrite").exit_code == 0
    assert len(rows_of(output)) == 1


def test_a_pipe_in_and_a_pipe_out(program) -> None:
    ended = program("score", "-", "-o", "-", stdin="\n".join(GOOD).encode())
    assert ended.exit_code == 0, ended.stderr
    assert [json.loads(line)["line"] for line in ended.stdout.splitlines()] == list(range(1, 11))


def test_an_empty_input_is_done_at_once(program, written, output) -> None:
    assert program("score", written("in.jsonl"), "-o", output).exit_code == 0
    assert output.read_bytes() == b""


@pytest.mark.parametrize(
    "arguments",
    [
        ["in.jsonl", "-o", "-", "--json"],
        ["in.jsonl", "-o", "in.jsonl"],
        ["in.jsonl", "-o", "none/out.jsonl"],
        ["absent.jsonl", "-o", "out.jsonl"],
        ["in.jsonl", "-o", "out.jsonl", "--aggregation", "median"],
        ["in.jsonl", "-o", "out.jsonl", "--priority", "urgent"],
        ["in.jsonl", "-o", "out.jsonl", "--batch-size", "0"],
    ],
)
def test_wrong_usage_starts_nothing(program, written, tmp_path, monkeypatch, arguments) -> None:
    written("in.jsonl", *GOOD)
    monkeypatch.chdir(tmp_path)
    assert program("score", *arguments).exit_code == 2
    assert program.settings == []
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_no_generator_is_made(program, written, output) -> None:
    program("score", written("in.jsonl", GOOD[0]), "-o", output)
    assert [settings.generator.engine for settings in program.settings] == ["none"]


def test_an_unknown_model_fails_the_work_and_no_row(program, written, output) -> None:
    ended = program("score", written("in.jsonl", *GOOD), "-o", output, "--model", "other")
    assert (ended.exit_code, output.read_bytes()) == (1, b"")
    assert "model_not_found" in ended.stderr


def test_a_model_that_cannot_load_is_said(program, written, output) -> None:
    broken = program.with_parts(broken={"prm": CheckpointMissing("there is none")})
    ended = broken("score", written("in.jsonl", *GOOD), "-o", output)
    assert ended.exit_code == 1
    assert not output.exists()


def test_a_server_that_is_not_there_has_its_own_code(program, written, output) -> None:
    ended = program("score", written("in.jsonl", *GOOD), "-o", output, "--url", "http://127.0.0.1:1")
    assert ended.exit_code == 3
    assert not output.exists()


@pytest.mark.parametrize(
    "parts",
    [{"queue": SchedulerLimits(max_queue_items=3)}, {"limits": Limits(max_items=2)}],
    ids=["queue", "items"],
)
def test_a_batch_that_is_too_large_is_halved(program, written, output, parts) -> None:
    ended = program.with_parts(**parts)("score", written("in.jsonl", *GOOD), "-o", output, "--concurrency", "1")
    assert ended.exit_code == 0, ended.output
    assert len(rows_of(output)) == 10


class InterruptingBackend(FakeBackend):
    """Sends this process a SIGINT with its third batch, as Ctrl-C does."""

    def forward(self, batch):
        if len(self.batches) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return super().forward(batch)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_leaves_a_file_to_resume(program, written, output) -> None:
    source = written("in.jsonl", *GOOD)
    one_by_one = ("score", source, "-o", output, "--batch-size", "1", "--concurrency", "1")
    ended = program.with_parts(backend=InterruptingBackend())(*one_by_one)
    assert ended.exit_code == 130
    assert "goes on from there" in ended.stderr
    assert [row["line"] for row in rows_of(output)] == [1, 2]
    assert program(*one_by_one).exit_code == 0
    assert len(rows_of(output)) == 10
