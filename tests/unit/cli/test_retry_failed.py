"""`--retry-failed`: what failed for a while only is done again, in its place, and nothing can be lost on the way."""

import io
import json
import os
import signal
from pathlib import Path

import pytest

from surefoot.backends.fake_backend import FakeBackend
from surefoot.cli.jsonl_retry import is_retryable, put_in_place
from surefoot_client import ERRORS_BY_CODE

GOOD = [json.dumps({"problem": f"What is {number}+1?", "steps": ["one", "two"]}) for number in range(10)]
ONE_BY_ONE = ("--batch-size", "1", "--concurrency", "1")


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def codes_of(path: Path) -> list[str | None]:
    return [row.get("error", {}).get("code") for row in rows_of(path)]


def failing(*numbers: int) -> FakeBackend:
    """A backend on which the solutions of these lines, counted from 1, fail."""
    backend = FakeBackend()
    guilty = [f"What is {number - 1}+1?".encode() for number in numbers]
    backend.fail_items(
        lambda item: any(text in bytes(t for t in item.rendered.token_ids if t < 256) for text in guilty)
    )
    return backend


@pytest.fixture
def output(tmp_path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def source(written) -> Path:
    return written("in.jsonl", *GOOD[:3], "{", *GOOD[3:])


@pytest.fixture
def with_failures(program, source, output) -> list[dict]:
    """An output whose lines 2, 6 and 9 failed in the backend, and line 4 for what it is."""
    program.with_parts(backend=failing(2, 5, 8))("score", source, "-o", output)
    assert [number for number, code in enumerate(codes_of(output), 1) if code == "backend_failed"] == [2, 6, 9]
    return rows_of(output)


def test_the_file_ends_as_if_nothing_had_failed(program, source, output, with_failures, tmp_path) -> None:
    assert program("score", source, "-o", output, "--retry-failed").exit_code == 1
    program("score", source, "-o", tmp_path / "fresh.jsonl")
    assert output.read_bytes() == (tmp_path / "fresh.jsonl").read_bytes()


def test_only_what_may_pass_is_done_again(program, source, output, with_failures) -> None:
    backend = FakeBackend()
    program.with_parts(backend=backend)("score", source, "-o", output, "--retry-failed")
    assert sum(map(len, backend.batches)) == 3


def test_the_summary_counts_what_was_tried_again(program, source, output, with_failures) -> None:
    summary = json.loads(program("score", source, "-o", output, "--retry-failed", "--json").stdout)
    found = {name: summary[name] for name in ("rows", "resumed", "retried", "failed_by_code")}
    assert found == {"rows": 11, "resumed": 11, "retried": 3, "failed_by_code": {"invalid_json": 1}}


def test_without_it_failures_stay(program, source, output, with_failures) -> None:
    program("score", source, "-o", output)
    assert rows_of(output) == with_failures


def test_what_fails_again_stays_failed_in_its_place(program, source, output, with_failures) -> None:
    program.with_parts(backend=failing(5))("score", source, "-o", output, "--retry-failed")
    assert [number for number, code in enumerate(codes_of(output), 1) if code] == [4, 6]


def test_lines_that_were_never_done_follow(program, source, output, with_failures) -> None:
    whole = output.read_bytes().splitlines(keepends=True)
    output.write_bytes(b"".join(whole[:7]) + whole[7][:20])
    program("score", source, "-o", output, "--retry-failed")
    assert [row["line"] for row in rows_of(output)] == list(range(1, 12))
    assert codes_of(output) == [None] * 3 + ["invalid_json"] + [None] * 7


def test_a_first_run_may_have_it_too(program, source, output) -> None:
    program("score", source, "-o", output, "--retry-failed")
    assert len(rows_of(output)) == 11


class InterruptingBackend(FakeBackend):
    """Sends this process a SIGINT with its second batch, as Ctrl-C does."""

    def forward(self, batch):
        if len(self.batches) == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return super().forward(batch)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_keeps_what_was_done_again(program, source, output, with_failures) -> None:
    interrupted = program.with_parts(backend=InterruptingBackend())
    ended = interrupted("score", source, "-o", output, "--retry-failed", *ONE_BY_ONE)
    assert ended.exit_code == 130
    assert [row["line"] for row in rows_of(output)] == list(range(1, 12))
    assert [number for number, code in enumerate(codes_of(output), 1) if code == "backend_failed"] == [6, 9]
    assert "goes on from there" in ended.stderr


@pytest.mark.usefixtures("interruptible")
def test_nothing_is_left_beside_the_output(program, source, output, with_failures) -> None:
    program.with_parts(backend=InterruptingBackend())("score", source, "-o", output, "--retry-failed", *ONE_BY_ONE)
    assert {path.name for path in output.parent.iterdir()} == {"in.jsonl", "out.jsonl"}


def test_another_input_is_refused_and_nothing_changed(program, written, output, with_failures) -> None:
    ended = program("score", written("in.jsonl", *reversed(GOOD)), "-o", output, "--retry-failed")
    assert ended.exit_code == 2
    assert rows_of(output) == with_failures


@pytest.mark.parametrize(
    "arguments",
    [["in.jsonl", "-o", "out.jsonl", "--overwrite"], ["-", "-o", "out.jsonl"], ["in.jsonl", "-o", "-"]],
    ids=["overwrite", "pipe in", "pipe out"],
)
def test_it_needs_two_files(program, source, output, tmp_path, monkeypatch, arguments) -> None:
    monkeypatch.chdir(tmp_path)
    ended = program("score", *arguments, "--retry-failed")
    assert ended.exit_code == 2
    assert "--retry-failed" in ended.stderr


def test_best_of_n_has_it_too(program, written, output) -> None:
    source = written("in.jsonl", json.dumps({"problem": "What is 2+3?"}))
    program("best-of-n", source, "-o", output, "-n", "2", "--seed", "1")
    [row] = rows_of(output)
    late = {name: value for name, value in row.items() if name != "result"}
    output.write_text(json.dumps({**late, "error": {"code": "deadline_exceeded", "message": "m"}}) + "\n")
    assert program("best-of-n", source, "-o", output, "-n", "2", "--seed", "1", "--retry-failed").exit_code == 0
    assert rows_of(output)[0]["result"]["candidates"] == row["result"]["candidates"]


def test_retryable_is_what_the_api_says() -> None:
    assert is_retryable("deadline_exceeded")
    assert not is_retryable("input_too_long")
    assert not is_retryable("invalid_json")
    assert {code for code in ERRORS_BY_CODE if is_retryable(code)} >= {"backend_failed", "queue_full", "not_ready"}


def replaced(output: Path, numbers: list[int], again: bytes) -> str:
    output.write_bytes(b"1\n2\n3\n4 is to")
    put_in_place(output, numbers, io.BytesIO(again))
    return output.read_text()


def test_rows_take_their_places_and_the_rest_stays(output) -> None:
    assert replaced(output, [1, 3], b"one\nthree\n") == "one\n2\nthree\n4 is to"


def test_a_row_that_is_half_written_takes_no_place(output) -> None:
    assert replaced(output, [1, 3], b"one\nthr") == "one\n2\n3\n4 is to"


def test_a_replacement_that_breaks_off_changes_nothing(output) -> None:
    class Breaking(io.BytesIO):
        def __next__(self) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().__next__()

    output.write_bytes(b"1\n2\n3\n")
    with pytest.raises(OSError, match="Input/output"):
        put_in_place(output, [1, 3], Breaking(b"one\nthree\n"))
    assert output.read_bytes() == b"1\n2\n3\n"
    assert list(output.parent.iterdir()) == [output]


def test_a_link_stays_a_link_and_its_rights_stay(output, tmp_path) -> None:
    link = tmp_path / "link.jsonl"
    link.symlink_to(output)
    output.touch(0o640)
    assert replaced(link, [2], b"two\n") == "1\ntwo\n3\n4 is to"
    assert link.is_symlink()
    assert output.stat().st_mode & 0o777 == 0o640
