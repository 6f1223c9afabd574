"""First-error measures as JSON, Markdown and CSV. None holds a date: equal runs give equal files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from surefoot.evaluation.first_error_measures import MAX_POSITIONS, AtThreshold, FirstErrorMeasures


def report_json(measures: FirstErrorMeasures, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that was measured; `facts` say on what: model, data, command."""
    return {**facts, **asdict(measures)}


def report_markdown(measures: FirstErrorMeasures, facts: Mapping[str, Any], picture: str | None) -> str:
    """The same for a reader; `picture` is the heat map's file beside it, where there is one."""
    said = "".join(f"- {name.replace('_', ' ')}: {value}\n" for name, value in facts.items())
    shown = "" if picture is None else f"\n![True first error against the found one]({picture})\n"
    rows = "".join(
        f"| {at.threshold:.4f} | {at.accuracy_erroneous:.1%} | {at.accuracy_correct:.1%} | {at.f1:.1%} |\n"
        for at in measures.at
    )
    tables = "".join(f"\n## Confusion at threshold {at.threshold:.4f}\n\n{confusion_table(at)}" for at in measures.at)
    return (
        f"# First errors\n\n{said}\n{sizes(measures)}\n\nStep-level AUROC: {measures.auroc:.4f}\n\n"
        "| threshold | accuracy on erroneous solutions | accuracy on correct ones | F1 |\n|---:|---:|---:|---:|\n"
        f"{rows}{shown}{tables}\n"
        "F1 is the harmonic mean of the two accuracies, as in ProcessBench: a solution with an error counts when its "
        "first error is found at its very step, a correct one when none is found. The confusion counts solutions by "
        "true first error (rows) and found one (columns), steps from 0.\n"
    )


def confusion_csv(measures: FirstErrorMeasures) -> str:
    """One row for each threshold, true first error and found one that is met; `none` is no error."""
    rows = [
        f"{at.threshold:.6f},{truth},{found},{count}"
        for at in measures.at
        for truth, counts in zip(positions(at), at.confusion, strict=True)
        for found, count in zip(positions(at), counts, strict=True)
        if count
    ]
    return "\n".join(["threshold,true,found,solutions", *rows, ""])


def measures_csv(measures: FirstErrorMeasures) -> str:
    """One row for each threshold; the AUROC is the same in each."""
    rows = [
        f"{at.threshold:.6f},{at.accuracy_erroneous:.6f},{at.accuracy_correct:.6f},{at.f1:.6f},{measures.auroc:.6f}"
        for at in measures.at
    ]
    return "\n".join(["threshold,accuracy_erroneous,accuracy_correct,f1,auroc", *rows, ""])


def sizes(measures: FirstErrorMeasures) -> str:
    """How much there was to measure on."""
    return (
        f"{measures.num_solutions} solutions, {measures.num_erroneous_solutions} of {measures.num_judged_solutions} "
        f"judged ones with an error; {measures.num_steps} labelled steps, {measures.num_right_steps} of them right."
    )


def positions(at: AtThreshold) -> list[str]:
    """Names of the confusion's rows and columns."""
    num = len(at.confusion) - 1
    later = f"{num - 1}+" if num == MAX_POSITIONS else f"{num - 1}"
    return [*map(str, range(num - 1)), later, "none"]


def confusion_table(at: AtThreshold) -> str:
    """Solutions by true first error (rows) and found one (columns), in Markdown."""
    names = positions(at)
    rows = "".join(
        f"| **{name}** | {' | '.join(map(str, counts))} |\n" for name, counts in zip(names, at.confusion, strict=True)
    )
    return f"| true \\ found | {' | '.join(names)} |\n|---|{'---:|' * len(names)}\n{rows}"
