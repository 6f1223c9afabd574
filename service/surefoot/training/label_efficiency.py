"""What labels are worth: measures against their number, and the ratio of slopes of two ways of choosing.

Data efficiency as in arXiv 2305.20050, section 4.2: the slope of a line fitted, by least squares, to the measure
against the logarithm of the number of labelled solutions; there choosing convincing wrong answers has about 2.6 times
the slope of a uniform choice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from types import MappingProxyType
from typing import Any, Literal

from surefoot.training.rounds import Choosing

Measure = Literal["f1", "auroc", "loss"]

TITLES: Mapping[Measure, str] = MappingProxyType(
    {"f1": "first-error F1", "auroc": "AUROC of steps", "loss": "loss, nats a step"}
)


@dataclass(frozen=True, slots=True)
class Point:
    """A round that is done: solutions labelled so far, and the measures of the model trained on them.

    A measure that the validation rows do not allow is not there.
    """

    round: int
    num_labels: int
    measures: Mapping[str, float]


Lines = Mapping[Choosing, Sequence[Point]]
"""The rounds of each way of choosing."""


def slope(points: Sequence[Point], measure: Measure) -> float | None:
    """Of the measure against the natural logarithm of the number of labels; `None` for fewer than two numbers."""
    known = [(math.log(point.num_labels), point.measures[measure]) for point in points if measure in point.measures]
    if len({number for number, _ in known}) < 2:
        return None
    middle, mean = fmean(number for number, _ in known), fmean(value for _, value in known)
    spread = sum((number - middle) ** 2 for number, _ in known)
    return sum((number - middle) * (value - mean) for number, value in known) / spread


def efficiency(lines: Lines, measure: Measure) -> float | None:
    """The slope of the convincing choice over that of the uniform one; `None` where a uniform choice gains nothing."""
    slopes = [slope(lines.get(how, ()), measure) for how in ("convincing", "uniform")]
    better = -1.0 if measure == "loss" else 1.0
    convincing, uniform = (None if each is None else each * better for each in slopes)
    if convincing is None or uniform is None or uniform <= 0:
        return None
    return convincing / uniform


def report_json(lines: Lines, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Slopes, ratios and all points; `facts` say on what."""
    return {
        **facts,
        "data_efficiency": {measure: efficiency(lines, measure) for measure in TITLES} if len(lines) > 1 else None,
        "slopes": {how: {measure: slope(points, measure) for measure in TITLES} for how, points in lines.items()},
        "rounds": {
            how: [{"round": point.round, "num_labels": point.num_labels, **dict(point.measures)} for point in points]
            for how, points in lines.items()
        },
    }


def headline(lines: Lines) -> str:
    """The one sentence of it."""
    if len(lines) > 1:
        ratio = efficiency(lines, "f1")
        if ratio is None:
            return (
                "Data efficiency by first-error F1: none can be told, as F1 does not rise with labels chosen uniformly"
            )
        return f"Data efficiency by first-error F1: {ratio:.2f} times that of a uniform choice"
    (points,) = lines.values()
    if not points:
        return "No round is done"
    last = points[-1]
    said = ", ".join(f"{TITLES[name]} {_told(name, last)}" for name in TITLES if name in last.measures)
    return f"{last.num_labels} labels after round {last.round}: {said}"


def report_markdown(lines: Lines, facts: Mapping[str, Any], picture: str | None) -> str:
    """The same for a reader; `picture` is the plot's file beside it, where there is one."""
    said = "".join(f"- {name.replace('_', ' ')}: {value}\n" for name, value in facts.items())
    rows = "".join(
        f"| {how} | {point.round} | {point.num_labels} | {' | '.join(_told(name, point) for name in TITLES)} |\n"
        for how, points in lines.items()
        for point in points
    )
    slopes = "".join(
        f"| {how} | {' | '.join(_number(slope(points, name)) for name in TITLES)} |\n" for how, points in lines.items()
    )
    if len(lines) > 1:
        slopes += f"| ratio | {' | '.join(_number(efficiency(lines, name)) for name in TITLES)} |\n"
    shown = "" if picture is None else f"\n![Measures against labels]({picture})\n"
    titles = " | ".join(TITLES.values())
    return (
        f"# The loop\n\n{headline(lines)}\n\n{said}\n"
        f"| chosen | round | labels | {titles} |\n|---|---:|---:|---:|---:|---:|\n{rows}\n"
        f"Slopes against the logarithm of the number of labels, by least squares:\n\n"
        f"| chosen | {titles} |\n|---|---:|---:|---:|\n{slopes}{shown}\n"
        "Each round trains from the base on the seed rows and all labels so far; measures are those of its best epoch "
        "on the validation rows. The ratio is that of gains, with a loss that falls counted as one; it is left out "
        "where a uniform choice gains nothing.\n"
    )


def _told(measure: Measure, point: Point) -> str:
    value = point.measures.get(measure)
    return "–" if value is None else f"{value:.4f}" if measure == "loss" else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
