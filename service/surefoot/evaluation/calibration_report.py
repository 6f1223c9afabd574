"""A calibration as JSON, as Markdown and as the profile's TOML. None holds a date: equal runs give equal files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import tomli_w

from surefoot.evaluation.calibration import Calibration, Change, Measures
from surefoot.evaluation.reliability import NUM_BINS
from surefoot.profiles import Profile

_PERCENT = "{:.1%}".format
_FINE = "{:.4f}".format
_SHORT = "{:.4g}".format

ROWS: tuple[tuple[str, Callable[[Measures], float], Callable[[float], str]], ...] = (
    ("temperature", lambda measures: measures.temperature, _SHORT),
    ("threshold", lambda measures: measures.threshold, _FINE),
    (f"expected calibration error, {NUM_BINS} bins of equal width", lambda measures: measures.ece, _FINE),
    (f"expected calibration error, {NUM_BINS} bins of equal mass", lambda measures: measures.ece_equal_mass, _FINE),
    ("Brier score", lambda measures: measures.brier, _FINE),
    ("negative log-likelihood, nats a step", lambda measures: measures.nll, _FINE),
    ("first-error F1", lambda measures: measures.f1, _PERCENT),
    ("accuracy on erroneous solutions", lambda measures: measures.accuracy_erroneous, _PERCENT),
    ("accuracy on correct solutions", lambda measures: measures.accuracy_correct, _PERCENT),
)
"""What is compared before and after, in this order: its name, its value, and how that is written."""


def report_json(calibration: Calibration, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that was measured; `facts` say on what: model, data, seed."""
    return {
        **facts,
        "temperature": calibration.held_out.after.temperature,
        "threshold": calibration.held_out.after.threshold,
        "held_out": asdict(calibration.held_out),
        "fitted": asdict(calibration.fitted),
        "notices": list(calibration.notices),
    }


def report_markdown(calibration: Calibration, facts: Mapping[str, Any], picture: str | None) -> str:
    """The same for a reader; `picture` is the diagram's file beside it, where there is one."""
    said = "\n".join(f"- {name.replace('_', ' ')}: {value}" for name, value in facts.items())
    notices = "".join(f"> {notice}\n\n" for notice in calibration.notices)
    shown = "" if picture is None else f"\n![Reliability before and after calibration]({picture})\n"
    return (
        f"# Calibration of {calibration.profile.name}\n\n{said}\n\n{notices}"
        f"## Held-out solutions\n\n{_sizes(calibration.held_out)}\n\n{_table(calibration.held_out)}{shown}\n"
        f"## Solutions that temperature and threshold were fitted on\n\n{_sizes(calibration.fitted)}\n\n"
        f"{_table(calibration.fitted)}\n"
        "Calibration errors, Brier score and likelihood are of all labelled steps: smaller is better. F1 is the "
        "harmonic mean of the two accuracies, as in ProcessBench: a solution with an error counts when its first error "
        "is found at its very step, a correct one when none is found.\n"
    )


def profile_toml(profile: Profile, command: str) -> str:
    """The profile as a file that `load_profile` reads; `command` is named in its first line."""
    values = profile.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return (
        f"# Made by: {''.join(letter if letter.isprintable() else '?' for letter in command)}\n"
        "# Comments of the source, and golden scores, which are those of its temperature, are left out.\n"
        f"{tomli_w.dumps(values)}"
    )


def _sizes(change: Change) -> str:
    part = change.after
    return (
        f"{part.num_solutions} solutions, {part.num_erroneous_solutions} of {part.num_judged_solutions} judged ones "
        f"with an error; {part.num_steps} labelled steps, {part.num_right_steps} of them right."
    )


def _table(change: Change) -> str:
    rows = "".join(
        f"| {name} | {write(value(change.before))} | {write(value(change.after))} |\n" for name, value, write in ROWS
    )
    return f"| | before | after |\n|---|---:|---:|\n{rows}"
