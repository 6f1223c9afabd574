"""What was measured, as a table, as JSON and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from loadtests.roofline import ModelShape
from loadtests.token_inputs import TokenCounts
from surefoot.evaluation.pictures import GRID, INK, LOOKS, SMALL, picture_style, save_picture
from surefoot.forest import shared_prefix


@dataclass(frozen=True, slots=True)
class Measured:
    """A peer's runs of one workload; `largest_difference` is of its scores from those of the first peer."""

    workload: str
    peer: str
    seconds: tuple[float, ...]
    latencies_s: tuple[float, ...]
    largest_difference: float
    peak_mib: float
    num_candidates: int
    tokens: TokenCounts
    work: float
    """FLOPs of its distinct tokens, attention counted."""

    gpu_mib: float | None = None
    forward_s: tuple[float, ...] = ()
    """Seconds of its forward passes in each run, where it tells them."""

    @property
    def median_s(self) -> float:
        return median(self.seconds)

    def latency(self, quantile: float) -> float:
        """Seconds within which that share of the groups was answered."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]


def work_of(waves: Sequence[Sequence[dict[str, Any]]], shape: ModelShape) -> float:
    """FLOPs of the distinct tokens of all waves, each wave from scratch, attention counted."""
    total = 0
    for wave in waves:
        before: tuple[int, ...] = ()
        for tokens in sorted(tuple(each["token_ids"]) for group in wave for each in group["candidates"]):
            shared = shared_prefix(before, tokens)
            total += (len(tokens) - shared) * shape.flops_per_token
            total += sum(shape.attention_flops(depth) for depth in range(shared + 1, len(tokens) + 1))
            before = tokens
    return float(total)


def markdown(found: Sequence[Measured], roofline: float) -> str:
    """A table for each workload: medians with their range, ratios to the first peer named, shares of the rate."""
    parts = []
    for name in dict.fromkeys(each.workload for each in found):
        own = [each for each in found if each.workload == name]
        first = own[0]
        tokens = first.tokens
        parts.append(
            f"### {name}\n\n{first.num_candidates:,} candidates, {tokens.full:,} tokens, {tokens.unique:,} distinct in "
            f"their wave, {tokens.new:,} that no wave before had\n\n"
            "| | seconds | candidates/s | tokens/s | surefoot is | of the matrix rate | p50 / p95 / p99 s | peak MiB "
            "| of a GPU | scores differ by |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
            + "".join(map(_row(first, roofline), own))
            + "".join(map(_beside_passes, own))
        )
    return "\n".join(parts)


def _row(first: Measured, roofline: float) -> Any:
    def row(each: Measured) -> str:
        low, high = min(each.seconds), max(each.seconds)
        cells = (
            each.peer,
            f"{each.median_s:.2f} ({low:.2f}–{high:.2f})",
            f"{each.num_candidates / each.median_s:.1f}",
            f"{each.tokens.full / each.median_s:,.0f}",
            "–" if each is first else f"{each.median_s / first.median_s:.2f} times as fast",
            f"{each.work / each.median_s / roofline:.0%}",
            " / ".join(f"{each.latency(share):.2f}" for share in (0.5, 0.95, 0.99)),
            f"{each.peak_mib:,.0f}",
            "–" if each.gpu_mib is None else f"{each.gpu_mib:,.0f}",
            f"{each.largest_difference:.4f}",
        )
        return f"| {' | '.join(cells)} |\n"

    return row


def _beside_passes(each: Measured) -> str:
    if not each.forward_s:
        return ""
    rest = [whole - passes for whole, passes in zip(each.seconds, each.forward_s, strict=True)]
    return f"\n{each.peer}: {median(rest):.2f} of {each.median_s:.2f} s outside its forward passes.\n"


def as_json(found: Sequence[Measured], roofline: float, facts: dict[str, Any]) -> dict[str, Any]:
    """All of it."""
    return {**facts, "matrix_flops_per_s": roofline, "measured": [asdict(each) for each in found]}


def plot(found: Sequence[Measured], paths: Sequence[Path]) -> None:
    """Candidates per second of each peer, a row of bars for each workload, the first peer's in a colour of its own."""
    from matplotlib.figure import Figure

    workloads = list(dict.fromkeys(each.workload for each in found))
    with picture_style():
        figure = Figure(figsize=(3.4 * len(workloads), 3.4), layout="constrained")
        for axes, name in zip(figure.subplots(1, len(workloads), squeeze=False)[0], workloads, strict=True):
            own = [each for each in found if each.workload == name]
            rates = [each.num_candidates / each.median_s for each in own]
            colours = [LOOKS[0].colour, *[GRID] * (len(own) - 1)]
            names = [each.peer.replace("_", " ") for each in own]
            bars = axes.barh(names, rates, color=colours, edgecolor=INK, linewidth=0.6)
            axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=SMALL)
            axes.invert_yaxis()
            axes.set_title(name)
            axes.set_xlabel("candidates scored a second")
            axes.margins(x=0.2)
        save_picture(figure, paths)
