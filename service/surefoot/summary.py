"""Readings of one solution to everything that is said of it: step scores, first error, aggregates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from surefoot.aggregation import DEFINED_ON, aggregate, first_error, first_error_distribution
from surefoot.checks import capped_by_checks, run_checks
from surefoot.domain import (
    OPTIONAL_AGGREGATIONS,
    Aggregation,
    RenderedInput,
    ScoredBy,
    ScoreOptions,
    Solution,
    SolutionScore,
    StepScore,
)
from surefoot.errors import AggregationNotDefined, InvalidRequest
from surefoot.profiles import Profile
from surefoot.readout import UNIT_MAPS, Reading
from surefoot.verdicts import StepsSummary


def check_aggregation(profile: Profile, aggregation: Aggregation | None) -> None:
    """Raises `AggregationNotDefined` where scores on the profile's scale have no such aggregate.

    `None` is the profile's own, which only a process model has a use for.
    """
    wanted = aggregation or (profile.aggregation if profile.kind == "process" else None)
    if wanted in OPTIONAL_AGGREGATIONS and wanted not in profile.extra_aggregations:
        raise AggregationNotDefined(f"profile {profile.name!r} does not define {wanted!r}", param="aggregation")
    if wanted is not None and not _is_defined(profile, wanted):
        raise AggregationNotDefined(
            f"{wanted!r} needs probabilities, but the scores of profile {profile.name!r} are {profile.scale} "
            "and it declares no unit_map",
            param="aggregation",
        )


def check_step_checks(profile: Profile, options: ScoreOptions) -> None:
    """Raises `InvalidRequest` where there are no steps to check, or no probabilities to combine verdicts with."""
    if options.checks and profile.kind != "process":
        raise InvalidRequest(
            f"checks look at single steps, which profile {profile.name!r} does not score: name a process model",
            param="checks",
        )
    if options.combine_checks and profile.scale != "probability":
        raise InvalidRequest(
            f"combine_checks needs probabilities, but the scores of profile {profile.name!r} are {profile.scale}: "
            "leave it out and read steps[].checks",
            param="combine_checks",
        )


def has_unit_scores(profile: Profile, aggregation: Aggregation | None) -> bool:
    """Whether the profile's solution scores have a place in (0, 1)."""
    return _is_a_probability(profile, aggregation) or profile.scores_map_to_unit is not None


def check_unit_scores(profile: Profile, aggregation: Aggregation | None) -> None:
    """Raises `AggregationNotDefined` where the profile's solution scores have no place in (0, 1)."""
    if not has_unit_scores(profile, aggregation):
        raise AggregationNotDefined(
            f"this strategy needs scores in (0, 1), but profile {profile.name!r} has scale {profile.scale!r} "
            "and declares no unit_map",
            param="strategy",
        )


def unit_score(profile: Profile, score: SolutionScore | StepsSummary, aggregation: Aggregation | None) -> float:
    """A solution's score as a weight in [0, 1], for weighted votes and products of two models.

    A sum of log-probabilities is a probability in the log domain; anything else goes through the profile's map.
    Raises `AggregationNotDefined` where there is none.
    """
    check_unit_scores(profile, aggregation)
    if _is_a_probability(profile, aggregation):
        return math.exp(score.aggregations["sum_logprob"])
    return UNIT_MAPS[profile.scores_map_to_unit or "identity"](score.score)


def _is_a_probability(profile: Profile, aggregation: Aggregation | None) -> bool:
    """Products of (mapped) step scores are in (0, 1) already."""
    return profile.kind == "process" and (aggregation or profile.aggregation) in ("prod", "sum_logprob")


def scored_by(name: str, profile: Profile) -> ScoredBy:
    """How the scores of the model of that name are to be read."""
    return ScoredBy(name, profile.kind, profile.scale, profile.aggregation, profile.threshold)


def summarise(
    profile: Profile,
    solution: Solution,
    readings: Sequence[Sequence[Reading]],
    inputs: Sequence[RenderedInput],
    options: ScoreOptions,
    *,
    cached_tokens: int = 0,
) -> SolutionScore:
    """The score of one solution from the readings of its inputs; the last input is the whole solution."""
    num_tokens = sum(rendered.num_tokens for rendered in inputs)
    if profile.kind == "outcome":
        (final,) = readings[-1]
        return SolutionScore(
            kind="outcome",
            text=solution.text,
            steps=(),
            score=final.score,
            raw=final.raw,
            first_error=None,
            first_error_probabilities=None,
            no_error_probability=None,
            aggregations={},
            num_tokens=num_tokens,
            cached_tokens=cached_tokens,
            trace=tuple(reading.score for (reading,) in readings) if options.trace else None,
        )
    scored = _process_score(profile, solution, readings[-1], num_tokens, options)
    return replace(scored, cached_tokens=cached_tokens)


def _process_score(
    profile: Profile, solution: Solution, readings: Sequence[Reading], num_tokens: int, options: ScoreOptions
) -> SolutionScore:
    scores = [reading.score for reading in readings]
    checks = run_checks([step.text for step in solution.steps], options.checks)
    own = _steps_summary(profile, scores, options)
    return SolutionScore(
        kind="process",
        text=solution.text,
        steps=tuple(
            StepScore(index, step.span, reading.score, reading.raw, reading.probabilities, found)
            for index, (step, reading, found) in enumerate(zip(solution.steps, readings, checks, strict=True))
        ),
        score=own.score,
        raw=None,
        first_error=own.first_error,
        first_error_probabilities=own.first_error_probabilities,
        no_error_probability=own.no_error_probability,
        aggregations=own.aggregations,
        num_tokens=num_tokens,
        checked=_steps_summary(profile, capped_by_checks(scores, checks), options) if options.combine_checks else None,
    )


def _steps_summary(profile: Profile, scores: Sequence[float], options: ScoreOptions) -> StepsSummary:
    threshold = profile.threshold if options.threshold is None else options.threshold
    aggregations = _aggregations(profile, scores)
    where_wrong, never_wrong = first_error_distribution(scores) if profile.scale == "probability" else (None, None)
    return StepsSummary(
        step_scores=tuple(scores),
        score=aggregations[options.aggregation or profile.aggregation],
        first_error=first_error(scores, threshold),
        first_error_probabilities=where_wrong,
        no_error_probability=never_wrong,
        aggregations=aggregations,
    )


def _aggregations(profile: Profile, scores: Sequence[float]) -> dict[str, float]:
    """Every aggregate that is defined; those that need probabilities take the mapped scores."""
    unit_map = profile.scores_map_to_unit
    mapped = None if unit_map is None else [UNIT_MAPS[unit_map](score) for score in scores]
    found: dict[str, float] = {}
    for aggregation, scales in DEFINED_ON.items():
        if aggregation in OPTIONAL_AGGREGATIONS and aggregation not in profile.extra_aggregations:
            continue
        if profile.scale in scales:
            found[aggregation] = aggregate(scores, aggregation)
        elif mapped is not None:
            found[aggregation] = aggregate(mapped, aggregation)
    return found


def _is_defined(profile: Profile, aggregation: Aggregation) -> bool:
    return profile.scale in DEFINED_ON[aggregation] or profile.scores_map_to_unit is not None
