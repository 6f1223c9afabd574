"""Cutting a file for many workers, and putting their answers in order again: pure, no Ray."""

import json
import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from surefoot.cli.bulk_order import OrderedRows
from surefoot.cli.bulk_units import rows_of, units, windows
from surefoot.cli.bulk_worker import WrittenRow
from surefoot.cli.jsonl_run import Failure, read_lines, read_row
from surefoot.cli.score import SCORE_ROW


def lines_of(problems: list[int]) -> list[bytes]:
    return [json.dumps({"problem": str(problem), "steps": ["a"]}).encode() + b"\n" for problem in problems]


def rows(problems: list[int]):
    return [read_row(line, SCORE_ROW) for line in read_lines(lines_of(problems), "")]


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(1, 10))
def test_every_row_is_in_one_unit_and_every_problem_too(problems, size) -> None:
    found = list(units(rows(problems), size))
    assert sorted(row.line.number for unit in found for row in unit) == list(range(1, len(problems) + 1))
    asked = [{row.item["problem"] for row in unit} for unit in found]
    assert sum(map(len, asked)) == len(set(problems))
    assert all(len(unit) <= size or len(about) == 1 for unit, about in zip(found, asked, strict=True))


def test_rows_that_ask_nothing_are_kept_apart_from_each_other() -> None:
    bad = [read_row(line, SCORE_ROW) for line in read_lines([b"{\n", b"\n", b"[]\n"], "")]
    assert [len(unit) for unit in units(bad, 2)] == [2, 1]


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 8), st.integers(1, 12))
def test_windows_give_the_lines_that_the_plain_engine_reads(tmp_path_factory, problems, size, first) -> None:
    path: Path = tmp_path_factory.mktemp("windows") / "in.jsonl"
    path.write_bytes(b"".join(lines_of(problems)))
    read = [row.line for window in windows(path, first, None, size) for row in rows_of(path, window, "o", SCORE_ROW)]
    assert read == list(read_lines(lines_of(problems), "o"))[first - 1 :]


def test_windows_of_chosen_lines_hold_no_others(tmp_path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"".join(lines_of(list(range(9)))).rstrip(b"\n"))
    found = windows(path, 1, [2, 5, 9], 2)
    assert [row.line.number for window in found for row in rows_of(path, window, "", SCORE_ROW)] == [2, 5, 9]
    assert [list(window.numbers) for window in found] == [[2, 5], [9]]


def test_answers_in_any_order_and_again_are_written_once_and_in_order() -> None:
    numbers = [2, 3, 5, 8, 9, 11]
    answers = [WrittenRow(number, b"%d\n" % number, Failure("c", "m") if number == 5 else None) for number in numbers]
    for seed in range(20):
        written, counted = bytearray(), []
        ordered = OrderedRows(
            numbers, written.extend, lambda number, failure, seen=counted: seen.append((number, failure))
        )
        mixed = answers * 2
        random.Random(seed).shuffle(mixed)
        for answer in mixed:
            ordered.add([answer])
        assert ordered.awaited is None
        assert written == b"2\n3\n5\n8\n9\n11\n"
        assert [number for number, failure in counted if failure] == [5]


def test_what_is_not_answered_is_awaited_and_nothing_after_it_is_written() -> None:
    written = bytearray()
    ordered = OrderedRows([1, 2, 3], written.extend, lambda *_: None)
    ordered.add([WrittenRow(1, b"1\n", None), WrittenRow(3, b"3\n", None)])
    assert (written, ordered.awaited) == (b"1\n", 2)
