"""JSONL runs without files or servers: rows in and out, digests, resuming, batches."""

import asyncio
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.cli.jsonl_run import (
    SHOWN_FAILURES,
    Failure,
    Line,
    OutputMismatch,
    RowShape,
    Tally,
    read_lines,
    read_row,
    resume,
    run,
    written_row,
)

SHAPE = RowShape(("problem",), lambda item: None if isinstance(item.get("problem"), str) else "problem must be a text")
INPUT = [json.dumps({"problem": f"p{number}"}).encode() + b"\n" for number in range(1, 7)]


def read(raw: bytes):
    return read_row(Line(1, raw, "d"), SHAPE)


def run_over(lines, *, batch_size=2, concurrency=2, work=None) -> bytes:
    """What a run writes for the rest of the lines."""

    async def echo(items):
        return [{"echo": item["problem"]} for item in items]

    written: list[bytes] = []
    rows = (read_row(line, SHAPE) for line in lines)
    asyncio.run(
        run(rows, work or echo, written.append, lambda *_: None, batch_size=batch_size, concurrency=concurrency)
    )
    return b"".join(written)


def whole() -> bytes:
    return run_over(read_lines(INPUT, "options"))


def test_fields_that_are_sent_are_kept_apart_from_what_is_carried() -> None:
    row = read(b'{"problem": "p", "id": 7, "label": true, "source": null}')
    assert row.item == {"problem": "p"}
    assert row.carried == {"id": 7, "extra": {"label": True}}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"\xff", "invalid_json"),
        (b'{"problem": "p", "x": NaN}', "invalid_json"),
        (b'{"problem": "p", "x": 1e999}', "invalid_json"),
        (b"[" * 200_000, "invalid_json"),
        (b"[1]", "invalid_row"),
        (b'{"problem": 1}', "invalid_row"),
    ],
    ids=["empty", "torn", "no utf-8", "nan", "huge number", "deep", "list", "wrong type"],
)
def test_a_bad_line_is_a_failure(raw, code) -> None:
    assert read(raw).item.code == code


def test_the_message_of_a_bad_line_holds_nothing_of_it() -> None:
    assert "secret" not in read(b'{"secret"').item.message


def test_a_bad_row_keeps_its_id() -> None:
    assert read(b'{"id": "a", "problem": 1}').carried == {"id": "a"}


def test_a_byte_order_mark_is_no_part_of_the_row() -> None:
    assert read(b'\xef\xbb\xbf{"problem": "p"}').item == {"problem": "p"}


def test_a_row_is_one_line_of_ascii_whatever_it_carries() -> None:
    row = read(b'{"problem": "p", "id": "\\ud800\\n\xc3\xa9"}')
    written = written_row(row, {"score": 0.5})
    assert (written.isascii(), written.count(b"\n")) == (True, 1)
    assert json.loads(written) == {"line": 1, "digest": "d", "id": "\ud800\n\u00e9", "result": {"score": 0.5}}


def test_a_failure_stands_in_place_of_the_result() -> None:
    written = json.loads(written_row(read(b""), Failure("c", "m")))
    assert written == {"line": 1, "digest": "d", "error": {"code": "c", "message": "m"}}


def test_lines_count_from_one_and_lose_their_ends() -> None:
    lines = list(read_lines([b"a\r\n", b"b"], ""))
    assert [(line.number, line.raw) for line in lines] == [(1, b"a"), (2, b"b")]


def test_the_digest_depends_on_the_line_and_on_the_options() -> None:
    digests = [next(read_lines([raw], options)).digest for raw, options in [(b"a", "x"), (b"b", "x"), (b"a", "y")]]
    assert len(set(digests)) == 3


def test_the_digest_does_not_depend_on_the_end_of_the_line() -> None:
    assert next(read_lines([b"a\n"], "")).digest == next(read_lines([b"a"], "")).digest


@given(st.integers(0, 6), st.integers(0, 12))
def test_a_run_that_was_cut_anywhere_ends_as_if_it_had_not_been(num_rows, num_torn) -> None:
    rows = whole().splitlines(keepends=True)
    torn = b"".join([*rows[:num_rows], *(row[:num_torn] for row in rows[num_rows : num_rows + 1])])
    output, lines = io.BytesIO(torn), read_lines(INPUT, "options")
    output.seek(0)
    tally = resume(output, lines)
    output.write(run_over(lines))
    assert output.getvalue() == whole()
    assert tally.resumed == num_rows


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda rows: [*rows, rows[-1]], "more rows than the input has lines"),
        (lambda rows: [rows[1], *rows[1:]], "line 1 holds another line's row"),
        (lambda rows: [b"hello\n", *rows], "line 1 is not a row"),
        (lambda _: [b"[1]\n"], "line 1 is not a row"),
        (lambda _: [b"precious"], "line 1 is not a row"),
        (lambda rows: [rows[0].replace(b'"digest": "', b'"digest": "0')], "row 1 was made from another input line"),
    ],
)
def test_another_file_is_refused_and_left_as_it_is(spoil, said) -> None:
    content = b"".join(spoil(whole().splitlines(keepends=True)))
    output = io.BytesIO(content)
    with pytest.raises(OutputMismatch, match=said):
        resume(output, read_lines(INPUT, "options"))
    assert output.getvalue() == content


def test_other_options_are_refused() -> None:
    with pytest.raises(OutputMismatch, match="another input line, model or option"):
        resume(io.BytesIO(whole()), read_lines(INPUT, "other options"))


def test_failures_that_were_there_before_are_counted() -> None:
    lines = [b"bad\n", INPUT[0]]
    output = io.BytesIO(run_over(read_lines(lines, "")))
    tally = resume(output, read_lines(lines, ""))
    assert (tally.rows, tally.resumed, tally.failed) == (2, 2, {"invalid_json": 1})
    assert tally.shown[0][0] == 1


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 5), st.integers(1, 4))
def test_every_line_has_one_row_in_order(good, batch_size, concurrency) -> None:
    lines = [INPUT[0] if is_good else b"bad\n" for is_good in good]
    written = run_over(read_lines(lines, ""), batch_size=batch_size, concurrency=concurrency)
    rows = [json.loads(row) for row in written.splitlines()]
    assert [row["line"] for row in rows] == list(range(1, len(good) + 1))
    assert ["result" in row for row in rows] == good


def test_bad_rows_are_never_sent() -> None:
    sent = []

    async def note(items):
        sent.extend(items)
        return [{} for _ in items]

    run_over(read_lines([b"bad\n", INPUT[0], b"[]\n"], ""), work=note)
    assert sent == [{"problem": "p1"}]


def test_an_error_of_the_work_leaves_whole_batches() -> None:
    async def fail_at_p5(items):
        if any(item["problem"] == "p5" for item in items):
            raise OSError
        return [{} for _ in items]

    written: list[bytes] = []
    rows = (read_row(line, SHAPE) for line in read_lines(INPUT, ""))
    with pytest.raises(OSError):  # noqa: PT011
        asyncio.run(run(rows, fail_at_p5, written.append, lambda *_: None, batch_size=2, concurrency=3))
    assert [block.count(b"\n") for block in written] == [2, 2]


def test_lines_are_read_as_far_as_the_window() -> None:
    read_so_far = []

    async def note(items):
        await asyncio.sleep(0)
        return [{"ahead": len(read_so_far)} for _ in items]

    def endless():
        for number in range(1, 101):
            read_so_far.append(number)
            yield Line(number, INPUT[0], "d")

    rows = [json.loads(row) for row in run_over(endless(), batch_size=5, concurrency=2, work=note).splitlines()]
    assert all(row["result"]["ahead"] <= row["line"] + 10 for row in rows)


def test_the_summary_counts_by_code_and_names_the_first_lines() -> None:
    tally = Tally()
    for number in range(1, 16):
        tally.add(number, Failure("too_long", "m") if number > 2 else None)
    tally.resumed = 5
    summary = tally.summary(2.0)
    assert (summary["succeeded"], summary["failed_by_code"], summary["items_per_s"]) == (2, {"too_long": 13}, 5.0)
    assert [failure["line"] for failure in summary["first_failures"]] == list(range(3, 3 + SHOWN_FAILURES))
