"""How a training run goes: a bar with speed and time left on a terminal, now and then a line anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from surefoot.cli.jsonl_progress import PLAIN_EVERY_S

_SMOOTHING = 0.95
_PERCENT = frozenset({"accuracy", "auroc", "f1"})


Show = Callable[[str, int, int, float], None]
"""Gets after each step a line of text, the tokens done, all tokens, and tokens per second of this run."""


class TokenRateColumn(ProgressColumn):
    """Tokens per second."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.0f} tokens/s")


class ShownTraining:
    """A `Watcher` that writes to `console`."""

    def __init__(self, console: Console, show: Show, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._show, self._clock = console, show, clock
        self._total = self._done = 0
        self._resumed = 0
        self._loss: float | None = None
        self._began = clock()
        self.tokens_per_s = 0.0

    def begun(self, num_tokens: int, num_tokens_done: int) -> None:
        """All tokens of all epochs, and those that a resumed run has done before."""
        self._total, self._done, self._resumed = num_tokens, num_tokens_done, num_tokens_done
        self._began = self._clock()
        if num_tokens_done:
            self._console.print(f"resuming after {num_tokens_done:,} of {num_tokens:,} tokens")

    def stepped(self, epoch: int, num_tokens: int, loss: float) -> None:
        """A step is done."""
        self._done += num_tokens
        self._loss = loss if self._loss is None else _SMOOTHING * self._loss + (1 - _SMOOTHING) * loss
        self.tokens_per_s = (self._done - self._resumed) / max(self._clock() - self._began, 1e-9)
        self._show(f"epoch {epoch + 1}, loss {self._loss:.4f}", self._done, self._total, self.tokens_per_s)

    def validated(self, epoch: int, measures: Mapping[str, float], *, is_best: bool) -> None:
        """An epoch is done; 0 is before training."""
        when = "before training" if epoch == 0 else f"epoch {epoch}"
        self._console.print(f"{when}: {told(measures)}{', the best so far' if is_best and epoch else ''}")


@contextmanager
def shown_training(console: Console, clock: Callable[[], float] = time.monotonic) -> Iterator[ShownTraining]:
    """The watcher of one run."""
    if not console.is_terminal:
        yield ShownTraining(console, _plain(console, clock), clock)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TokenRateColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True, speed_estimate_period=60) as bar:
        task = bar.add_task("loading the model", total=None)
        yield ShownTraining(
            console, lambda text, done, total, _: bar.update(task, description=text, completed=done, total=total)
        )


def told(measures: Mapping[str, float]) -> str:
    """Measures in words: shares in per cent, losses in nats."""
    return ", ".join(
        f"{name.replace('_', ' ')} {f'{value:.1%}' if name in _PERCENT else f'{value:.4f}'}"
        for name, value in measures.items()
    )


def _plain(console: Console, clock: Callable[[], float]) -> Show:
    said = clock()

    def show(text: str, done: int, total: int, tokens_per_s: float) -> None:
        nonlocal said
        now = clock()
        if now - said >= PLAIN_EVERY_S:
            said = now
            rest = f"{tokens_per_s:,.0f} tokens/s, {(total - done) / tokens_per_s:.0f} s left"
            console.print(f"{text}; {done:,} of {total:,} tokens, {rest}")

    return show
