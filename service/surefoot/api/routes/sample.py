"""`POST /sample` and `POST /best_of_n`: draw candidates, and pick one."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request, Response

from surefoot.answers import extract_answer
from surefoot.api.disconnect import while_connected
from surefoot.api.errors import error_responses
from surefoot.api.routes.headers import cost_headers
from surefoot.api.routes.rank import count_ranking_errors, model_views, models_for, rank_options
from surefoot.api.schemas.common import TimingOut, UsageOut
from surefoot.api.schemas.rank import group_view
from surefoot.api.schemas.sample import (
    BestOfNRequest,
    BestOfNResponse,
    ProblemFields,
    SampleRequest,
    SampleResponse,
    SamplingFields,
    candidate_views,
    sample_usage,
)
from surefoot.api.service import Generator, RequestIdent, Service, Serving
from surefoot.best_of_n import BestOfN, Samples, draw_samples, rank_samples
from surefoot.domain import Timing
from surefoot.errors import GeneratorNotFound, NoSteps, QueueFull, RequestTimeout
from surefoot.ranking import CandidateInput, RankTask, check_options
from surefoot.segmentation import split_solution

router = APIRouter(tags=["sampling"])
_ERRORS = error_responses(GeneratorNotFound, QueueFull, RequestTimeout)


@router.post(
    "/sample",
    response_model=SampleResponse,
    response_model_exclude_unset=True,
    responses=_ERRORS,
    summary="Draw candidate solutions",
)
@router.post(
    "/surefoot/v1/sample", response_model=SampleResponse, response_model_exclude_unset=True, include_in_schema=False
)
async def sample(body: SampleRequest, request: Request, service: Serving, request_id: RequestIdent) -> dict[str, Any]:
    """Candidates with the policy's own token ids and log-probabilities, as PPO needs them."""
    service.check_samples(body.n, "n")
    generator = service.generator(body.generator)
    samples = await while_connected(
        request,
        _draw(service, generator, body, body),
        timeout_s=service.limits.request_timeout_s,
    )
    return {
        "id": request_id,
        "generator": generator.name,
        "fingerprint": generator.sampler.fingerprint,
        "prompt_token_ids": list(samples.prompt_token_ids),
        "candidates": _candidates(samples),
        "usage": sample_usage(samples),
        "timing": TimingOut.of(Timing(total_s=samples.seconds)).model_dump(),
    }


@router.post(
    "/best_of_n",
    response_model=BestOfNResponse,
    response_model_exclude_unset=True,
    responses=_ERRORS,
    summary="Draw candidates, rank them, pick one",
)
@router.post(
    "/surefoot/v1/best_of_n", response_model=BestOfNResponse, response_model_exclude_unset=True, include_in_schema=False
)
async def best_of_n(
    body: BestOfNRequest, request: Request, response: Response, service: Serving, request_id: RequestIdent
) -> dict[str, Any]:
    """The candidates, their ranking as /rerank gives it, and the pick."""
    started = time.perf_counter()
    service.check_samples(body.sampling.n, "sampling.n")
    roles = models_for(service, body.ranking)
    options = rank_options(body.ranking, roles)
    # What cannot be ranked must be said before the candidates are paid for.
    check_options(options)
    generator = service.generator(body.sampling.generator)

    async def work() -> BestOfN:
        drawn = await _draw(service, generator, body, body.sampling)
        return await rank_samples(service.ranker, body.last_turn(), body.context(), drawn, options)

    found = await while_connected(request, work(), timeout_s=service.limits.request_timeout_s)
    count_ranking_errors(service, found.ranking)
    cost_headers(response, found.ranking.timing, found.ranking.usage)
    samples = found.samples
    task = RankTask(body.last_turn(), tuple(CandidateInput(text=drawn.text) for drawn in samples.candidates))
    ranking = group_view(task, found.ranking.groups[0], body.ranking)
    best = ranking["best"]
    timing = Timing(found.ranking.timing.queue_s, found.ranking.timing.forward_s, time.perf_counter() - started)
    return {
        "id": request_id,
        "generator": generator.name,
        "fingerprint": generator.sampler.fingerprint,
        "prompt_token_ids": list(samples.prompt_token_ids),
        "candidates": _candidates(samples),
        "ranking": {**ranking, **model_views(body.ranking, roles)},
        "best": best,
        "answer": ranking["answer"],
        "text": None if best is None else samples.candidates[best].text,
        "usage": {**sample_usage(samples), "scoring": UsageOut.of(found.ranking.usage).model_dump()},
        "timing": TimingOut.of(timing).model_dump(),
    }


async def _draw(service: Service, generator: Generator, body: ProblemFields, sampling: SamplingFields) -> Samples:
    conversation = body.conversation(generator.preface)
    return await draw_samples(generator.name, generator.sampler, conversation, sampling.to_options(), service.telemetry)


def _candidates(samples: Samples) -> list[dict[str, Any]]:
    texts = [candidate.text for candidate in samples.candidates]
    return candidate_views(samples, [_steps(text) for text in texts], [extract_answer(text) for text in texts])


def _steps(text: str) -> list[str]:
    try:
        return [step.text for step in split_solution(text, "auto").steps]
    except NoSteps:
        return []
