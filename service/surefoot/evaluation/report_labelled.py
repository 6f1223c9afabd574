"""The part of an evaluation report on labelled solutions: steps, first errors, and solutions as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.errors import LabelsDegenerate
from surefoot.evaluation.first_error_measures import FirstErrorMeasures, measure_scored_steps
from surefoot.evaluation.first_error_report import confusion_table, sizes
from surefoot.evaluation.report_page import Figure, Section, number, share, table
from surefoot.evaluation.scored_solution import SCORERS, STEP_SCORERS, ScorerName, StepScorer, score_table
from surefoot.evaluation.step_discrimination import (
    LabelledSolution,
    StepGroup,
    auroc_or_none,
    by_family,
    by_position,
)


@dataclass(frozen=True, slots=True)
class LabelledMeasures:
    """`first_errors` is empty where the data lack solutions with an error or correct ones.

    `solutions` holds the AUROC of correct against incorrect solutions by what scores them; `num_solutions` and
    `num_correct` count those of which that is known.
    """

    threshold: float
    families: tuple[StepGroup, ...]
    positions: tuple[StepGroup, ...]
    first_errors: Mapping[StepScorer, FirstErrorMeasures]
    num_solutions: int
    num_correct: int
    solutions: Mapping[ScorerName, float | None]


def measure_labelled(solutions: Sequence[LabelledSolution], threshold: float) -> LabelledMeasures:
    """All measures; first errors at `threshold`, the model's own."""
    known = [solution for solution in solutions if solution.is_correct is not None]
    is_correct = np.array([solution.is_correct for solution in known], dtype=bool)
    whole: dict[ScorerName, float | None] = {}
    for scorer in SCORERS:
        scores = score_table([solution.scored for solution in known], scorer)
        if scores is not None:
            whole[scorer] = auroc_or_none(scores, is_correct)
    return LabelledMeasures(
        threshold=threshold,
        families=by_family(solutions),
        positions=by_position(solutions),
        first_errors=_first_errors(solutions, threshold),
        num_solutions=len(known),
        num_correct=int(is_correct.sum()),
        solutions=whole,
    )


def labelled_section(measures: LabelledMeasures, facts: Mapping[str, object], command: str) -> Section:
    """For a reader."""
    counted = "".join(f"\n{sizes(each)}\n" for each in [*measures.first_errors.values()][:1])
    body = (
        f"{counted}\n### AUROC of steps by kind of error\n\n{_step_table('kind of error', measures.families)}\n"
        "Wrong steps of that kind against all right steps. The checks alone take every step for right that they did "
        "not fail; with checks the score of a failed step is multiplied by 0.01.\n\n"
        f"### AUROC of steps by place\n\n{_step_table('step', measures.positions)}\n"
        f"Steps from 0, wrong ones against right ones at the same place.\n\n{_first_error_part(measures)}\n"
        f"### AUROC of whole solutions\n\n{_solution_table(measures)}"
    )
    figures = [Figure("steps", "AUROC of steps by kind of error")]
    if measures.first_errors:
        figures.append(Figure("confusion", "True first error against the found one"))
    return Section("Labelled solutions", _headline(measures), facts, command, body, tuple(figures))


def _first_errors(solutions: Sequence[LabelledSolution], threshold: float) -> dict[StepScorer, FirstErrorMeasures]:
    labels = [solution.is_right for solution in solutions]
    found: dict[StepScorer, FirstErrorMeasures] = {}
    for scorer in STEP_SCORERS:
        scores = [solution.scored.step_scores(scorer) for solution in solutions]
        if all(scores):
            try:
                found[scorer] = measure_scored_steps(scores, labels, [threshold])
            except LabelsDegenerate:
                return {}
    return found


def _headline(measures: LabelledMeasures) -> str:
    overall = measures.families[0].auroc
    steps = ", ".join(f"{title} {number(overall[scorer])}" for scorer, title in STEP_SCORERS.items())
    f1 = ", ".join(f"{STEP_SCORERS[scorer]} {share(found.at[0].f1)}" for scorer, found in measures.first_errors.items())
    return f"AUROC of steps: {steps}" + (f"; first-error F1: {f1}" if f1 else "")


def _step_table(first: str, groups: Sequence[StepGroup]) -> str:
    return table(
        [first, "wrong", "right", *STEP_SCORERS.values()],
        [
            [group.name.replace("_", " "), f"{group.num_wrong}", f"{group.num_right}"]
            + [number(group.auroc[scorer]) for scorer in STEP_SCORERS]
            for group in groups
        ],
    )


def _first_error_part(measures: LabelledMeasures) -> str:
    if not measures.first_errors:
        return "### First errors\n\nLeft out: they need solutions with a known first error, and correct ones.\n"
    rows = [
        [STEP_SCORERS[scorer], share(at.accuracy_erroneous), share(at.accuracy_correct), share(at.f1)]
        for scorer, found in measures.first_errors.items()
        for at in found.at
    ]
    confusions = "".join(
        f"\n{STEP_SCORERS[scorer]}:\n\n{confusion_table(at)}"
        for scorer, found in measures.first_errors.items()
        for at in found.at
    )
    return (
        f"### First errors at threshold {measures.threshold:.4f}\n\n"
        f"{table(['', 'accuracy on erroneous solutions', 'accuracy on correct ones', 'F1'], rows)}\n"
        f"F1 is the harmonic mean of the two accuracies, as in ProcessBench. Solutions by true first error (rows) and "
        f"found one (columns), steps from 0:\n{confusions}"
    )


def _solution_table(measures: LabelledMeasures) -> str:
    rows = [[SCORERS[scorer].title, number(found)] for scorer, found in measures.solutions.items()]
    counts = f"{measures.num_correct} correct solutions against {measures.num_solutions - measures.num_correct} others."
    return f"{table(['score', 'AUROC'], rows)}\n{counts}\n"
