"""What the verbs over JSONL files share: their options, opening and resuming files, and how a run ends."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Protocol

import typer
from rich.console import Console

from surefoot.cli.failures import FileFailed
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

_CHUNK_BYTES = 1 << 20

SourceArgument = Annotated[Path, typer.Argument(metavar="IN.jsonl", help="Rows; - is standard input.")]
OutputOption = Annotated[
    Path, typer.Option("-o", "--output", metavar="OUT.jsonl", help="Results; - is standard output.")
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
    elsewhere: Callable[[], AbstractContextManager[Elsewhere]] | None = None
    tally: Tally = field(default_factory=Tally)

    def execute(self) -> None:
        """Run to the end and print the summary; leaves through `typer.Exit` if a row failed."""
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        summary = self.complete(console)
        if self.as_json:
            typer.echo(json.dumps(summary))
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
        with opened_source(path) as source, opened_output(self.output, overwrite=self.overwrite) as output:
            lines = read_lines(source, options)
            before = resume(output, lines) if self._resumes else Tally()
            self._take_over(before)
            with shown_progress(console, before.rows, num_lines(path)) as advance:

                def write(rows: bytes) -> None:
                    output.write(rows)
                    output.flush()

                def count(number: int, failure: Failure | None) -> None:
                    self.tally.add(number, failure)
                    advance()

                yield Stage(path, options, before.rows + 1, None, lines, write, count)

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


@contextmanager
def opened_source(path: Path) -> Iterator[BinaryIO]:
    """The input as bytes; standard input stays open."""
    if str(path) == "-":
        yield sys.stdin.buffer
    else:
        with path.open("rb") as source:
            yield source


@contextmanager
def seekable(path: Path) -> Iterator[Path]:
    """A file that can be read from any place: `path` itself, or of a pipe a copy, for as long as it is needed."""
    if path.is_file():
        yield path
        return
    with opened_source(path) as source, tempfile.NamedTemporaryFile(prefix="surefoot-", suffix=".jsonl") as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        yield Path(copy.name)


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
