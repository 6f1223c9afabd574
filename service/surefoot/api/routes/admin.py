"""`/admin/models`: what changes the models that are served. Off unless the settings ask for it."""

from __future__ import annotations

from fastapi import APIRouter

from surefoot.api.errors import error_responses
from surefoot.api.schemas.admin import ReloadResponse
from surefoot.api.service import Serving
from surefoot.errors import (
    AdapterInvalid,
    AdapterMismatch,
    AdapterNotConfigured,
    ModelNotFound,
    ProfileInvalid,
    SelfCheckFailed,
)

router = APIRouter(prefix="/admin/models", tags=["admin"])
_ERRORS = error_responses(
    ModelNotFound, AdapterNotConfigured, AdapterInvalid, AdapterMismatch, ProfileInvalid, SelfCheckFailed
)


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
