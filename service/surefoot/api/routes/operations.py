"""`/v1/models`, `/health`, `/ready` and `/metrics`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, Request, Response

from surefoot.api.drain import Stopping
from surefoot.api.schemas.common import Response as Body
from surefoot.api.service import Generator, Serving

router = APIRouter(tags=["operations"])


class SelfCheckOut(Body):
    """How a model's scores were checked before it was served: through the queue and the batch, against one plain
    forward pass each, or against the golden values that its profile pins."""

    state: Literal["passed", "unverified"]
    against: Literal["plain_forward", "golden"] | None
    """Null when unverified; `golden` where the profile pins values."""
    max_difference: float | None
    """Largest difference of a score, relative to scores beyond 1; at most the tolerance."""
    num_scores: int
    detail: str
    """Why a model is unverified, and how to change that."""


class ModelOut(Body):
    """A reward model that is being served."""

    id: str
    object: Literal["model"]
    kind: Literal["process", "outcome"]
    profile: str
    title: str
    scale: Literal["probability", "signed", "unbounded"]
    tolerance: float
    threshold: float
    aggregation: str
    max_input_tokens: int
    trained: bool
    notice: str | None
    base_id: str
    fingerprint: str
    dtype: str
    backend: str
    device: str
    prefix_cache: bool
    """Whether a solution that goes on from one that was scored costs its new tokens only."""
    self_check: SelfCheckOut


class GeneratorOut(Body):
    """A generator and where it stands; `idle` ones start on first use."""

    id: str
    object: Literal["generator"]
    model: str
    engine: str
    state: Literal["idle", "starting", "ready", "failed"]
    detail: str
    fingerprint: str | None


class ModelsResponse(Body):
    """Everything that is served."""

    object: Literal["list"]
    data: list[ModelOut]
    generators: list[GeneratorOut]


class HealthResponse(Body):
    """The process is alive."""

    status: Literal["ok"]


class ReadyResponse(Body):
    """Whether every reward model is loaded; generators stand beside and do not count. Where keys are configured only
    holders of one are told names and reasons."""

    ready: bool
    models: dict[str, str]
    details: dict[str, str]
    generators: dict[str, dict[str, str]]


@router.get("/v1/models", response_model=ModelsResponse, summary="Served models and generators")
async def models(service: Serving) -> dict[str, Any]:
    """Profiles, scales, limits and fingerprints."""
    cards = []
    for card in service.registry.cards():
        fields = asdict(card)
        cards.append({"id": fields.pop("name"), "object": "model", **fields})
    generators = [
        {
            "id": generator.name,
            "object": "generator",
            "model": generator.model,
            "fingerprint": generator.sampler.fingerprint,
            **_state(generator),
        }
        for generator in service.generators.values()
    ]
    return {"object": "list", "data": cards, "generators": generators}


@router.get("/health", response_model=HealthResponse, summary="Is the process alive?")
async def health() -> dict[str, str]:
    """Answers as long as the process can."""
    return {"status": "ok"}


@router.get(
    "/ready",
    response_model=ReadyResponse,
    responses={503: {"model": ReadyResponse}},
    summary="Can it score?",
)
async def ready(service: Serving, stopping: Stopping, request: Request, response: Response) -> dict[str, Any]:
    """200 when every configured reward model can score, else 503 with each one's state; 503 too while stopping."""
    # A probe reads the status and has no key; why a model failed may name paths and servers.
    tells_names = service.keys is None or request.state.has_key
    states = service.registry.states() if tells_names else {}
    generators = service.generators if tells_names else {}
    details = {name: state.detail for name, state in states.items() if state.detail}
    if stopping.has_begun:
        details["service"] = "stopping: accepted work is being finished, new work is refused"
    is_ready = service.registry.is_ready() and not stopping.has_begun
    if not is_ready:
        response.status_code = 503
        response.headers["retry-after"] = "1"
    return {
        "ready": is_ready,
        "models": {name: state.state for name, state in states.items()},
        "details": details,
        "generators": {name: _state(generator) for name, generator in generators.items()},
    }


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
async def metrics(service: Serving) -> Response:
    """The text that Prometheus scrapes."""
    text, content_type = service.metrics_text()
    return Response(text, media_type=content_type)


def _state(generator: Generator) -> dict[str, str]:
    state = generator.sampler.state()
    return {"engine": state.engine, "state": state.state, "detail": state.detail}
