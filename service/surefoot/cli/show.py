"""Scored solutions as a person wants to read them on a terminal; plain lines where there is none."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from surefoot.cli.consoles import harmless, one_line
from surefoot.cli.plain_lines import best_of_n_lines, score_lines
from surefoot_client import BestOfN, Candidate, ItemResult, ModelInfo, RankedCandidate, StepScore

GOOD, DOUBTFUL = 0.7, 0.4

Level = Literal["good", "doubtful", "bad", "unknown"]

# Each level has a mark beside its colour: not everybody sees the colours, and NO_COLOR takes them away.
_COLOURS: dict[Level, str] = {"good": "green", "doubtful": "yellow", "bad": "red", "unknown": "default"}
_MARKS: dict[Level, str] = {"good": "✓", "doubtful": "~", "bad": "✗", "unknown": "·"}

# rich names web fonts; without them the viewer's own monospaced font is used.
_FONT_FACE = re.compile(r"@font-face \{.*?\}", re.DOTALL)


def tell_best_of_n(console: Console, problem: str, found: BestOfN, models: Sequence[ModelInfo], strategy: str) -> None:
    """For a person where the console is a terminal, as plain lines elsewhere."""
    if console.is_terminal:
        show_best_of_n(console, problem, found, models, strategy)
    else:
        print_lines(console, best_of_n_lines(problem, found, models))


def tell_score(console: Console, line: int, result: ItemResult) -> None:
    """The scored solution of a line of the input."""
    if not console.is_terminal:
        print_lines(console, score_lines(line, result))
        return
    heading = Text.assemble((f"line {line}", "bold"), f"  {one_line(result.id or '', 40)}", f"  {result.score:.3f}")
    console.print(heading)
    if result.steps:
        console.print(_steps(result.steps, result.text, result.first_error), soft_wrap=False)
    else:
        console.print(Text(f"    {one_line(result.text, 200)}", style="dim"), soft_wrap=False)


def print_lines(console: Console, lines: Iterable[str]) -> None:
    """Lines as they are, tabs included."""
    for line in lines:
        console.file.write(f"{line}\n")


def show_best_of_n(console: Console, problem: str, found: BestOfN, models: Sequence[ModelInfo], strategy: str) -> None:
    """The problem, every candidate best first with its steps coloured by probability, a table of them, the pick and
    its reason."""
    console.print(Text.assemble(("Problem  ", "bold"), harmless(problem)), soft_wrap=False)
    scales = {model.id: model.scale for model in models}
    drawn = {candidate.index: candidate for candidate in found.candidates}
    scale = scales.get(found.ranking.models.get("process", ""), "probability")
    for place, ranked in enumerate(found.ranking.results, start=1):
        console.print()
        _show_candidate(console, place, ranked, drawn[ranked.index], scale, is_pick=ranked.index == found.best)
    if len(found.ranking.results) > 1:
        console.print()
        console.print(_table(found), soft_wrap=False)
    console.print()
    for line in explain_pick(found, strategy):
        console.print(line, soft_wrap=False)
    for model in models:
        if model.notice and model.id in found.ranking.models.values():
            console.print(Text(harmless(f"{model.id} is {model.notice}."), style="yellow"), soft_wrap=False)


def save_picture(
    path: Path, problem: str, found: BestOfN, models: Sequence[ModelInfo], strategy: str, *, width: int = 100
) -> None:
    """What `show_best_of_n` prints, as an SVG that fetches nothing when it is looked at."""
    console = Console(
        record=True, width=width, file=io.StringIO(), highlight=False, force_terminal=True, no_color=False, emoji=False
    )
    show_best_of_n(console, problem, found, models, strategy)
    drawing = console.export_svg(title="surefoot solve", unique_id="surefoot")
    path.write_text(_FONT_FACE.sub("", drawing), encoding="utf-8")


def explain_pick(found: BestOfN, strategy: str) -> list[Text]:
    """The pick and why: the score or the votes that decided."""
    ranking = found.ranking
    agreement = (
        f"{ranking.agreement:.0%} of the candidates agree on the most common answer" if ranking.agreement else ""
    )
    if found.best is None:
        return [
            Text.assemble(("No pick. ", "bold"), "No candidate was good enough, or none has an answer. ", agreement)
        ]
    best = ranking.best_result
    relevance = best.relevance_score if best else None
    said = Text.assemble(
        ("Pick ", "bold"),
        (f"candidate {found.best}", "bold green"),
        f", answer {one_line(found.answer, 60)}" if found.answer else ", which states no answer",
        f": highest {_REASONS[strategy]}",
        "" if relevance is None else f" ({relevance:.3f})",
        ", a tie settled by the first or the seeded choice" if ranking.tie else "",
        ".",
    )
    votes = ", ".join(f"{one_line(vote.answer, 30)} ×{vote.count}" for vote in ranking.votes[:5])
    more = [Text(f"Answers: {votes}. {agreement}.", style="dim")] if votes else []
    return [said, *more]


_REASONS = {
    "process": "score of its steps by the process model",
    "outcome": "score by the outcome model",
    "majority": "share of the votes for its answer",
    "process_weighted": "share of the votes for its answer, weighted by the process model",
    "outcome_weighted": "share of the votes for its answer, weighted by the outcome model",
    "process_outcome": "product of the process and outcome models' scores",
}


def level(score: float, scale: str) -> Level:
    """How good a step is; an unbounded score says so to nobody who does not know its model."""
    if scale == "unbounded":
        return "unknown"
    share = (score + 1) / 2 if scale == "signed" else score
    return "good" if share >= GOOD else "doubtful" if share >= DOUBTFUL else "bad"


def _table(found: BestOfN) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("")
    for title in ("candidate", "score", "steps", "first error"):
        table.add_column(title, justify="right")
    table.add_column("answer", overflow="ellipsis", no_wrap=True)
    for ranked in found.ranking.results:
        is_pick = ranked.index == found.best
        table.add_row(
            "▶" if is_pick else "",
            str(ranked.index),
            _score(ranked),
            "–" if ranked.steps is None else str(len(ranked.steps)),
            "–" if ranked.first_error is None else f"step {ranked.first_error}",
            Text(one_line(ranked.answer or "none", 40)),
            style="bold green" if is_pick else "",
        )
    return table


def _score(ranked: RankedCandidate) -> str:
    return "failed" if ranked.relevance_score is None else f"{ranked.relevance_score:.3f}"


def _show_candidate(
    console: Console, place: int, ranked: RankedCandidate, drawn: Candidate, scale: str, *, is_pick: bool
) -> None:
    mark = ("  ◀ pick", "bold green") if is_pick else ""
    answer = one_line(ranked.answer or "none", 30)
    console.print(
        Text.assemble((f"#{place} candidate {ranked.index}", "bold"), f"  {_score(ranked)}  answer {answer}", mark)
    )
    if ranked.error is not None:
        console.print(Text(f"    {one_line(str(ranked.error))}", style="red"), soft_wrap=False)
    elif ranked.steps is None:
        console.print(Text(f"    {one_line(drawn.text, 200)}", style="dim"), soft_wrap=False)
    else:
        console.print(_steps(ranked.steps, drawn.text, ranked.first_error, scale), soft_wrap=False)


def _steps(steps: Sequence[StepScore], text: str, first_error: int | None, scale: str = "probability") -> Table:
    # A grid, so that a long step wraps under itself and not under its score.
    grid = Table.grid(padding=(0, 2), pad_edge=True)
    for step in steps:
        grid.add_row(*_step_cells(step, text, scale, is_first_error=step.index == first_error))
    return grid


def _step_cells(step: StepScore, text: str, scale: str, *, is_first_error: bool) -> tuple[Text, Text, Text]:
    reached = level(step.score, scale)
    colour = _COLOURS[reached]
    said = text[slice(*step.span)] if step.span else f"step {step.index + 1}"
    line = Text(one_line(said, 240), style=colour)
    if is_first_error:
        line.append("  ← first error", style="bold red")
    return Text(_MARKS[reached], style=f"bold {colour}"), Text(f"{step.score:.2f}", style=f"bold {colour}"), line
