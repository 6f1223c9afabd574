"""What the verbs over JSONL files share: their options, opening and resuming files, and how a run ends."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Protocol, cast

import typer
from rich.console import Console

from surefoot.cli.consoles import print_json, progress_console
from surefoot.cli.failures import FileFailed
from surefoot.cli.jsonl_files import ShownRows, num_lines, opened_output, opened_source, seekable
from surefoot.cli.jsonl_progress import show_summary, shown_progress
from surefoot.cli.jsonl_retry import lines_to_retry, retrying
from surefoot.cli.jsonl_run import (
    Failure,
    Line,
    OutputMismatch,
    RowShape,
    Tally,
    Work,
    read_lines,
    read_row,
    resume,
    run,
)
from surefoot.errors import SurefootError
from surefoot_client import AsyncSurefootClient
from surefoot_client import SurefootError as ClientError

SourceArgument = Annotated[Path, typer.Argument(metavar="IN.jsonl", help="Rows; - is standard input.")]
OutputOption = Annotated[
    Path, typer.Option("-o", "--output", metavar="OUT.jsonl", help="Results; - is standard output.")
]
ShownOutputOption = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT.jsonl",
        help="Results; - is standard output. Without it they are shown, with --json as rows.",
    ),
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Begin again instead of resuming OUT.jsonl.")]
RetryOption = Annotated[
    bool,
    typer.Option("--retry-failed", help="First do again the rows of OUT.jsonl whose failure may pass, a deadline say."),
]
UrlOption = Annotated[
    str | None, typer.Option(help="Use a running server instead of running the service in this process.")
]
SummaryOption = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]


@dataclass(frozen=True, slots=True)
class Prepared:
    """How a batch is worked on, and all that results depend on beside the input, models included."""

    work: Work
    depends_on: dict[str, object]


@dataclass(frozen=True, slots=True)
class Stage:
    """Lines of `source` that are to be worked on: all from `first` on, or those of `numbers` (rising).

    Each row goes to `write` as it is to stand in the output, in the order of the lines, and then to `count`.
    """

    source: Path
    options: str
    first: int
    numbers: Sequence[int] | None
    lines: Iterator[Line]
    write: Callable[[bytes], object]
    count: Callable[[int, Failure | None], None]


class Elsewhere(Protocol):
    """Other processes that work on the rows, ready to begin."""

    @property
    def depends_on(self) -> dict[str, object]:
        """All that results depend on beside the input."""

    def run(self, stage: Stage) -> None:
        """Work on all lines of a stage."""


@dataclass(frozen=True, slots=True)
class FileRun:
    """A run over `source` into `output`: by requests of a client, or `elsewhere`."""

    source: Path
    output: Path
    overwrite: bool
    retry_failed: bool
    as_json: bool
    batch_size: int
    concurrency: int
    shape: RowShape
    connect: Callable[[], AbstractAsyncContextManager[AsyncSurefootClient]]
    prepare: Callable[[AsyncSurefootClient], Awaitable[Prepared]]
    show: Callable[[dict[str, Any]], None] | None = None
    """What rows are told with as they come, in place of `output`."""

    elsewhere: Callable[[], AbstractContextManager[Elsewhere]] | None = None
    tally: Tally = field(default_factory=Tally)

    def execute(self) -> None:
        """Run to the end and print the summary; leaves through `typer.Exit` if a row failed."""
        console = progress_console()
        summary = self.complete(console)
        if self.as_json:
            print_json(summary)
        else:
            show_summary(console, summary)
        if summary["failed"]:
            raise typer.Exit(1)

    def complete(self, console: Console) -> dict[str, Any]:
        """Run to the end; its summary, for a caller that goes on with the rows."""
        self._check_files()
        try:
            if self.elsewhere is None:
                seconds = asyncio.run(self._work(console))
            else:
                seconds = self._work_elsewhere(console, self.elsewhere)
        except OutputMismatch as cause:
            raise typer.BadParameter(
                f"cannot resume {self.output}: {cause}; give --overwrite to begin again, or another file",
                param_hint="-o",
            ) from cause
        except (KeyboardInterrupt, SurefootError, ClientError) as error:
            self._note_resuming(error)
            raise
        except OSError as cause:
            failed = FileFailed(f"cannot read or write: {cause.strerror}")
            self._note_resuming(failed)
            raise failed from cause
        return self.tally.summary(seconds)

    async def _work(self, console: Console) -> float:
        """Seconds of the work itself, without loading models."""
        async with self.connect() as client:
            # Never tried again: whether anything answers at all is to be said at once.
            await client.health()
            prepared = await self.prepare(client)
            began = time.monotonic()
            with closing(self._stages(console, prepared.depends_on, self.source)) as stages:
                for stage in stages:
                    await self._run(stage, prepared.work)
            return time.monotonic() - began

    async def _run(self, stage: Stage, work: Work) -> None:
        rows = (read_row(line, self.shape) for line in stage.lines)
        await run(rows, work, stage.write, stage.count, batch_size=self.batch_size, concurrency=self.concurrency)

    def _work_elsewhere(self, console: Console, elsewhere: Callable[[], AbstractContextManager[Elsewhere]]) -> float:
        """`_work` by other processes, which read the input themselves: so it must be a file."""
        with seekable(self.source) as source, elsewhere() as workers:
            began = time.monotonic()
            with closing(self._stages(console, workers.depends_on, source)) as stages:
                for stage in stages:
                    workers.run(stage)
            return time.monotonic() - began

    def _stages(self, console: Console, depends_on: Mapping[str, object], source: Path) -> Generator[Stage, None, None]:
        """What is to be done, each part prepared when the one before it is done; closing it keeps what was written."""
        options = json.dumps(depends_on, sort_keys=True)
        if self.retry_failed and self.output.exists():
            yield from self._failed(console, options)
        yield from self._remaining(console, options, source)

    def _failed(self, console: Console, options: str) -> Iterator[Stage]:
        """The rows that failed for a while only."""
        numbers = lines_to_retry(self.output, self.source, options)
        with (
            retrying(self.output, self.source, options, numbers) as (lines, write),
            shown_progress(console, 0, len(numbers)) as advance,
        ):
            yield Stage(self.source, options, 1, numbers, lines, write, lambda *_: advance())
        self.tally.retried = len(numbers)

    def _remaining(self, console: Console, options: str, path: Path) -> Iterator[Stage]:
        """The rows that are not there yet."""
        with opened_source(path) as source, self._opened_output() as output:
            lines = read_lines(source, options)
            before = resume(output, lines) if self._resumes else Tally()
            self._take_over(before)
            with self._progress(console, before.rows, path) as advance:

                def write(rows: bytes) -> None:
                    output.write(rows)
                    output.flush()

                def count(number: int, failure: Failure | None) -> None:
                    self.tally.add(number, failure)
                    advance()

                yield Stage(path, options, before.rows + 1, None, lines, write, count)

    def _progress(self, console: Console, num_done: int, path: Path) -> AbstractContextManager[Callable[[], None]]:
        if self.show is not None:
            # The rows themselves say how far it is, and a bar would be written over by them.
            return nullcontext(lambda: None)
        return shown_progress(console, num_done, num_lines(path))

    def _opened_output(self) -> AbstractContextManager[BinaryIO]:
        if self.show is not None:
            return nullcontext(cast("BinaryIO", ShownRows(self.show)))
        return opened_output(self.output, overwrite=self.overwrite)

    @property
    def _resumes(self) -> bool:
        return str(self.output) != "-"

    def _take_over(self, before: Tally) -> None:
        self.tally.rows, self.tally.resumed = before.rows, before.resumed
        self.tally.failed, self.tally.shown = before.failed, before.shown

    def _check_files(self) -> None:
        if self.as_json and not self._resumes:
            raise typer.BadParameter("--json and -o - would both write to standard output; give -o a file")
        if self.retry_failed and (self.overwrite or "-" in (str(self.source), str(self.output))):
            raise typer.BadParameter("it needs two files and goes without --overwrite", param_hint="--retry-failed")
        if str(self.source) != "-" and (self.source.is_dir() or not self.source.exists()):
            raise typer.BadParameter("there is no such file", param_hint="IN.jsonl")
        if not self._resumes:
            return
        if self.output.is_dir() or not self.output.absolute().parent.is_dir():
            raise typer.BadParameter("no file can be there", param_hint="-o")
        if str(self.source) != "-" and self.output.exists() and self.output.samefile(self.source):
            raise typer.BadParameter("it is the input itself", param_hint="-o")

    def _note_resuming(self, error: BaseException) -> None:
        if self._resumes and self.output.exists():
            command = "the same command without --overwrite" if self.overwrite else "the same command"
            error.add_note(f"{self.output} keeps what was written; {command} goes on from there")


def destination(output: Path | None, *, as_json: bool, show: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Where rows go by -o and --json, as arguments of a `FileRun`: into the file, or where none is named onto standard
    output, for a person or as rows for a script."""
    if output is not None:
        return {"output": output, "as_json": as_json}
    return {"output": Path("-"), "as_json": False, "show": None if as_json else show}
