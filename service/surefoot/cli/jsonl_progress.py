"""How far a run over a file is: a bar on a terminal, now and then a line anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
from rich.text import Text

from surefoot.cli.consoles import harmless

PLAIN_EVERY_S = 10.0


class RateColumn(ProgressColumn):
    """Rows per second of this run."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.1f} rows/s")


@contextmanager
def shown_progress(
    console: Console, num_done: int, total: int | None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[], None]]:
    """Gives what is to be called after each row; `num_done` rows were there before, `total` is unknown for a pipe."""
    if not console.is_terminal:
        yield _plain(console, num_done, total, clock)
        return
    columns = (BarColumn(), MofNCompleteColumn(), RateColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("rows", total=total, completed=num_done)
        yield lambda: bar.advance(task)


def show_summary(console: Console, summary: dict[str, Any]) -> None:
    """The end of a run for a person."""
    resumed = f", {summary['resumed']} of them before" if summary["resumed"] else ""
    retried = f", {summary['retried']} tried again" if summary["retried"] else ""
    said = f"{summary['succeeded']} succeeded, {summary['failed']} failed{resumed}{retried}"
    console.print(f"{said}; {summary['seconds']:.1f} s, {summary['items_per_s']:.1f} rows/s")
    for code, count in summary["failed_by_code"].items():
        console.print(f"  {count} × {code}")
    for failure in summary["first_failures"]:
        said = harmless(f"  line {failure['line']}: [{failure['code']}] {failure['message']}")
        console.print(said, markup=False)
    more = summary["failed"] - len(summary["first_failures"])
    if more > 0:
        console.print(f"  and {more} more, each in its row of the output")


def _plain(console: Console, num_done: int, total: int | None, clock: Callable[[], float]) -> Callable[[], None]:
    started = said = clock()
    done = num_done

    def advance() -> None:
        nonlocal done, said
        done += 1
        now = clock()
        if now - said >= PLAIN_EVERY_S:
            said = now
            rate = (done - num_done) / (now - started)
            rest = "" if total is None else f" of {total}, {(total - done) / rate:.0f} s left"
            console.print(f"{done}{rest}, {rate:.1f} rows/s")

    return advance
