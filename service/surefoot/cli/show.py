"""Scored solutions as a person wants to read them; plain text where the output is no terminal."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from surefoot_client import BestOfN, Candidate, ModelInfo, RankedCandidate, StepScore

GOOD, DOUBTFUL = 0.7, 0.4

# rich names web fonts; without them the viewer's own monospaced font is used.
_FONT_FACE = re.compile(r"@font-face \{.*?\}", re.DOTALL)


def show_best_of_n(console: Console, problem: str, found: BestOfN, models: Sequence[ModelInfo], strategy: str) -> None:
    """The problem, every candidate best first with its steps coloured by probability, and the pick with its reason."""
    console.print(Text.assemble(("Problem  ", "bold"), problem))
    drawn = {candidate.index: candidate for candidate in found.candidates}
    for place, ranked in enumerate(found.ranking.results, start=1):
        console.print()
        _show_candidate(console, place, ranked, drawn[ranked.index], is_pick=ranked.index == found.best)
    console.print()
    for line in explain_pick(found, strategy):
        console.print(line)
    notices = [model for model in models if model.notice and model.id in found.ranking.models.values()]
    for model in notices:
        console.print(Text(f"{model.id} is {model.notice}.", style="yellow"))


def save_picture(
    path: Path, problem: str, found: BestOfN, models: Sequence[ModelInfo], strategy: str, *, width: int = 110
) -> None:
    """What `show_best_of_n` prints, as an SVG that fetches nothing when it is looked at."""
    console = Console(record=True, width=width, file=io.StringIO(), highlight=False, force_terminal=True)
    show_best_of_n(console, problem, found, models, strategy)
    drawing = console.export_svg(title="surefoot solve")
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
        f", answer {found.answer}" if found.answer else ", which states no answer",
        f": highest {_REASONS[strategy]}",
        "" if relevance is None else f" ({relevance:.3f})",
        ", a tie settled by the first or the seeded choice" if ranking.tie else "",
        ".",
    )
    votes = ", ".join(f"{vote.answer} ×{vote.count}" for vote in ranking.votes[:5])
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


def _show_candidate(console: Console, place: int, ranked: RankedCandidate, drawn: Candidate, *, is_pick: bool) -> None:
    score = "failed" if ranked.relevance_score is None else f"{ranked.relevance_score:.3f}"
    mark = ("  ◀ pick", "bold green") if is_pick else ""
    answer = ranked.answer or "none"
    console.print(
        Text.assemble((f"#{place} candidate {ranked.index}", "bold"), f"  {score}  answer {_short(answer, 30)}", mark)
    )
    if ranked.error is not None:
        console.print(Text(f"    {ranked.error}", style="red"))
        return
    if ranked.steps is None:
        console.print(Text(f"    {_short(drawn.text, 200)}", style="dim"))
        return
    # A grid, so that a long step wraps under itself and not under its score.
    grid = Table.grid(padding=(0, 2), pad_edge=True)
    for step in ranked.steps:
        grid.add_row(*_step_cells(step, drawn.text, is_first_error=step.index == ranked.first_error))
    console.print(grid)


def _step_cells(step: StepScore, text: str, *, is_first_error: bool) -> tuple[Text, Text, Text]:
    colour = "green" if step.score >= GOOD else "yellow" if step.score >= DOUBTFUL else "red"
    said = text[slice(*step.span)] if step.span else f"step {step.index + 1}"
    mark = Text("✗" if is_first_error else " ", style="bold red")
    line = Text(_short(said, 240), style=colour)
    if is_first_error:
        line.append("  ← first error", style="bold red")
    return mark, Text(f"{step.score:.2f}", style=f"bold {colour}"), line


def _short(text: str, limit: int) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= limit else one_line[: limit - 1] + "…"
