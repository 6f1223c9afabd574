"""What the cells of a grid say together: accuracies, PGR, imitation, early stopping and calibration over seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.evaluation.reliability import brier_score, calibration_error, equal_width_bins
from surefoot.evaluation.weak_supervision import (
    Agreement,
    Spread,
    accuracy,
    agreement,
    gap_is_clear,
    performance_gap_recovered,
    spread,
)
from surefoot.experiments.weak_to_strong.plan import Cell, Pair, Scheme
from surefoot.experiments.weak_to_strong.records import Pick, Record, Run
from surefoot.experiments.weak_to_strong.tasks import TaskName

PICKS: Sequence[Pick] = ("last", "weak", "true")


@dataclass(frozen=True, slots=True)
class SeedResult:
    """One seed of one student: accuracies on the test items, by the pick for the student.

    `label_accuracy` is that of the labels that it learned; `error` and `brier` are of its probabilities, `weak_error`
    of its supervisor's.
    """

    seed: int
    weak: float
    ceiling: float
    student: Mapping[Pick, float]
    pgr: float | None
    agreement: Agreement
    error: float
    brier: float
    weak_error: float
    label_accuracy: float
    curve: Sequence[Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class StudentResult:
    """One scheme of one pair in one task, over all seeds that are finished."""

    task: TaskName
    pair: Pair
    scheme: Scheme
    seeds: tuple[SeedResult, ...]

    @property
    def weak(self) -> Spread:
        return spread([each.weak for each in self.seeds])

    @property
    def ceiling(self) -> Spread:
        return spread([each.ceiling for each in self.seeds])

    def student(self, pick: Pick = "last") -> Spread:
        """Its accuracy at that pick."""
        return spread([each.student[pick] for each in self.seeds])

    @property
    def pgr(self) -> Spread | None:
        """Over the seeds whose ceiling is above the supervisor; `None` without any."""
        found = [each.pgr for each in self.seeds if each.pgr is not None]
        return spread(found) if found else None

    @property
    def pgr_of_means(self) -> float | None:
        """Of the accuracies' means over seeds: where single gaps are small this is the steadier number."""
        return performance_gap_recovered(self.weak.mean, self.student().mean, self.ceiling.mean)

    @property
    def num_undefined(self) -> int:
        """Seeds without a PGR."""
        return sum(each.pgr is None for each in self.seeds)

    @property
    def is_clear(self) -> bool:
        """Whether the gap is larger than the spread, so that PGR means something."""
        return gap_is_clear([each.weak for each in self.seeds], [each.ceiling for each in self.seeds])


def results(run: Run, cells: Sequence[Cell]) -> list[StudentResult]:
    """Of every student that is finished, with its supervisor and its ceiling, in the order of the grid."""
    found: dict[tuple[TaskName, Pair, Scheme], list[SeedResult]] = {}
    records: dict[str, Record] = {}

    def read(cell: Cell) -> Record:
        if cell.name not in records:
            records[cell.name] = run.read(cell.name)
        return records[cell.name]

    for cell, supervisor, ceiling in _students(cells):
        if all(run.has(each.name) for each in (cell, supervisor, ceiling)):
            key = (cell.task, Pair(supervisor.size, cell.size), cell.scheme)
            found.setdefault(key, []).append(_of_seed(cell.seed, read(cell), read(supervisor), read(ceiling)))
    return [StudentResult(*key, tuple(seeds)) for key, seeds in found.items()]


def as_json(found: Sequence[StudentResult]) -> list[dict[str, Any]]:
    """Everything but the curves."""
    return [
        {
            "task": each.task,
            "weak_size": each.pair.weak,
            "strong_size": each.pair.strong,
            "scheme": each.scheme,
            "seeds": [seed.seed for seed in each.seeds],
            "weak": _spread_json(each.weak),
            "ceiling": _spread_json(each.ceiling),
            "student": {pick: _spread_json(each.student(pick)) for pick in PICKS},
            "gap_is_clear": each.is_clear,
            "pgr": None if each.pgr is None else _spread_json(each.pgr),
            "pgr_of_means": each.pgr_of_means,
            "pgr_by_seed": [seed.pgr for seed in each.seeds],
            "agreement": _mean_of(each.seeds, "overall"),
            "agreement_where_right": _mean_of(each.seeds, "where_right"),
            "agreement_where_wrong": _mean_of(each.seeds, "where_wrong"),
            "label_accuracy": float(np.mean([seed.label_accuracy for seed in each.seeds])),
            "calibration_error": float(np.mean([seed.error for seed in each.seeds])),
            "brier": float(np.mean([seed.brier for seed in each.seeds])),
            "supervisor_calibration_error": float(np.mean([seed.weak_error for seed in each.seeds])),
        }
        for each in found
    ]


def mean_agreement(found: StudentResult, part: str) -> float | None:
    """Of `overall`, `where_right` or `where_wrong`, over the seeds that have it."""
    return _mean_of(found.seeds, part)


def _students(cells: Sequence[Cell]) -> Iterator[tuple[Cell, Cell, Cell]]:
    """Each student with its supervisor and its ceiling."""
    for cell in cells:
        if cell.role == "student" and cell.weak is not None:
            yield (
                cell,
                Cell(cell.task, cell.seed, "supervisor", cell.weak),
                Cell(cell.task, cell.seed, "ceiling", cell.size),
            )


def _of_seed(seed: int, student: Record, supervisor: Record, ceiling: Record) -> SeedResult:
    labels = np.array(student.labels, dtype=bool)
    said, taught = (np.array(record.probabilities["last"]) for record in (student, supervisor))
    by_pick = {pick: accuracy(np.array(student.probabilities[pick]), labels) for pick in PICKS}
    weak, high = accuracy(taught, labels), accuracy(np.array(ceiling.probabilities["last"]), labels)
    return SeedResult(
        seed=seed,
        weak=weak,
        ceiling=high,
        student=by_pick,
        pgr=performance_gap_recovered(weak, by_pick["last"], high),
        agreement=agreement(said, taught, labels),
        error=calibration_error(equal_width_bins(said, labels)),
        brier=brier_score(said, labels),
        weak_error=calibration_error(equal_width_bins(taught, labels)),
        label_accuracy=float(student.facts["label_accuracy"]),
        curve=student.curve,
    )


def _mean_of(seeds: Sequence[SeedResult], part: str) -> float | None:
    values = [value for each in seeds if (value := getattr(each.agreement, part)) is not None]
    return float(np.mean(values)) if values else None


def _spread_json(found: Spread) -> dict[str, float]:
    return {"mean": found.mean, "deviation": found.deviation, "seeds": found.count}
