"""What the verbs over JSONL files share: their options, opening and resuming files, and how a run ends."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, BinaryIO, cast

import typer
from rich.console import Console

from surefoot.cli.consoles import print_json, progress_console
from surefoot.cli.failures import FileFailed
from surefoot.cli.jsonl_progress import show_summary, shown_progress
from surefoot.cli.jsonl_retry import lines_to_retry, retry
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

_CHUNK_BYTES = 1 << 20

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
class FileRun:
    """A run over `source` into `output`."""

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
            seconds = asyncio.run(self._work(console))
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
            options = json.dumps(prepared.depends_on, sort_keys=True)
            began = time.monotonic()
            if self.retry_failed and self.output.exists():
                await self._retry(console, prepared.work, options)
            await self._go_on(console, prepared.work, options)
            return time.monotonic() - began

    async def _retry(self, console: Console, work: Work, options: str) -> None:
        numbers = lines_to_retry(self.output, self.source, options)

        async def again(lines: Iterator[Line], write: Callable[[bytes], object]) -> None:
            with shown_progress(console, 0, len(numbers)) as advance:
                await self._run(lines, work, write, lambda *_: advance())

        await retry(self.output, self.source, options, numbers, again)
        self.tally.retried = len(numbers)

    async def _go_on(self, console: Console, work: Work, options: str) -> None:
        """Write the rows that are not there yet."""
        with opened_source(self.source) as source, self._opened_output() as output:
            lines = read_lines(source, options)
            before = resume(output, lines) if self._resumes else Tally()
            self._take_over(before)
            with self._progress(console, before.rows) as advance:

                def write(rows: bytes) -> None:
                    output.write(rows)
                    output.flush()

                def count(number: int, failure: Failure | None) -> None:
                    self.tally.add(number, failure)
                    advance()

                await self._run(lines, work, write, count)

    async def _run(
        self,
        lines: Iterator[Line],
        work: Work,
        write: Callable[[bytes], object],
        count: Callable[[int, Failure | None], None],
    ) -> None:
        rows = (read_row(line, self.shape) for line in lines)
        await run(rows, work, write, count, batch_size=self.batch_size, concurrency=self.concurrency)

    def _progress(self, console: Console, num_done: int) -> AbstractContextManager[Callable[[], None]]:
        if self.show is not None:
            # The rows themselves say how far it is, and a bar would be written over by them.
            return nullcontext(lambda: None)
        return shown_progress(console, num_done, num_lines(self.source))

    def _opened_output(self) -> AbstractContextManager[BinaryIO]:
        if self.show is not None:
            return nullcontext(cast("BinaryIO", _ShownRows(self.show)))
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


@dataclass(frozen=True, slots=True)
class _ShownRows:
    """A file to write rows into, which shows each of them."""

    show: Callable[[dict[str, Any]], None]

    def write(self, rows: bytes) -> int:
        for row in rows.splitlines():
            self.show(json.loads(row))
        return len(rows)

    def flush(self) -> None:
        sys.stdout.flush()


def destination(output: Path | None, *, as_json: bool, show: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Where rows go by -o and --json, as arguments of a `FileRun`: into the file, or where none is named onto standard
    output, for a person or as rows for a script."""
    if output is not None:
        return {"output": output, "as_json": as_json}
    return {"output": Path("-"), "as_json": False, "show": None if as_json else show}


@contextmanager
def opened_source(path: Path) -> Iterator[BinaryIO]:
    """The input as bytes; standard input stays open."""
    if str(path) == "-":
        yield sys.stdin.buffer
    else:
        with path.open("rb") as source:
            yield source


@contextmanager
def opened_output(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """The output as bytes, at its beginning, with what is in it unless it is to be overwritten."""
    if str(path) == "-":
        yield sys.stdout.buffer
        return
    with path.open("w+b" if overwrite or not path.exists() else "r+b") as output:
        yield output


def num_lines(path: Path) -> int | None:
    """How many lines a file has, an unended last one included; `None` for standard input and other pipes."""
    if str(path) == "-" or not path.is_file():
        return None
    count, last = 0, b"\n"
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK_BYTES):
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n")
