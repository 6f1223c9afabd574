"""`POST /sample`: draw candidates."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from surefoot.answers import extract_answer
from surefoot.api.disconnect import while_connected
from surefoot.api.errors import error_responses
from surefoot.api.schemas.common import TimingOut
from surefoot.api.schemas.sample import (
    SampleRequest,
    SampleResponse,
    candidate_views,
    sample_usage,
)
from surefoot.api.service import Generator, RequestIdent, Service, Serving
from surefoot.domain import Timing
from surefoot.drawing import Samples, draw_samples
from surefoot.errors import GeneratorNotFound, NoSteps, QueueFull, RequestTimeout
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
        _draw(service, generator, body),
        timeout_s=service.limits.request_timeout_s,
    )
    return {
        "id": request_id,
        "generator": generator.name,
        "fingerprint": generator.sampler.fingerprint,
        "prompt_token_ids": list(samples.prompt_token_ids),
        "candidates": drawn_candidates(samples),
        "usage": sample_usage(samples),
        "timing": TimingOut.of(Timing(total_s=samples.seconds)).model_dump(),
    }


async def _draw(service: Service, generator: Generator, body: SampleRequest) -> Samples:
    return await draw_samples(
        generator.name,
        generator.sampler,
        body.conversation(generator.preface),
        body.to_options(),
        service.telemetry,
        beginning=body.given_beginning(),
    )


def drawn_candidates(samples: Samples) -> list[dict[str, Any]]:
    """Candidates as JSON, with their steps and answers."""
    texts = [candidate.text for candidate in samples.candidates]
    return candidate_views(samples, [_steps(text) for text in texts], [extract_answer(text) for text in texts])


def _steps(text: str) -> list[str]:
    try:
        return [step.text for step in split_solution(text, "auto").steps]
    except NoSteps:
        return []
