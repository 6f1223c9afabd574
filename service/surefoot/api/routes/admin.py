"""`/admin/models`: what changes the models that are served. Off unless the settings ask for it."""

from __future__ import annotations

from fastapi import APIRouter

from surefoot.api.errors import error_responses
from surefoot.api.schemas.admin import (
    AdminModel,
    AdminModelList,
    CandidateRequest,
    ReloadResponse,
    ShadowRequest,
    UnloadRequest,
)
from surefoot.api.service import Serving
from surefoot.errors import (
    AdapterInvalid,
    AdapterMismatch,
    AdapterNotConfigured,
    CandidateNotConfigured,
    CheckpointMissing,
    ModelNotFound,
    ModelStateConflict,
    NotReady,
    OutOfMemory,
    ProfileInvalid,
    SelfCheckFailed,
)

router = APIRouter(prefix="/admin/models", tags=["admin"])
_ERRORS = error_responses(
    ModelNotFound, AdapterNotConfigured, AdapterInvalid, AdapterMismatch, ProfileInvalid, SelfCheckFailed
)
_LOAD_ERRORS = error_responses(
    ModelNotFound,
    NotReady,
    CandidateNotConfigured,
    ModelStateConflict,
    CheckpointMissing,
    OutOfMemory,
    AdapterMismatch,
    SelfCheckFailed,
)
_SWITCH_ERRORS = error_responses(ModelNotFound, ModelStateConflict, NotReady)


@router.post(
    # A model may be named like a hub id, with a slash.
    "/{name:path}/reload",
    response_model=ReloadResponse,
    responses=_ERRORS,
    summary="Serve a model with its adapter as the files are now",
)
async def reload(name: str, service: Serving) -> ReloadResponse:
    """Reads the adapter directory of the settings again, and the model's profile where that is a file; checks both, and
    the scores they give, and only then serves with them. Requests that have begun finish with the adapter that they
    began with. After an error the model is served as before. A reload that has begun goes on when its caller leaves.
    """
    done = await service.registry.reload(name)
    return ReloadResponse(
        name=done.name,
        fingerprint=done.fingerprint,
        previous_fingerprint=done.previous_fingerprint,
        changed=done.changed,
    )


@router.get("", response_model=AdminModelList, summary="Every model, and what stands beside it")
async def list_models(service: Serving) -> AdminModelList:
    """What is served, what is loaded beside it, and what a rollback would serve again."""
    return AdminModelList(models=[AdminModel.of(standing) for standing in service.succession.standings()])


@router.post(
    "/{name:path}/candidate",
    response_model=AdminModel,
    responses=_LOAD_ERRORS,
    summary="Load a candidate beside a model",
)
async def load_candidate(name: str, body: CandidateRequest, service: Serving) -> AdminModel:
    """Loads one of the candidates that the settings give the model, and checks the scores it gives; answers when that
    is done, which takes minutes where the weights are large. Nothing of it is served yet. After an error everything is
    as before. A load that has begun goes on when its caller leaves.
    """
    return AdminModel.of(await service.succession.load(name, body.label))


@router.post(
    "/{name:path}/shadow",
    response_model=AdminModel,
    responses=_SWITCH_ERRORS,
    summary="Have the candidate score a share of what is served",
)
async def shadow(name: str, body: ShadowRequest, service: Serving) -> AdminModel:
    """Groups that were just scored are scored by the candidate too, behind all other work, and never answered with.
    What is found stands in this answer and in the metrics. A group is dropped where anything waits. Share 0 ends it.
    """
    return AdminModel.of(service.succession.shadow(name, body.share))


@router.post(
    "/{name:path}/promote",
    response_model=AdminModel,
    responses=_SWITCH_ERRORS,
    summary="Serve the candidate",
)
async def promote(name: str, service: Serving) -> AdminModel:
    """Requests that begin from now on get the candidate; those that have begun finish with the model that they began
    with. The model before is kept for a rollback, and one that was kept earlier is let go of.
    """
    return AdminModel.of(service.succession.promote(name))


@router.post(
    "/{name:path}/rollback",
    response_model=AdminModel,
    responses=_SWITCH_ERRORS,
    summary="Serve the model before the promotion again",
)
async def rollback(name: str, service: Serving) -> AdminModel:
    """At once, as nothing is loaded for it. What had been promoted is the candidate again, or is let go of where
    another one has taken that place.
    """
    return AdminModel.of(service.succession.roll_back(name))


@router.post(
    "/{name:path}/unload",
    response_model=AdminModel,
    responses=_SWITCH_ERRORS,
    summary="Let go of the candidate, or of the model before the promotion",
)
async def unload(name: str, body: UnloadRequest, service: Serving) -> AdminModel:
    """What it holds is freed as soon as no request has it any more. Without the model before there is no rollback."""
    return AdminModel.of(service.succession.unload(name, body.which))


@router.get(
    "/{name:path}",
    response_model=AdminModel,
    responses=error_responses(ModelNotFound),
    summary="A model, and what stands beside it",
)
async def show_model(name: str, service: Serving) -> AdminModel:
    """As in the list of all."""
    return AdminModel.of(service.succession.standing(name))
