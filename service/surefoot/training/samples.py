"""Solutions that a generator drew, judged by form and final answer, and which of them become rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from surefoot.answers import EquivalenceJudge
from surefoot.training.labelled_row import LabelledRow
from surefoot.training.model_solutions import SampledSolutions, rows_of
from surefoot.training.well_formed import is_well_formed

Keep = Literal["well-formed", "correct", "wrong", "all"]
"""Which samples become rows, by their form or by their final answer."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample as it came; `ended` says that the policy ended it, not a limit on its tokens."""

    text: str
    ended: bool


@dataclass(frozen=True, slots=True)
class JudgedSample:
    """A sample as a row, `None` where it has no step, and whether its form is the one that is wanted."""

    row: LabelledRow | None
    is_well_formed: bool

    @property
    def is_correct(self) -> bool:
        """Whether the final answer is right; no solution is a wrong one."""
        return self.row is not None and bool(self.row.is_correct)


KEPT: Mapping[Keep, Callable[[JudgedSample], bool]] = MappingProxyType(
    {
        "well-formed": lambda sample: sample.is_well_formed,
        "correct": lambda sample: sample.is_correct,
        "wrong": lambda sample: not sample.is_correct,
        "all": lambda _: True,
    }
)


@dataclass(slots=True)
class SampleCounts:
    """What was drawn; `distinct` counts different solutions with steps, `rows` what was kept of them."""

    problems: int = 0
    drawn: int = 0
    well_formed: int = 0
    correct: int = 0
    distinct: int = 0
    rows: int = 0
    _seen: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)

    def kept(self, samples: Sequence[JudgedSample], keep: Collection[Keep]) -> list[LabelledRow]:
        """Count a problem's samples; the rows of those that pass every one of `keep`, each solution once."""
        kept = []
        for sample in samples:
            if sample.row is None or (sample.row.problem, sample.row.steps) in self._seen:
                continue
            if all(KEPT[each](sample) for each in keep):
                kept.append(sample.row)
            self._seen.add((sample.row.problem, sample.row.steps))
        self.problems += 1
        self.drawn += len(samples)
        self.well_formed += sum(sample.is_well_formed for sample in samples)
        self.correct += sum(sample.is_correct for sample in samples)
        self.distinct = len(self._seen)
        self.rows += len(kept)
        return kept

    def report(self) -> dict[str, Any]:
        """As JSON; `pass_at_1` is the share of all samples whose final answer is right."""
        return {
            "problems": self.problems,
            "drawn": self.drawn,
            "well_formed": _share(self.well_formed, self.drawn),
            "pass_at_1": _share(self.correct, self.drawn),
            "distinct": self.distinct,
            "rows_written": self.rows,
        }


def judged_samples(
    posed: SampledSolutions, drawn: Sequence[Drawn], judge: EquivalenceJudge, source: str, number: int
) -> list[JudgedSample]:
    """Each sample with its labels, as `rows_of` gives them; `number` is that of the problem's line, for the ids."""
    alone = (replace(posed, solutions=((f"{place}", sample.text),)) for place, sample in enumerate(drawn))
    rows = (next(rows_of(each, judge, source, number), None) for each in alone)
    return [
        JudgedSample(row, is_well_formed(sample.text, ended=sample.ended))
        for row, sample in zip(rows, drawn, strict=True)
    ]


def _share(count: int, total: int) -> float:
    return round(count / total, 4) if total else 0.0
