"""Scored solutions as plain lines, for `grep` and `cut`: what a line is about, then its fields, separated by tabs.

No line is wrapped or cut, texts are one line each, and "-" stands where there is nothing. docs/cli.md tells the fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from surefoot.cli.consoles import one_line
from surefoot_client import BestOfN, ItemResult, ModelInfo, RankedCandidate, StepScore

NOTHING = "-"
FIRST_ERROR = "first_error"


def best_of_n_lines(problem: str | None, found: BestOfN, models: Sequence[ModelInfo]) -> Iterator[str]:
    """`problem` where it is known, a `candidate` with its `step`s best first, a `vote` for each answer, the `pick`, and
    `notice`s."""
    if problem is not None:
        yield _line("problem", problem)
    texts = {candidate.index: candidate.text for candidate in found.candidates}
    for place, ranked in enumerate(found.ranking.results, start=1):
        yield from _candidate_lines(place, ranked, texts[ranked.index])
    for vote in found.ranking.votes:
        yield _line("vote", vote.answer, vote.count, _number(vote.weight))
    best = found.ranking.best_result
    yield _line("pick", found.best, found.answer, _number(None if best is None else best.relevance_score))
    for model in models:
        if model.notice and model.id in found.ranking.models.values():
            yield _line("notice", model.id, model.notice)


def score_lines(line: int, result: ItemResult) -> Iterator[str]:
    """The `solution` of a line of the input, and its `step`s."""
    yield _line("solution", line, result.id, _number(result.score), result.first_error)
    yield from _step_lines(line, result.steps, result.text, result.first_error)


def failure_line(line: int, code: str, message: str) -> str:
    """The `error` that a line of the input came to."""
    return _line("error", line, code, message)


def row_line(line: int, row_id: object) -> str:
    """The `line` of the input that the lines below it are about."""
    return _line("line", line, row_id)


def _candidate_lines(place: int, ranked: RankedCandidate, text: str) -> Iterator[str]:
    fields = (place, ranked.index, _number(ranked.relevance_score), ranked.first_error, ranked.answer)
    yield _line("candidate", *fields)
    if ranked.error is not None:
        yield _line("error", ranked.index, ranked.error.code, ranked.error.message)
    elif ranked.steps is None:
        yield _line("text", ranked.index, text)
    else:
        yield from _step_lines(ranked.index, ranked.steps, text, ranked.first_error)


def _step_lines(of: int, steps: Sequence[StepScore], text: str, first_error: int | None) -> Iterator[str]:
    for step in steps:
        said = text[slice(*step.span)] if step.span else None
        mark = FIRST_ERROR if step.index == first_error else NOTHING
        yield _line("step", of, step.index, _number(step.score), mark, said)


def _line(*fields: object) -> str:
    return "\t".join(NOTHING if field is None else one_line(str(field)) or NOTHING for field in fields)


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4f}"
