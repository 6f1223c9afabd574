"""The report: what was measured, what was wanted, and two plots."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loadtests.traffic.bench import Check, Result
from loadtests.traffic.outcomes import counted, latencies, quantile
from loadtests.traffic.plots import draw_latencies, draw_rates


def write_report(folder: Path, results: Sequence[Result], facts: Mapping[str, Any]) -> str:
    """Write report.md, results.json and the plots, as PNG and SVG, into a folder; the Markdown."""
    drawn = [result for result in results if result.outcomes]
    if drawn:
        draw_latencies(drawn, folder)
        draw_rates(drawn, folder)
    text = markdown(results, facts)
    (folder / "report.md").write_text(text, encoding="utf-8")
    (folder / "results.json").write_text(json.dumps(_as_json(results, facts), indent=1), encoding="utf-8")
    return text


def markdown(results: Sequence[Result], facts: Mapping[str, Any]) -> str:
    """Short enough to stand in a README."""
    said = "".join(f"- {name}: {value}\n" for name, value in facts.items())
    rows = "".join(_row(result) for result in results)
    checks = "".join(
        f"| {result.name} | {check.name} | {check.measured} | {check.wanted} | {_said(check)} |\n"
        for result in results
        for check in result.checks
    )
    return (
        f"# Traffic\n\n{said}\n"
        "| | sent | accepted | answered | refused | lost | doubled | p50 / p95 / p99 of accepted interactive, s |\n"
        f"|---|---:|---:|---:|---:|---:|---:|---:|\n{rows}\n"
        f"| scenario | | measured | wanted | met |\n|---|---|---:|---:|---|\n{checks}\n"
        "![Latency from the intended start](latency.svg)\n\n![Requests a second](rates.svg)\n"
    )


def _said(check: Check) -> str:
    return "yes" if check.is_met else "**no**"


def _row(result: Result) -> str:
    if not result.outcomes:
        return ""
    counts = counted(result.outcomes)
    accepted = latencies(result.outcomes, "interactive", "answered")
    times = " / ".join(f"{quantile(accepted, share):.2f}" for share in (0.5, 0.95, 0.99))
    cells = (counts.sent, counts.accepted, counts.answered, counts.refused, counts.lost, counts.doubled)
    return f"| {result.title} | {' | '.join(f'{cell:,}' for cell in cells)} | {times} |\n"


def _as_json(results: Sequence[Result], facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "facts": dict(facts),
        "scenarios": [
            {
                "name": result.name,
                "title": result.title,
                "counts": asdict(counted(result.outcomes)),
                "checks": [asdict(check) for check in result.checks],
                "facts": dict(result.facts),
                "requests": [
                    [each.kind, round(each.intended_s, 4), round(each.latency_s, 4), each.fate]
                    for each in result.outcomes
                ],
            }
            for result in results
        ],
    }
