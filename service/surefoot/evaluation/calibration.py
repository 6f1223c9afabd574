"""Calibrating a process model: temperature and threshold fitted on one half of the data, measured on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from surefoot.domain import Rows
from surefoot.errors import LabelsDegenerate
from surefoot.evaluation.first_error import check_both_sorts, first_error_accuracy, fit_threshold
from surefoot.evaluation.labelled_steps import first_wrong, is_settled
from surefoot.evaluation.reliability import Bin, brier_score, calibration_error, equal_mass_bins, equal_width_bins
from surefoot.evaluation.temperature import (
    LARGEST_FACTOR,
    Array,
    check_probability,
    fit_temperature,
    negative_log_likelihood,
)
from surefoot.profiles import Profile
from surefoot.readout import read

FEW_SOLUTIONS = 100
"""Fewer than that to measure on, and differences of some per cent are chance."""

_CALIBRATED = "-calibrated"
_BOUNDS: Mapping[Literal["lower", "upper"], str] = {
    "lower": f"The temperature is as low as it may get, 1/{LARGEST_FACTOR:g} of the profile's: the scores separate "
    "right from wrong without an exception here, which more data would not bear out.",
    "upper": f"The temperature is as high as it may get, {LARGEST_FACTOR:g} times the profile's: the scores do not "
    "tell right steps from wrong ones, and calibration cannot mend that.",
}


@dataclass(frozen=True, slots=True)
class JudgedSolution:
    """A model's raw values of each step of a solution, and whether the step is right, `None` where nobody said."""

    raw: Rows
    is_right: tuple[bool | None, ...]

    @property
    def first_error(self) -> int | None:
        """The first step labelled wrong."""
        return first_wrong(self.is_right)

    @property
    def is_whole(self) -> bool:
        """Whether the first error is known: every step before it has a label, in a correct solution every step."""
        return is_settled(self.is_right)


@dataclass(frozen=True, slots=True)
class Measures:
    """What a profile's scores are worth on one part of the data.

    `nll` is in nats a step. `num_judged_solutions` have a known first error, or none; the accuracies and F1 are of
    these. The bins are of equal width.
    """

    temperature: float
    threshold: float
    num_solutions: int
    num_judged_solutions: int
    num_erroneous_solutions: int
    num_steps: int
    num_right_steps: int
    ece: float
    ece_equal_mass: float
    brier: float
    nll: float
    f1: float
    accuracy_erroneous: float
    accuracy_correct: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """The same part of the data before and after calibration."""

    before: Measures
    after: Measures


@dataclass(frozen=True, slots=True)
class Calibration:
    """The calibrated profile, what it changes on both parts of the data, and what to know before trusting it."""

    profile: Profile
    fitted: Change
    held_out: Change
    notices: tuple[str, ...]


def calibrate(
    profile: Profile, solutions: Sequence[JudgedSolution], *, fit_fraction: float = 0.5, seed: int = 0
) -> Calibration:
    """Fit on a random share of the solutions, the same one for a seed, and measure on the rest.

    Raises `ScaleNotProbability`, and `LabelsDegenerate` without two solutions with an error and two correct ones.
    """
    check_probability(profile)
    fitting, rest = split(solutions, fit_fraction, seed)
    fitted = fit_temperature(profile, *_labelled(fitting))
    tempered = calibrated_profile(profile, float(f"{fitted.temperature:.6g}"), profile.threshold)
    judged = [solution for solution in fitting if solution.is_whole]
    threshold = fit_threshold(
        [step_scores(tempered, solution) for solution in judged], [solution.first_error for solution in judged]
    )
    calibrated = calibrated_profile(tempered, tempered.readout.temperature, threshold)
    held_out = Change(measure(profile, rest), measure(calibrated, rest))
    return Calibration(
        calibrated,
        Change(measure(profile, fitting), measure(calibrated, fitting)),
        held_out,
        tuple(_notices(held_out, fitted.bound)),
    )


def split(
    solutions: Sequence[JudgedSolution], fit_fraction: float, seed: int
) -> tuple[list[JudgedSolution], list[JudgedSolution]]:
    """Two parts, each in the order of the data; erroneous, correct and undecided solutions are drawn separately.

    Each part gets one erroneous and one correct solution at least. Raises `LabelsDegenerate` where that cannot be.
    """
    generator = np.random.default_rng(seed)
    sorts: dict[str, list[int]] = {"erroneous": [], "correct": [], "undecided": []}
    for index, solution in enumerate(solutions):
        sort = "undecided" if not solution.is_whole else "correct" if solution.first_error is None else "erroneous"
        sorts[sort].append(index)
    if min(len(sorts["erroneous"]), len(sorts["correct"])) < 2:
        raise LabelsDegenerate(
            "labels: two solutions with a known first error and two that are right in every step are the least, "
            f"there are {len(sorts['erroneous'])} and {len(sorts['correct'])}; label more of what is missing"
        )
    chosen: set[int] = set()
    for sort, places in sorts.items():
        wanted = round(len(places) * fit_fraction)
        if sort != "undecided":
            wanted = min(max(wanted, 1), len(places) - 1)
        chosen.update(generator.permutation(places)[:wanted].tolist())
    return (
        [solution for index, solution in enumerate(solutions) if index in chosen],
        [solution for index, solution in enumerate(solutions) if index not in chosen],
    )


def measure(profile: Profile, solutions: Sequence[JudgedSolution]) -> Measures:
    """All measures of the scores that the service gives with this profile. Raises `LabelsDegenerate`."""
    judged = [solution for solution in solutions if solution.is_whole]
    truths = [solution.first_error for solution in judged]
    check_both_sorts(truths)
    accuracy = first_error_accuracy([step_scores(profile, each) for each in judged], truths, profile.threshold)
    raw, labels = _labelled(solutions)
    scores = np.array([reading.score for reading in read(profile, tuple(map(tuple, raw.tolist())), len(raw))])
    bins = equal_width_bins(scores, labels)
    return Measures(
        temperature=profile.readout.temperature,
        threshold=profile.threshold,
        num_solutions=len(solutions),
        num_judged_solutions=len(judged),
        num_erroneous_solutions=sum(truth is not None for truth in truths),
        num_steps=len(labels),
        num_right_steps=int(labels.sum()),
        ece=calibration_error(bins),
        ece_equal_mass=calibration_error(equal_mass_bins(scores, labels)),
        brier=brier_score(scores, labels),
        nll=negative_log_likelihood(profile, raw, labels, profile.readout.temperature),
        f1=accuracy.f1,
        accuracy_erroneous=accuracy.erroneous,
        accuracy_correct=accuracy.correct,
        bins=bins,
    )


def calibrated_profile(profile: Profile, temperature: float, threshold: float) -> Profile:
    """The profile with another temperature and threshold, and a name that says so.

    Golden scores are left out: they are those of the old temperature.
    """
    # What was not set stays unset, so that the file made of it is as short as its source.
    values = profile.model_dump(exclude_unset=True, exclude={"golden"})
    values["readout"] = {**values["readout"], "temperature": temperature}
    name = f"{profile.name.removesuffix(_CALIBRATED)}{_CALIBRATED}"
    return Profile.model_validate({**values, "name": name, "threshold": threshold})


def step_scores(profile: Profile, solution: JudgedSolution) -> list[float]:
    """The scores that the service gives to the steps with this profile."""
    return [reading.score for reading in read(profile, solution.raw, len(solution.is_right))]


def _labelled(solutions: Sequence[JudgedSolution]) -> tuple[Array, Array]:
    """Raw values [steps, columns] and labels [steps] of all steps that have a label."""
    pairs = [
        (row, label)
        for solution in solutions
        for row, label in zip(solution.raw, solution.is_right, strict=True)
        if label is not None
    ]
    return np.array([row for row, _ in pairs], dtype=float), np.array([label for _, label in pairs], dtype=bool)


def _notices(held_out: Change, bound: Literal["lower", "upper"] | None) -> list[str]:
    notices = []
    if held_out.after.num_judged_solutions < FEW_SOLUTIONS:
        notices.append(
            f"Little data: {held_out.after.num_judged_solutions} solutions to measure on; below {FEW_SOLUTIONS}, "
            "differences of some per cent are chance."
        )
    if bound is not None:
        notices.append(_BOUNDS[bound])
    if held_out.after.nll > held_out.before.nll:
        notices.append("On the held-out solutions the likelihood is worse than before: keep the old profile.")
    return notices
