"""The report of a grid as Markdown: everything in it is told from the cells' records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surefoot.evaluation.report_page import number, share, table
from surefoot.evaluation.weak_supervision import Spread
from surefoot.experiments.weak_to_strong.findings import Finding
from surefoot.experiments.weak_to_strong.results import StudentResult, mean_agreement
from surefoot.experiments.weak_to_strong.tasks import TASKS


@dataclass(frozen=True, slots=True)
class Facts:
    """How the grid was run: `sources` says where each task's items are from, `num_cells` how many of how many are done,
    `seconds` what they took together."""

    command: str
    sources: Mapping[str, str]
    plan: Mapping[str, Any]
    num_done: int
    num_cells: int
    seconds: float


_SETTING = (
    "A weak supervisor learns the truth of one half of the training items and labels the other half; a student learns "
    "these labels, and its ceiling the truth of the same items. PGR = (student - weak) / (ceiling - weak) (arXiv "
    "2312.09390). Accuracies are of the same test items for every seed; ± is one standard deviation over seeds.\n"
)


def report(found: Sequence[StudentResult], told: Sequence[Finding], facts: Facts, figures: Mapping[str, str]) -> str:
    """The page; `figures` are captions by the name of their files without ending."""
    parts = [
        f"# Weak-to-strong generalization\n\n{_SETTING}",
        _how(facts),
        _findings(told),
        *(_task(name, [each for each in found if each.task == name]) for name in dict.fromkeys(e.task for e in found)),
        *(f"![{caption}]({name}.png)\n\n{caption}\n" for name, caption in figures.items()),
    ]
    return "\n".join(parts)


def notes(found: StudentResult) -> list[str]:
    """What a reader of a row must know: a PGR that means nothing, or a student weaker than its teacher.

    What is so of a pair is said alike for all its schemes.
    """
    said = []
    pair = f"{found.pair.weak} → {found.pair.strong}"
    if found.pgr_of_means is None:
        said.append(f"{pair}: the ceiling is not above the supervisor, so that PGR is not defined.")
    elif not found.is_clear:
        said.append(f"{pair}: the gap between supervisor and ceiling is too small against the spread to tell a PGR.")
    if found.num_undefined and found.pgr_of_means is not None:
        said.append(f"{pair}: PGR is not defined for {found.num_undefined} of {len(found.seeds)} seeds.")
    if found.student().mean < found.weak.mean:
        said.append(f"{_row_name(found)}: the student is weaker than its supervisor.")
    return said


def _how(facts: Facts) -> str:
    state = f"{facts.num_done} of {facts.num_cells} trainings are done"
    sources = "".join(f"- {task}: {source}\n" for task, source in facts.sources.items())
    sizes = facts.plan["sizes"]
    rest = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.plan.items() if name != "sizes")
    return (
        f"- command: `{facts.command}`\n- {state}, in {facts.seconds / 60:.0f} minutes\n{sources}"
        f"- items: {sizes['train']} for the supervisor, {sizes['train']} for student and ceiling, "
        f"{sizes['validation']} to validate, {sizes['test']} to test\n- {rest}\n"
    )


def _findings(told: Sequence[Finding]) -> str:
    rows = [(each.claim, f"**{each.verdict}**", _difference(each.difference), each.told_from) for each in told]
    return (
        "## Which of the paper's findings appear\n\n"
        "Differences are over pairs and seeds whose gap between supervisor and ceiling is larger than its spread. "
        "One is told where its mean is further from 0 than twice its standard error.\n\n"
        + table(("finding", "here", "mean difference ± deviation (count)", "told from"), rows)
    )


def _task(name: str, found: Sequence[StudentResult]) -> str:
    head = f"## {name}: {TASKS[found[0].task].title}\n"
    scores = table(
        (
            "supervisor → student, scheme",
            "supervisor",
            "student",
            "ceiling",
            "PGR, mean over seeds",
            "PGR of the mean accuracies",
        ),
        [
            (
                _row_name(each),
                spanned(each.weak),
                spanned(each.student()),
                spanned(each.ceiling),
                "–" if each.pgr is None or not each.is_clear else spanned(each.pgr),
                number(each.pgr_of_means if each.is_clear else None),
            )
            for each in found
        ],
    )
    warned = "".join(f"- {line}\n" for line in dict.fromkeys(line for each in found for line in notes(each)))
    imitation = table(
        (
            "",
            "agreement",
            "where the supervisor is right",
            "where it is wrong",
            "ECE (supervisor's)",
            "end",
            "stopped by weak labels",
            "stopped by the truth",
        ),
        [_imitation(each) for each in found],
    )
    return f"{head}\n{scores}\n{warned}\n{imitation}"


def _imitation(each: StudentResult) -> tuple[str, ...]:
    error = sum(seed.error for seed in each.seeds) / len(each.seeds)
    weak_error = sum(seed.weak_error for seed in each.seeds) / len(each.seeds)
    return (
        _row_name(each),
        *(_share(mean_agreement(each, part)) for part in ("overall", "where_right", "where_wrong")),
        f"{error:.3f} ({weak_error:.3f})",
        *(share(each.student(pick).mean) for pick in ("last", "weak", "true")),
    )


def _row_name(each: StudentResult) -> str:
    return f"{each.pair.weak} → {each.pair.strong}, {each.scheme}"


def spanned(found: Spread) -> str:
    """A mean and its deviation."""
    return f"{found.mean:.3f} ± {found.deviation:.3f}"


def _difference(found: Spread | None) -> str:
    return "–" if found is None else f"{found.mean:+.3f} ± {found.deviation:.3f} ({found.count})"


def _share(value: float | None) -> str:
    return "–" if value is None else share(value)
