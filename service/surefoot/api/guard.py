"""Which route asks for what of a key, and who checks it before anything of a request is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from surefoot.access import SCOPES, KeyRecord, KeyRing
from surefoot.access import Scope as KeyScope
from surefoot.api.errors import STATUS, error_response
from surefoot.api.middleware import address_of
from surefoot.callers import called_by
from surefoot.errors import Forbidden, RequestError, Unauthorized

Needed = frozenset[KeyScope]
"""The scopes that a key must have, all of them; none of them still means a key."""

ANY_KEY: Needed = frozenset()
_SCORE: Needed = frozenset({"score"})
_SAMPLE: Needed = frozenset({"sample"})
_ADMIN: Needed = frozenset({"admin"})

OPEN = frozenset({"/health", "/ready", "/openapi.json", "/", "/docs", "/web/{name:path}"})
"""Templates of routes that never ask: what probes read, the description of the API, and pages that hold no data."""

_NATIVE: Mapping[str, Needed] = {
    "/score": _SCORE,
    "/rerank": _SCORE,
    "/select": _SCORE,
    "/sample": _SAMPLE,
    "/best_of_n": _SCORE | _SAMPLE,
}
_ADMIN_PATHS = (
    "",
    "/{name:path}",
    *(f"/{{name:path}}/{change}" for change in ("reload", "candidate", "shadow", "promote", "rollback", "unload")),
)
_DIALECTS = (
    "/pooling",
    "/classify",
    "/v1/score",
    "/v1/rerank",
    "/v2/rerank",
    "/cohere/v1/rerank",
    "/cohere/v2/rerank",
    "/jina/v1/rerank",
    "/predict",
    "/tei/predict",
    "/tei/rerank",
    "/get_reward",
    "/slime/reward",
    "/openr/get_worker_address",
    "/openr/worker_value_inference",
    "/openr/{model:path}/worker_value_inference",
)
METRICS = "/metrics"
NEEDED: Mapping[str, Needed] = {
    **_NATIVE,
    **{f"/surefoot/v1{path}": needed for path, needed in _NATIVE.items()},
    **dict.fromkeys(_DIALECTS, _SCORE),
    "/v1/chat/completions": _SCORE | _SAMPLE,
    "/v1/models": ANY_KEY,
    METRICS: ANY_KEY,
    **{f"/admin/models{path}": _ADMIN for path in _ADMIN_PATHS},
}
"""By the template of the route; what stands neither here nor in `OPEN` asks for `admin`."""


def needed_for(template: str | None, *, metrics_need_key: bool) -> Needed | None:
    """What the route of that template asks for, `None` for nothing. Where there is no route only holders of a key are
    told so."""
    if template is None:
        return ANY_KEY
    if template in OPEN or (template == METRICS and not metrics_need_key):
        return None
    return NEEDED.get(template, _ADMIN)


class KeyGuard:
    """Lets a request in whose key may do what its route does, and has its work done for the key's name.

    Nothing of the body is read before. Routes are found as the router finds them, so that no spelling of a path leads
    around the table.
    """

    def __init__(
        self,
        app: ASGIApp,
        routes: Sequence[BaseRoute],
        keys: KeyRing,
        count_error: Callable[[str], None],
        *,
        metrics_need_key: bool,
    ) -> None:
        self._app = app
        self._routes = routes
        self._keys = keys
        self._count_error = count_error
        self._metrics_need_key = metrics_need_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = _route_of(scope, self._routes)
        needed = needed_for(getattr(route, "path", None), metrics_need_key=self._metrics_need_key)
        key = self._key_of(scope)
        refused = None if needed is None else _refusal(key, needed)
        if refused is None:
            caller = _caller(scope, key)
            scope.setdefault("state", {}).update({"caller": caller, "has_key": key is not None})
            with called_by(caller):
                await self._app(scope, receive, send)
            return
        # For what measures by route: the router never sees this request.
        scope["route"] = route
        self._count_error(refused.code)
        answer = error_response(STATUS[refused.code], refused.code, refused.message, path=scope["path"])
        if isinstance(refused, Unauthorized):
            answer.headers["www-authenticate"] = "Bearer"
        await answer(scope, receive, send)

    def _key_of(self, scope: Scope) -> KeyRecord | None:
        given = bearer_token([value for name, value in scope["headers"] if name == b"authorization"])
        return None if given is None else self._keys.find(given)


def bearer_token(headers: Sequence[bytes]) -> bytes | None:
    """The token of `authorization: Bearer <token>`; `None` for another scheme, and for several such headers."""
    if len(headers) != 1:
        return None
    scheme, _, token = headers[0].partition(b" ")
    return token.strip() or None if scheme.lower() == b"bearer" else None


def _route_of(scope: Scope, routes: Sequence[BaseRoute]) -> BaseRoute | None:
    """The route that answers: the first that fits whole, else the first that fits but for its method."""
    partial = None
    for route in routes:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            return route
        if match is Match.PARTIAL and partial is None:
            partial = route
    return partial


def _refusal(key: KeyRecord | None, needed: Needed) -> RequestError | None:
    if key is None:
        # One message for all: it tells nobody which keys there are, or were.
        return Unauthorized("this needs an API key that is known and not expired: send authorization: Bearer <key>")
    missing = [scope for scope in SCOPES if scope in needed - key.scopes]
    if not missing:
        return None
    return Forbidden(f"the API key lacks the scope {' and the scope '.join(missing)}; use one that has it")


def _caller(scope: Scope, key: KeyRecord | None) -> str:
    """Whose turn work takes: the key's name, which its successor bears too; on open routes the address."""
    return f"key {key.name}" if key is not None else address_of(scope)
