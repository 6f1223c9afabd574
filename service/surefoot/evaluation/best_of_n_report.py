"""Best-of-N curves as JSON, Markdown and CSV. None holds a date: equal runs give equal files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from surefoot.evaluation.best_of_n_curves import LINES, NUM_DRAWS, Curve, LineName


def report_json(curves: Sequence[Curve], facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the generator does by itself first, then every curve; `facts` say on what: models, data, seed."""
    by_line = {curve.line: curve for curve in curves}
    return {
        "pass_at_1": by_line["random"].points[0].accuracy,
        "pass_at_max": by_line["oracle"].points[-1].accuracy,
        "max_n": by_line["oracle"].points[-1].n,
        **facts,
        "curves": [
            {
                "line": curve.line,
                "title": LINES[curve.line].title,
                "points": [
                    {"n": point.n, "accuracy": point.accuracy, "spread": point.spread} for point in curve.points
                ],
            }
            for curve in curves
        ],
    }


def report_markdown(curves: Sequence[Curve], facts: Mapping[str, Any], picture: str | None) -> str:
    """The same for a reader; `picture` is the plot's file beside it, where there is one."""
    said = "".join(f"- {name.replace('_', ' ')}: {value}\n" for name, value in facts.items())
    shown = "" if picture is None else f"\n![Accuracy against N]({picture})\n"
    return (
        f"# Best of N\n\n{headline(curves)}\n\n{said}\n{curve_table(curves)}{shown}\n"
        "Share of the problems whose chosen candidate is right, N candidates drawn from each pool. After ± the "
        "standard deviation from draw to draw, which is 0 where N is the whole pool; it says nothing of how another "
        f"set of problems would do. Votes are taken over {NUM_DRAWS} seeded draws a problem, or all where there are no "
        "more; everything else is exact. Random choice is the pass rate, the oracle the unbiased pass@N.\n"
    )


def curve_table(curves: Sequence[Curve]) -> str:
    """Accuracy by line and N, in Markdown."""
    sizes = [point.n for point in curves[0].points]
    rows = "".join(
        f"| {LINES[curve.line].title} | "
        + " | ".join(f"{point.accuracy:.1%} ± {point.spread:.1%}" for point in curve.points)
        + " |\n"
        for curve in curves
    )
    return f"| chosen by | {' | '.join(f'N = {size}' for size in sizes)} |\n|---|{'---:|' * len(sizes)}\n{rows}"


def report_csv(curves: Sequence[Curve]) -> str:
    """One row for each point."""
    rows = [
        f"{curve.line},{point.n},{point.accuracy:.6f},{point.spread:.6f}" for curve in curves for point in curve.points
    ]
    return "\n".join(["line,n,accuracy,spread", *rows, ""])


def headline(curves: Sequence[Curve]) -> str:
    """What the generator does by itself, before anything is chosen."""
    points: Mapping[LineName, Any] = {curve.line: curve.points for curve in curves}
    first, last = points["random"][0], points["oracle"][-1]
    return f"pass@1 {first.accuracy:.1%}, pass@{last.n} {last.accuracy:.1%}"
