"""What the report says: PGR where there is one, and which findings appear, all told from numbers."""

import pytest

from surefoot.evaluation.weak_supervision import Agreement, performance_gap_recovered
from surefoot.experiments.weak_to_strong.figures import CAPTIONS, draw_all
from surefoot.experiments.weak_to_strong.findings import findings, told
from surefoot.experiments.weak_to_strong.plan import Pair, Scheme
from surefoot.experiments.weak_to_strong.report import Facts, notes, report
from surefoot.experiments.weak_to_strong.results import SeedResult, StudentResult

SIZES = {"train": 4, "validation": 2, "test": 2}
FACTS = Facts("surefoot train weak-to-strong", {"steps": "sums"}, {"sizes": SIZES, "epochs": 2}, 3, 4, 60.0)


def seed_of(number: int, weak: float, student: float, ceiling: float, *, best: float | None = None) -> SeedResult:
    stopped = student if best is None else best
    return SeedResult(
        number,
        weak,
        ceiling,
        {"last": student, "weak": student, "true": stopped},
        performance_gap_recovered(weak, student, ceiling),
        Agreement(0.8, 0.9, 0.6),
        0.1,
        0.2,
        0.15,
        weak,
        ({"epoch": 1.0, "test_accuracy": student, "validation_agreement": 0.8},),
    )


def of(*triples: tuple[float, float, float], scheme: Scheme = "naive", weak: str = "4") -> StudentResult:
    seeds = tuple(seed_of(number, *triple) for number, triple in enumerate(triples))
    return StudentResult("steps", Pair(weak, "30"), scheme, seeds)


CLEAR = ((0.6, 0.70, 0.8), (0.62, 0.72, 0.8), (0.61, 0.71, 0.82))


def verdicts(*found: StudentResult) -> dict[str, str]:
    return {each.claim: each.verdict for each in findings(found)}


def test_a_ceiling_that_is_not_above_is_said_and_nothing_is_divided() -> None:
    found = of((0.7, 0.7, 0.6), (0.7, 0.6, 0.7), (0.7, 0.65, 0.65))
    assert (found.pgr, found.pgr_of_means, found.num_undefined) == (None, None, 3)
    assert any("PGR is not defined" in line for line in notes(found))
    page = report([found], findings([found]), FACTS, {})
    assert "| 4 → 30, naive | 0.700 ± 0.000 | 0.650 ± 0.050 | 0.650 ± 0.050 | – | – |" in page


def test_a_gap_within_its_spread_is_too_small_to_tell() -> None:
    found = of((0.6, 0.6, 0.7), (0.7, 0.7, 0.65), (0.6, 0.65, 0.65))
    [line] = [line for line in notes(found) if "too small" in line]
    assert line.startswith("4 → 30: ")
    assert any("not defined for 1 of 3 seeds" in line for line in notes(found))
    assert set(verdicts(found).values()) == {"not measured"}
    assert found.pgr_of_means is not None
    row = next(row for row in report([found], findings([found]), FACTS, {}).splitlines() if row.startswith("| 4 → 30"))
    assert row.endswith("| – | – |")


def test_figures_are_drawn_where_no_gap_is_clear(tmp_path) -> None:
    draw_all([of((0.6, 0.6, 0.7), (0.7, 0.7, 0.65), (0.6, 0.65, 0.65))], tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == set(CAPTIONS)


def test_a_student_weaker_than_its_teacher_is_said() -> None:
    found = of(*((weak, weak - 0.05, ceiling) for weak, _, ceiling in CLEAR))
    assert notes(found) == ["4 → 30, naive: the student is weaker than its supervisor."]
    assert found.pgr is not None
    assert found.pgr.mean < 0


def test_findings_are_told_from_differences_beyond_their_error() -> None:
    better = of(*((weak, student + 0.05, ceiling) for weak, student, ceiling in CLEAR), scheme="confidence")
    seen = verdicts(of(*CLEAR), better)
    assert seen["Students that learn weak labels are better than their supervisors"] == "appears"
    assert seen["The auxiliary confidence loss makes students better"] == "appears"
    assert seen["Bootstrapping through intermediate sizes makes students better"] == "not measured"
    assert seen["The confidence loss lowers agreement with the supervisor's errors"] == "within the spread"
    worse = of(*((weak, student - 0.05, ceiling) for weak, student, ceiling in CLEAR), scheme="confidence")
    opposite = verdicts(of(*CLEAR), worse)
    assert opposite["The auxiliary confidence loss makes students better"] == "the opposite appears"


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([0.1, 0.2, 0.3], "appears"),
        ([-0.1, -0.2, -0.3], "the opposite appears"),
        ([0.1, -0.2, 0.2], "within the spread"),
        ([0.0, 0.0], "within the spread"),
        ([0.5], "not measured"),
        ([], "not measured"),
    ],
)
def test_what_is_told_from_differences(differences: list[float], verdict: str) -> None:
    assert told(differences) == verdict
