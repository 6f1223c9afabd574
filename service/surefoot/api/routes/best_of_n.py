"""`POST /best_of_n`: draw candidates, rank them, pick one; at once or as a stream of events."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from surefoot.api.disconnect import while_connected
from surefoot.api.errors import error_responses
from surefoot.api.event_stream import EventStream
from surefoot.api.routes.headers import cost_headers
from surefoot.api.routes.rank import count_ranking_errors, model_views, models_for, rank_options
from surefoot.api.routes.sample import drawn_candidates
from surefoot.api.schemas.best_of_n import BestOfNRequest, BestOfNResponse, SavingOut, scored_view
from surefoot.api.schemas.common import TimingOut, UsageOut
from surefoot.api.schemas.rank import group_view
from surefoot.api.schemas.sample import sample_usage
from surefoot.api.service import Generator, RequestIdent, Service, Serving
from surefoot.best_of_n import (
    BestOfN,
    BestOfNTask,
    CandidateDrawn,
    CandidateScored,
    Event,
    best_of_n_events,
    find_best_of_n,
)
from surefoot.candidate_scores import CandidateInput, RankTask, check_options
from surefoot.domain import Timing
from surefoot.drawing import Samples
from surefoot.errors import AggregationNotDefined, GeneratorNotFound, QueueFull, RequestTimeout
from surefoot.registry import ServedModel

router = APIRouter(tags=["sampling"])
STREAM_CONTENT = {"text/event-stream": {"schema": {"type": "string", "description": "With stream: true."}}}
_RESPONSES = {
    200: {"content": STREAM_CONTENT},
    **error_responses(AggregationNotDefined, GeneratorNotFound, QueueFull, RequestTimeout),
}


@dataclass(frozen=True, slots=True)
class BestOfNCall:
    """A request that has been checked: runs it, and turns what is found into JSON."""

    service: Service
    body: BestOfNRequest
    generator: Generator
    roles: dict[str, ServedModel]
    task: BestOfNTask
    request_id: str
    started: float

    async def find(self, request: Request, response: Response) -> BestOfN:
        """What is found, with its costs in the headers; stops when the client leaves or the time is over."""
        work = find_best_of_n(self.task, self.service.ranker, self.service.telemetry)
        found = await while_connected(request, work, timeout_s=self.service.limits.request_timeout_s)
        cost_headers(response, found.ranking.timing, found.ranking.usage)
        return found

    def events(self) -> AsyncGenerator[Event, None]:
        """The events up to the result; nothing runs before the first is asked for."""
        return best_of_n_events(self.task, self.service.ranker, self.service.telemetry)

    def result(self, found: BestOfN) -> dict[str, Any]:
        """The whole answer. Counts the failed candidates."""
        count_ranking_errors(self.service, found.ranking)
        drawn = found.samples.candidates
        task = RankTask(self.body.last_turn(), tuple(CandidateInput(text=candidate.text) for candidate in drawn))
        numbers = [candidate.index for candidate in drawn]
        ranking = group_view(task, found.ranking.groups[0], self.body.ranking, numbers)
        best, timing = ranking["best"], found.ranking.timing
        saving = {} if found.saving is None else {"early_stop": SavingOut.of(found.saving).model_dump()}
        return {
            "id": self.request_id,
            "generator": self.generator.name,
            "fingerprint": self.generator.sampler.fingerprint,
            "prompt_token_ids": list(found.samples.prompt_token_ids),
            "candidates": drawn_candidates(found.samples),
            "ranking": {**ranking, **model_views(self.body.ranking, self.roles)},
            "best": best,
            "answer": ranking["answer"],
            "text": None if best is None else drawn[numbers.index(best)].text,
            **saving,
            "usage": {**sample_usage(found.samples), "scoring": UsageOut.of(found.ranking.usage).model_dump()},
            "timing": TimingOut.of(
                Timing(timing.queue_s, timing.forward_s, time.perf_counter() - self.started)
            ).model_dump(),
        }

    def event(self, event: Event) -> tuple[str, str]:
        """The name and the JSON of a streamed event."""
        if isinstance(event, CandidateDrawn):
            (view,) = drawn_candidates(Samples((), (event.candidate,), 0.0))
            return "candidate", json.dumps(view)
        if isinstance(event, CandidateScored):
            return "score", json.dumps(scored_view(event))
        answer = BestOfNResponse.model_validate(self.result(event.result))
        return "result", answer.model_dump_json(exclude_unset=True)


@router.post(
    "/best_of_n",
    response_model=BestOfNResponse,
    response_model_exclude_unset=True,
    responses=_RESPONSES,
    summary="Draw candidates, rank them, pick one",
)
@router.post(
    "/surefoot/v1/best_of_n", response_model=BestOfNResponse, response_model_exclude_unset=True, include_in_schema=False
)
async def best_of_n(
    body: BestOfNRequest, request: Request, response: Response, service: Serving, request_id: RequestIdent
) -> Any:
    """The candidates, their ranking as /rerank gives it, and the pick; or, as they happen, the events up to it."""
    service.check_samples(body.sampling.n, "sampling.n")
    call = check_call(service, body, service.generator(body.sampling.generator), request_id)
    return await _stream(request, call) if body.stream else call.result(await call.find(request, response))


def check_call(service: Service, body: BestOfNRequest, generator: Generator, request_id: str) -> BestOfNCall:
    """What is asked of that generator and of the models. Raises for what cannot be ranked, before candidates are paid
    for."""
    started = time.perf_counter()
    early_stop = body.to_early_stop()
    roles = models_for(service, body.ranking)
    options = rank_options(body.ranking, roles)
    check_options(options)
    task = BestOfNTask(
        generator=generator.name,
        sampler=generator.sampler,
        conversation=tuple(body.conversation(generator.preface)),
        problem=body.last_turn(),
        context=body.context(),
        sampling=body.sampling.to_options(),
        ranking=options,
        early_stop=early_stop,
    )
    return BestOfNCall(service, body, generator, roles, task, request_id, started)


async def _stream(request: Request, call: BestOfNCall) -> EventStream[Event]:
    """The stream, begun with its first event: a generator that is down is still told by the status."""
    events = call.events()

    async def first() -> Event:
        return await anext(events)

    service, timeout_s = call.service, call.service.limits.request_timeout_s
    begun = await while_connected(request, first(), timeout_s=timeout_s)
    return EventStream(begun, events, call.event, timeout_s=timeout_s, count_error=service.telemetry.error)
