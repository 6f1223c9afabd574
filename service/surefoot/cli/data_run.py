"""The work of `surefoot train data`: files in, labelled rows and their report out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

from surefoot.answers import EquivalenceJudge
from surefoot.cli.jsonl_files import num_lines
from surefoot.cli.jsonl_progress import shown_progress
from surefoot.cli.jsonl_run import Tally
from surefoot.cli.row_file import read_file
from surefoot.errors import ExamplesInvalid
from surefoot.training.dataset import DataOptions, LabelledData, assembled, problem_of, rows_of_problem
from surefoot.training.labelled_row import LabelledRow, rows_from
from surefoot.training.model_solutions import rows_of, sampled_solutions
from surefoot.training.overlap import ProblemIndex
from surefoot.training.worked_solution import UnsupportedSolution, WorkedSolution, worked_solution

Sort = Literal["gsm8k", "solutions", "labelled", "exclude"]
"""What a file holds; the option of that name gives it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was named, and where it is on this machine."""

    sort: Sort
    name: str
    path: Path


@dataclass(slots=True)
class DataRun:
    """Reads all sources once; `left_out` counts whole rows that cannot be used, by reason, the tally failed ones."""

    options: DataOptions
    judge: EquivalenceJudge
    tally: Tally = field(default_factory=Tally)
    left_out: Counter[str] = field(default_factory=Counter)

    def execute(self, sources: Sequence[Source], console: Console) -> LabelledData:
        """The labelled rows; says on `console` how far it is. Raises `FileFailed` and `ExamplesInvalid`."""
        lines = [num_lines(source.path) for source in sources]
        with shown_progress(console, 0, None if None in lines else sum(each or 0 for each in lines)) as advance:
            excluded = ProblemIndex(self._excluded(sources, advance))
            rows = (row for source in sources for row in self._rows(source, advance))
            data = assembled(rows, excluded, self.options)
        if not data.train:
            raise ExamplesInvalid(
                "no row is left to train on: the files are empty, their rows failed or all problems are excluded",
                param="--gsm8k",
            )
        return data

    def report(self, data: LabelledData, command: str) -> dict[str, Any]:
        """What was made, and by which command."""
        # Imported here, because the other verbs need not wait for numpy.
        from surefoot.training.data_report import report_json

        facts = {
            "command": command,
            **asdict(self.options),
            "rows_read": self.tally.rows,
            "failed_rows": self.tally.failed.total(),
            "left_out": dict(sorted(self.left_out.items())),
        }
        return report_json(data, facts)

    def _excluded(self, sources: Sequence[Source], advance: Callable[[], None]) -> Iterator[str]:
        for source in sources:
            if source.sort == "exclude":
                yield from excluded_problems(source.path, advance)

    def _rows(self, source: Source, advance: Callable[[], None]) -> Iterator[LabelledRow]:
        name = Path(source.name).stem
        match source.sort:
            case "gsm8k":
                for number, solution in self._read(source, self._worked, advance):
                    if solution is not None:
                        yield from rows_of_problem(solution, f"{name}:{number}", name, self.options)
            case "solutions":
                for number, sampled in self._read(source, sampled_solutions, advance):
                    yield from rows_of(sampled, self.judge, name, number)
            case "labelled":
                yield from rows_from([item for _, item in self._read(source, _checked, advance)], name)
            case "exclude":
                pass

    def _read(
        self, source: Source, read: Callable[[Mapping[str, Any]], Any], advance: Callable[[], None]
    ) -> Iterator[tuple[int, Any]]:
        return read_file(f"--{source.sort}", source.path, read, self.tally, advance)

    def _worked(self, row: Mapping[str, Any]) -> WorkedSolution | None:
        try:
            return worked_solution(row)
        except UnsupportedSolution as cause:
            self.left_out[str(cause)] += 1
            return None


def excluded_problems(path: Path, advance: Callable[[], None]) -> Iterator[str]:
    """The problems of a file; one that cannot be read is no bad row but a promise that cannot be kept.

    Raises `ExamplesInvalid`.
    """
    tally = Tally()
    yield from (problem for _, problem in read_file("--exclude", path, problem_of, tally, advance))
    if tally.failed or not tally.rows:
        line, failure = tally.shown[0] if tally.shown else (1, None)
        said = failure.message if failure else "it has no rows"
        raise ExamplesInvalid(
            f"line {line}: {said}; problems that cannot be read cannot be kept out of training",
            param="--exclude",
        )


def _checked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row if it can be read. Read again with the others of its file, which say what its zeros mean."""
    rows_from([row], "")
    return row
