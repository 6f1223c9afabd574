"""A solution's score as other systems' clients expect it: the model's own, inside [0, 1], or before any activation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from surefoot.domain import SolutionScore
from surefoot.errors import AggregationNotDefined, InvalidRequest
from surefoot.profiles import Profile
from surefoot.summary import unit_score

Scaling = Literal["own", "unit", "raw"]


def _own(profile: Profile, score: SolutionScore, param: str) -> float:  # noqa: ARG001
    return score.score


def _unit(profile: Profile, score: SolutionScore, param: str) -> float:
    if profile.scores_map_to_unit is None:
        raise AggregationNotDefined(
            f"{param}: the scores of profile {profile.name!r} are {profile.scale} and it declares no unit_map, so that "
            "they have no place in [0, 1]; ask for raw ones, or use /score",
            param=param,
        )
    return unit_score(profile, score, None)


def _raw(profile: Profile, score: SolutionScore, param: str) -> float:
    if score.kind == "outcome" and score.raw is not None and len(score.raw) == 1:
        return score.raw[0]
    if profile.scale == "unbounded":
        return score.score
    raise InvalidRequest(
        f"{param}: a score of profile {profile.name!r} is not one value with an activation: it is made of classes, or "
        "of several steps; leave this out, or name an outcome model with a scalar head",
        param=param,
    )


SCALINGS: Mapping[Scaling, Callable[[Profile, SolutionScore, str], float]] = {"own": _own, "unit": _unit, "raw": _raw}


def scaled(profile: Profile, score: SolutionScore, scaling: Scaling, param: str) -> float:
    """The score on that scale. For a process model it is the profile's own aggregate of its steps.

    Raises `AggregationNotDefined` or `InvalidRequest`, naming `param`, where the model has no such number: one on
    another scale would pass for it.
    """
    return SCALINGS[scaling](profile, score, param)


def best_first(scores: list[float]) -> list[int]:
    """Indices by descending score; of equal ones the first comes first."""
    return sorted(range(len(scores)), key=lambda index: -scores[index])
