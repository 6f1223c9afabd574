"""Bare paths that are native and other systems' too: a body's keys say whose it is.

A body that belongs to another system is handed to the path that is that system's alone, and answered, errors included,
as if it had been sent there. A native key makes a body native, and strict. Where a dialect is off its bodies are native
ones with a mistake.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from surefoot.api.schemas.rank import RerankRequest
from surefoot.api.schemas.score import ScoreRequest

_NATIVE_SCORE = frozenset(ScoreRequest.model_fields) - {"model", "priority", "items"}
_NATIVE_RERANK = frozenset(RerankRequest.model_fields) - {"model", "priority", "top_n", "return_documents"}


@dataclass(frozen=True, slots=True)
class _Form:
    """Bodies of a dialect: all these keys are there, and none of the native ones."""

    path: str
    keys: frozenset[str]
    native: frozenset[str]


_FORMS: Mapping[str, tuple[_Form, ...]] = {
    "/score": tuple(_Form("/v1/score", frozenset({key}), _NATIVE_SCORE) for key in ("queries", "data_1", "text_1")),
    "/rerank": (
        _Form("/tei/rerank", frozenset({"query", "texts"}), _NATIVE_RERANK),
        _Form("/v1/rerank", frozenset({"query", "documents"}), _NATIVE_RERANK),
    ),
}


class SharedRoute(APIRoute):
    """A native route that passes on what another system's clients send to its path."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        native = super().get_route_handler()
        forms = _FORMS.get(self.path, ())

        async def handle(request: Request) -> Response:
            route = _route_of(request.app, _path_of(forms, await request.body()))
            if route is None:
                return await native(request)
            # Whatever answers from here on, errors and measurements too, goes by these.
            request.scope["path"] = route.path
            request.scope["route"] = route
            return await route.get_route_handler()(request)

        return handle


def _path_of(forms: tuple[_Form, ...], content: bytes) -> str | None:
    """The path of the first form that the body has; `None` for a native one, and for what is no JSON object."""
    # A native body is not parsed twice: its text is looked through for a dialect's first key, which is far cheaper.
    if not any(all(f'"{key}"'.encode() in content for key in form.keys) for form in forms):
        return None
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    given = body.keys() if isinstance(body, dict) else frozenset()
    return next((form.path for form in forms if form.keys <= given and not form.native & given), None)


def _route_of(app: FastAPI, path: str | None) -> APIRoute | None:
    found = (route for route in app.routes if isinstance(route, APIRoute) and route.path == path)
    return None if path is None else next(found, None)
