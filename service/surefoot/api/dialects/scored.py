"""The one way from a dialect to scores: what `/score` does, for callers who know no errors of single items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response

from surefoot.api.disconnect import while_connected
from surefoot.api.routes.headers import cost_headers
from surefoot.api.service import RequestIdent, Service, Serving
from surefoot.domain import ScoreOptions, ScoreTask, SolutionScore, Timing
from surefoot.errors import InputTooLong, SurefootError
from surefoot.registry import ServedModel


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores in the order of the tasks, all of them there, and what they cost."""

    scores: tuple[SolutionScore, ...]
    timing: Timing

    @property
    def num_tokens(self) -> int:
        """Tokens of all rendered inputs."""
        return sum(score.num_tokens for score in self.scores)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to one of the dialects."""

    request: Request
    response: Response
    service: Service
    request_id: str

    def model(self, name: str | None) -> ServedModel:
        """The model of that name; without one the first that is configured, of whichever kind."""
        return self.service.registry.get(name or None)

    async def score(
        self, model: ServedModel, tasks: Sequence[ScoreTask], param: str, options: ScoreOptions | None = None
    ) -> Scored:
        """Scores of all tasks. Raises the error of the first one that failed: no dialect has a place for it, and a
        score that is made up, or left out, would be taken for one. `param` names the field with the tasks' texts."""
        self.service.check_items(len(tasks), param)
        work = model.line.score_group(tasks, options or ScoreOptions())
        group = await while_connected(self.request, work, timeout_s=self.service.limits.request_timeout_s)
        scores = []
        for place, result in enumerate(group.results):
            if isinstance(result, Exception):
                if len(tasks) > 1 and isinstance(result, SurefootError):
                    raise result.at(f"{param}[{place}]")
                raise result
            scores.append(result)
        cost_headers(self.response, group.timing, group.usage)
        return Scored(tuple(scores), group.timing)


def check_length(scored: Scored, limit: int | None) -> None:
    """Raises `InputTooLong` where another system would have cut an input to `limit` tokens, and so have given other
    numbers; `None` for no limit."""
    longest = max((score.num_tokens for score in scored.scores), default=0)
    if limit is not None and limit < longest:
        raise InputTooLong(longest, limit)


def _call(request: Request, response: Response, service: Serving, request_id: RequestIdent) -> Call:
    return Call(request, response, service, request_id)


Calling = Annotated[Call, Depends(_call)]
