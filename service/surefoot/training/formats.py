"""Labelled rows in the ways in which other projects write them. What is written here `labelled_steps` reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from surefoot.evaluation.labelled_steps import MATH_SHEPHERD_TAG
from surefoot.training.labelled_row import LabelledRow

RowFormat = Literal["surefoot", "prm800k", "trl", "math-shepherd"]


def written_rows(rows: Sequence[LabelledRow], row_format: RowFormat) -> Iterator[str]:
    """JSON lines, each with its end. Formats that label every step end with the first error; a row that has labels
    for no step is left out of them."""
    has_neutral = any(label == 0 for row in rows for label in row.labels)
    write = WRITERS[row_format]
    for row in rows:
        written = write(row, has_neutral)
        if written is not None:
            yield json.dumps(written, ensure_ascii=False) + "\n"


def _surefoot(row: LabelledRow, has_neutral: bool) -> dict[str, Any]:
    """`first_error` is there where the steps are judged: its null says that all are right."""
    wrong = -1 if has_neutral else 0
    written: dict[str, Any] = {
        "problem": row.problem,
        "steps": list(row.steps),
        "labels": [wrong if label == -1 else label for label in row.labels],
    }
    if row.is_judged:
        written["first_error"] = row.first_error
    facts: dict[str, Any] = {
        "answer": row.answer,
        "is_correct": row.is_correct,
        "source": row.source,
        "family": row.family,
    }
    if row.soft_labels is not None:
        facts["soft_labels"] = list(row.soft_labels)
    return {**written, **facts, "id": row.id}


def _prm800k(row: LabelledRow, has_neutral: bool) -> dict[str, Any] | None:  # noqa: ARG001
    steps, labels = _supervised(row)
    if not steps:
        return None
    parts = [
        {
            "completions": [{"text": step, "rating": label, "flagged": False}],
            "human_completion": None,
            "chosen_completion": None if label == -1 else 0,
        }
        for step, label in zip(steps, labels, strict=True)
    ]
    question = {"problem": row.problem, "ground_truth_answer": row.answer}
    reason = "solution" if row.first_error is None else "found_error"
    return {"question": question, "label": {"steps": parts, "finish_reason": reason}}


def _trl(row: LabelledRow, has_neutral: bool) -> dict[str, Any] | None:  # noqa: ARG001
    """TRL's stepwise supervision; it has no neutral step, so that one counts as right."""
    steps, labels = _supervised(row)
    if not steps:
        return None
    return {"prompt": row.problem, "completions": list(steps), "labels": [label != -1 for label in labels]}


def _math_shepherd(row: LabelledRow, has_neutral: bool) -> dict[str, Any] | None:  # noqa: ARG001
    """Math-Shepherd's two texts (arXiv 2312.08935): each step ends with a tag, in `label` with + or - in its place."""
    steps, labels = _supervised(row)
    if not steps:
        return None
    lines = [f"Step {index}: {step} " for index, step in enumerate(steps, start=1)]
    marked = [line + ("-" if label == -1 else "+") for line, label in zip(lines, labels, strict=True)]
    tagged = [line + MATH_SHEPHERD_TAG for line in lines]
    return {
        "input": f"{row.problem} " + "\n".join(tagged),
        "label": f"{row.problem} " + "\n".join(marked),
        "task": row.source,
    }


WRITERS: Mapping[RowFormat, Callable[[LabelledRow, bool], dict[str, Any] | None]] = MappingProxyType(
    {"surefoot": _surefoot, "prm800k": _prm800k, "trl": _trl, "math-shepherd": _math_shepherd}
)


def _supervised(row: LabelledRow) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The steps that a label stands for, from the first on, to the first error at most."""
    labels: list[int] = []
    for label in row.labels:
        if label is None:
            break
        labels.append(label)
        if label == -1:
            break
    return row.steps[: len(labels)], tuple(labels)
