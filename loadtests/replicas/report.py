"""The report: what each way cost, what a drain did, and whether it is as it must be."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loadtests.replicas.asking import Answer
from loadtests.replicas.drains import Drained
from loadtests.replicas.pair import shares
from loadtests.replicas.ways import Measured
from loadtests.traffic.bench import Check, Result
from loadtests.traffic.outcomes import counted, latencies, quantile
from loadtests.traffic.plots import draw_latencies

Checks = Mapping[str, Sequence[Check]]
"""By the name of a part."""


def write_report(
    folder: Path, ways: Sequence[Measured], drains: Sequence[Drained], checks: Checks, facts: Mapping[str, Any]
) -> str:
    """Write report.md, results.json and a plot, as PNG and SVG, into a folder; the Markdown."""
    parts = {way.name: way.answers for way in ways} | {f"drain, {each.name}": each.answers for each in drains}
    drawn = [Result(name, name, [answer.outcome for answer in found], ()) for name, found in parts.items()]
    draw_latencies(drawn, folder)
    text = markdown(ways, parts, checks, facts)
    (folder / "report.md").write_text(text, encoding="utf-8")
    stored = {
        "facts": dict(facts),
        "ways": {way.name: _as_json(way) for way in ways},
        "drains": {each.name: {"status": each.status, "kept": each.kept, "returned": each.returned} for each in drains},
        "counts": {name: asdict(counted(each.outcome for each in found)) for name, found in parts.items()},
        "checks": {name: [asdict(check) for check in found] for name, found in checks.items()},
        "requests": {name: [_request(answer) for answer in found] for name, found in parts.items()},
    }
    (folder / "results.json").write_text(json.dumps(stored, indent=1), encoding="utf-8")
    return text


def markdown(
    ways: Sequence[Measured], parts: Mapping[str, Sequence[Answer]], checks: Checks, facts: Mapping[str, Any]
) -> str:
    """Short enough to stand in a README."""
    said = "".join(f"- {name}: {value}\n" for name, value in facts.items())
    counts = "".join(_counts(name, answers) for name, answers in parts.items())
    costs = "".join(_cost(way, ways[-1]) for way in ways)
    rows = "".join(
        f"| {name} | {check.name} | {check.measured} | {check.wanted} | {'yes' if check.is_met else '**no**'} |\n"
        for name, found in checks.items()
        for check in found
    )
    return (
        f"# Two replicas\n\n{said}\n"
        "| | sent | accepted | answered | refused | lost | doubled | p50 / p95, s |\n"
        f"|---|---:|---:|---:|---:|---:|---:|---:|\n{counts}\n"
        f"| | seconds | requests/s | tokens given | computed | … of {ways[-1].name} | away | shares |\n"
        f"|---|---:|---:|---:|---:|---:|---:|---:|\n{costs}\n"
        f"| part | | measured | wanted | met |\n|---|---|---:|---:|---|\n{rows}\n"
        "![Latency of each request](latency.svg)\n"
    )


def _counts(name: str, answers: Sequence[Answer]) -> str:
    outcomes = [answer.outcome for answer in answers]
    counts = counted(outcomes)
    cells = (counts.sent, counts.accepted, counts.answered, counts.refused, counts.lost, counts.doubled)
    taken = latencies(outcomes, "interactive", "answered")
    times = " / ".join(f"{quantile(taken, part):.2f}" for part in (0.5, 0.95))
    return f"| {name} | {' | '.join(f'{cell:,}' for cell in cells)} | {times} |\n"


def _cost(way: Measured, reference: Measured) -> str:
    found = shares(answer.place for answer in way.answers)
    cells = (
        f"{way.seconds:.1f}",
        f"{len(way.answers) / way.seconds:.2f}",
        f"{way.tokens.prompt:,}",
        f"{way.computed:,}",
        f"{way.computed / max(1, reference.computed):.2f}",
        f"{way.away:.0%}",
        " / ".join(f"{share:.0%}" for share in found),
    )
    return f"| {way.name} | {' | '.join(cells)} |\n"


def _as_json(way: Measured) -> dict[str, Any]:
    return {
        "seconds": way.seconds,
        "tokens": asdict(way.tokens),
        "computed": way.computed,
        "away": way.away,
        "shares": shares(answer.place for answer in way.answers),
    }


def _request(answer: Answer) -> list[Any]:
    outcome = answer.outcome
    return [
        answer.question.problem,
        answer.question.round,
        answer.place,
        round(outcome.started_s, 4),
        round(outcome.latency_s, 4),
        outcome.fate,
        answer.given,
        answer.known,
        answer.computed,
    ]
