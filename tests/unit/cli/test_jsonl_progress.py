"""Progress and summary of a run over a file, on a terminal and off it."""

import io

from rich.console import Console

from surefoot.cli.jsonl_progress import PLAIN_EVERY_S, show_summary, shown_progress
from surefoot.cli.jsonl_run import SHOWN_FAILURES, Failure, Tally


def shown(*, terminal: bool, num_done: int = 0, total: int | None, step_s: float, rows: int) -> str:
    out = io.StringIO()
    moments = iter(range(1000))
    console = Console(file=out, force_terminal=terminal, width=100)
    with shown_progress(console, num_done, total, lambda: next(moments) * step_s) as advance:
        for _ in range(rows):
            advance()
    return out.getvalue()


def test_off_a_terminal_a_line_comes_now_and_then() -> None:
    said = shown(terminal=False, num_done=40, total=100, step_s=PLAIN_EVERY_S / 2, rows=5)
    assert said.splitlines() == ["42 of 100, 290 s left, 0.2 rows/s", "44 of 100, 280 s left, 0.2 rows/s"]


def test_a_pipe_has_no_end_to_expect() -> None:
    assert shown(terminal=False, total=None, step_s=PLAIN_EVERY_S, rows=1) == "1, 0.1 rows/s\n"


def test_a_short_run_says_nothing_on_the_way() -> None:
    assert shown(terminal=False, total=10, step_s=0.01, rows=10) == ""


def test_a_terminal_has_a_bar_that_counts() -> None:
    assert "3/10" in shown(terminal=True, total=10, step_s=0.01, rows=3)


def test_the_summary_names_lines_as_they_are_and_counts_the_rest() -> None:
    tally = Tally()
    for number in range(1, SHOWN_FAILURES + 4):
        tally.add(number, Failure("bad", "[red] is no markup"))
    out = io.StringIO()
    show_summary(Console(file=out, width=100), tally.summary(1.0))
    assert "line 1: [bad] [red] is no markup" in out.getvalue()
    assert "and 3 more" in out.getvalue()
