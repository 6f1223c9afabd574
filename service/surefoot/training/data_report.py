"""What a set of labelled rows holds, as JSON and as Markdown. None holds a date: equal runs give equal files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from surefoot.training.dataset import LabelledData
from surefoot.training.labelled_row import LabelledRow
from surefoot.training.surface import surface_auroc

LAST_POSITION = 8
"""First errors from this step on are counted together."""


def report_json(data: LabelledData, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Counts of both parts by family and by place of the first error; `facts` say what they were made from."""
    return {
        **facts,
        "dropped": dict(sorted(data.dropped.items())),
        "train": _part(data.train),
        "validation": _part(data.validation),
        "surface_auroc": surface_auroc((*data.train, *data.validation)),
    }


def report_markdown(report: Mapping[str, Any]) -> str:
    """The same for a reader."""
    facts = {name: value for name, value in report.items() if not isinstance(value, Mapping)}
    said = "\n".join(f"- {name.replace('_', ' ')}: {value}" for name, value in facts.items())
    parts = "".join(f"## {name.capitalize()}\n\n{_part_markdown(report[name])}\n" for name in ("train", "validation"))
    surface = _table(("feature", "AUROC"), [[name, f"{value:.3f}"] for name, value in report["surface_auroc"].items()])
    titles = {"left_out": "Problems that could not be used", "dropped": "Rows left out"}
    counted = "".join(
        f"## {title}\n\n{_table(('', 'count'), [[key.replace('_', ' '), count] for key, count in counts.items()])}\n"
        for counts, title in ((report.get(name), title) for name, title in titles.items())
        if counts
    )
    return (
        f"# Labelled training data\n\n{said}\n\n{parts}{counted}"
        "## What the surface tells\n\nThe chance that the feature is larger in a wrong solution than in a right one; "
        f"0.5 tells nothing.\n\n{surface}"
    )


def _part(rows: Sequence[LabelledRow]) -> dict[str, Any]:
    labels = Counter(label for row in rows for label in row.labels)
    families = Counter(row.family or "unknown" for row in rows)
    errors: dict[str, Counter[int]] = {}
    for row in rows:
        if row.first_error is not None:
            errors.setdefault(row.family or "unknown", Counter())[min(row.first_error, LAST_POSITION)] += 1
    return {
        "rows": len(rows),
        "problems": len({row.problem for row in rows}),
        "outcome_only_rows": sum(not row.is_judged for row in rows),
        "correct_rows": sum(row.is_correct is True for row in rows),
        "wrong_rows": sum(row.is_correct is False for row in rows),
        "labels": {
            "right": labels[1],
            "neutral": labels[0],
            "wrong": labels[-1],
            "none": labels[None],
        },
        "by_family": dict(sorted(families.items())),
        "first_errors": {
            family: {str(place): counts[place] for place in range(LAST_POSITION + 1)}
            for family, counts in sorted(errors.items())
        },
    }


def _part_markdown(part: Mapping[str, Any]) -> str:
    if not part["rows"]:
        return "No rows.\n"
    labels = ", ".join(f"{count} {name}" for name, count in part["labels"].items())
    families = _table(("family", "rows"), part["by_family"].items())
    places = [*map(str, range(LAST_POSITION)), f"{LAST_POSITION}+"]
    errors = _table(
        ("first error at step", *places),
        [[family, *counts.values()] for family, counts in part["first_errors"].items()],
    )
    return (
        f"{part['rows']} rows of {part['problems']} problems: {part['correct_rows']} right and {part['wrong_rows']} "
        f"wrong solutions, {part['outcome_only_rows']} with their outcome only; step labels: {labels}.\n\n"
        f"{families}\n{errors}"
    )


def _table(head: Sequence[str], rows: Any) -> str:
    lines = [f"| {' | '.join(head)} |", f"|---{'|---:' * (len(head) - 1)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)]) + "\n"
