"""With keys configured every route asks for one with its scopes, dialects and streams too, before it reads a body."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from keys_in_file import YESTERDAY
from surefoot.access import SCOPES
from surefoot.api.guard import NEEDED, OPEN, needed_for
from surefoot.errors import CheckpointMissing
from surefoot.profiles import load_profile

PROBLEM = "2 + 3?"
ITEM = {"problem": PROBLEM, "steps": ["2 + 3 = 5.", "The answer is 5."]}
CHAT = {"messages": [{"role": "user", "content": PROBLEM}]}
DIALOGUE = {"messages": [*CHAT["messages"], {"role": "assistant", "content": "2 + 3 = 5.<extra_0>"}]}


@dataclass(frozen=True)
class Route:
    """A request that a route answers with 200, and the scopes that its key needs."""

    path: str
    scopes: tuple[str, ...]
    body: dict[str, Any] | None = None
    method: str = "POST"
    template: str | None = None
    after: tuple[str, ...] = ()
    """What `CHANGES` must have been made for that answer."""


CHANGES = {
    "candidate": lambda succession: succession.load("prm", "v2"),
    "promote": lambda succession: asyncio.to_thread(succession.promote, "prm"),
}
ADMIN = "/admin/models/{name:path}"
NATIVE = (
    Route("/score", ("score",), {"items": [ITEM]}),
    Route("/rerank", ("score",), {"problem": PROBLEM, "candidates": ["It is 5.", "It is 6."]}),
    Route("/select", ("score",), {"items": [{"problem": PROBLEM, "answer": "5", "candidates": ["6"]}], "top_k": 1}),
    Route("/sample", ("sample",), {"problem": PROBLEM}),
    Route("/best_of_n", ("score", "sample"), {"problem": PROBLEM, "sampling": {"n": 2}}),
)
PAIR = {"text_1": PROBLEM, "text_2": "It is 5."}
RERANK = {"query": PROBLEM, "documents": ["It is 5.", "It is 6."]}
TEXTS = {"query": PROBLEM, "texts": ["It is 5."]}
DIALECTS = (
    Route("/pooling", ("score",), DIALOGUE),
    Route("/classify", ("score",), DIALOGUE),
    Route("/v1/score", ("score",), PAIR),
    *(Route(f"{start}/rerank", ("score",), RERANK) for start in ("/v1", "/v2", "/cohere/v1", "/cohere/v2", "/jina/v1")),
    Route("/tei/rerank", ("score",), TEXTS),
    *(Route(path, ("score",), {"inputs": [PROBLEM, "It is 5."]}) for path in ("/predict", "/tei/predict")),
    Route("/get_reward", ("score",), {"query": [f"{PROBLEM} It is 5."], "prompts": [PROBLEM]}),
    Route("/slime/reward", ("score",), {"prompt": PROBLEM, "response": "It is 5."}),
    Route("/openr/get_worker_address", ("score",), {"model": "prm"}),
    Route("/openr/worker_value_inference", ("score",), {"input_str": f"{PROBLEM} &&&&& It is 5."}),
    Route(
        "/openr/prm/worker_value_inference",
        ("score",),
        {"input_str": f"{PROBLEM} &&&&& It is 5."},
        template="/openr/{model:path}/worker_value_inference",
    ),
)
SHARED = (Route("/score", ("score",), PAIR), Route("/rerank", ("score",), RERANK), Route("/rerank", ("score",), TEXTS))
"""Bodies of other systems on native paths."""
GUARDED = (
    *NATIVE,
    *(Route(f"/surefoot/v1{route.path}", route.scopes, route.body) for route in NATIVE),
    *DIALECTS,
    Route("/v1/chat/completions", ("score", "sample"), CHAT),
    Route("/v1/models", (), method="GET"),
    Route("/metrics", (), method="GET"),
    Route("/admin/models/prm/reload", ("admin",), template=f"{ADMIN}/reload"),
    Route("/admin/models", ("admin",), method="GET"),
    Route("/admin/models/prm", ("admin",), method="GET", template=ADMIN),
    *(
        Route(f"/admin/models/prm/{change}", ("admin",), body, method, f"{ADMIN}/{change}", after)
        for change, body, method, after in (
            ("candidate", {"label": "v2"}, "POST", ()),
            ("shadow", {"share": 0.5}, "POST", ("candidate",)),
            ("promote", None, "POST", ("candidate",)),
            ("rollback", None, "POST", ("candidate", "promote")),
            ("unload", {"which": "previous"}, "POST", ("candidate", "promote")),
        )
    ),
)
STREAMS = (
    Route("/best_of_n", ("score", "sample"), {**NATIVE[-1].body, "stream": True}),
    Route("/v1/chat/completions", ("score", "sample"), {**CHAT, "stream": True}),
)
ALL = [*GUARDED, *STREAMS, *SHARED]
every_route = pytest.mark.parametrize("route", ALL, ids=[f"{'s ' * (r in STREAMS)}{r.method} {r.path}" for r in ALL])


@pytest.fixture
async def guarded(serve, keys_in_file):
    """A service that asks for keys everywhere."""
    return await serve(
        keys=keys_in_file.ring(),
        metrics_need_key=True,
        admin_routes=True,
        adapters={"prm": "first"},
        candidates={"prm": {"v2": load_profile("embedded-prm")}},
    )


Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def ask(guarded, keys_in_file) -> Ask:
    """Sends a route's request with a key, which the service has read by then."""

    async def send(route: Route, key: str | None) -> httpx.Response:
        keys_in_file.now_s += 1
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        return await guarded.http.request(route.method, route.path, json=route.body, headers=headers)

    return send


def test_every_route_is_in_a_table(guarded) -> None:
    assert {route.path for route in guarded.app.routes} == {*NEEDED, *OPEN}


def test_every_guarded_route_is_tested_here() -> None:
    assert {route.template or route.path: set(route.scopes) for route in GUARDED} == NEEDED


def test_a_route_that_is_in_no_table_asks_for_admin() -> None:
    assert needed_for("/new", metrics_need_key=False) == {"admin"}


@every_route
async def test_its_scopes_let_it_through(ask, guarded, keys_in_file, route) -> None:
    for change in route.after:
        await CHANGES[change](guarded.fake.service.succession)
    response = await ask(route, keys_in_file.new("alice", *(route.scopes or ("admin",))))
    assert response.status_code == 200, response.text


@every_route
async def test_without_a_key_it_is_refused(ask, route) -> None:
    response = await ask(route, None)
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


@every_route
async def test_every_bad_key_is_refused_as_none_is(ask, keys_in_file, route) -> None:
    expired, revoked = keys_in_file.new("alice", *SCOPES, expires=YESTERDAY), keys_in_file.new("bob", *SCOPES)
    keys_in_file.revoke("bob")
    answers = [await ask(route, key) for key in (None, "sf-unknown", expired, revoked)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}


@every_route
async def test_a_missing_scope_is_named(ask, keys_in_file, route) -> None:
    for missing in route.scopes:
        key = keys_in_file.new("alice", *(scope for scope in SCOPES if scope != missing))
        response = await ask(route, key)
        named = [scope for scope in SCOPES if f"scope {scope}" in response.text]
        assert (response.status_code, named) == (403, [missing])


@every_route
async def test_what_is_refused_does_no_work(ask, guarded, keys_in_file, route) -> None:
    await ask(route, None)
    assert guarded.parts.backend.batches == []


@pytest.mark.parametrize(("key_scopes", "code"), [((), "unauthorized"), (("sample",), "forbidden")])
async def test_codes_are_stable(ask, keys_in_file, error_of, key_scopes, code) -> None:
    key = keys_in_file.new("alice", *key_scopes) if key_scopes else None
    assert error_of(await ask(NATIVE[0], key))["code"] == code


@pytest.mark.parametrize(("key_scopes", "status", "kind"), [((), 401, "Unauthorized"), (("sample",), 403, "Forbidden")])
async def test_the_dialect_refuses_in_its_own_shape(ask, keys_in_file, key_scopes, status, kind) -> None:
    [pooling] = [route for route in GUARDED if route.path == "/pooling"]
    response = await ask(pooling, keys_in_file.new("alice", *key_scopes) if key_scopes else None)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["type"]) == (status, status, kind)


async def test_the_description_names_the_scopes(guarded) -> None:
    document = await guarded.get("/openapi.json")
    OpenAPIV31SpecValidator(document).validate()
    needed = {
        path: operation.get("security")
        for path, operations in document["paths"].items()
        for operation in operations.values()
    }
    assert needed["/best_of_n"] == [{"key": ["sample", "score"]}]
    assert needed["/admin/models/{name}/reload"] == [{"key": ["admin"]}]
    assert {path for path, scopes in needed.items() if scopes is None} == {"/health", "/ready"}


async def test_a_service_without_keys_describes_none(api) -> None:
    assert "securitySchemes" not in (await api.get("/openapi.json"))["components"]


@pytest.mark.parametrize("path", ["/health", "/ready", "/openapi.json", "/", "/docs", "/web/icon.svg"])
async def test_probes_the_description_and_the_page_never_ask(guarded, path) -> None:
    assert (await guarded.http.get(path)).status_code == 200


@pytest.mark.parametrize("key", [None, "sf-unknown"])
async def test_a_stranger_learns_from_ready_whether_but_not_what(guarded, ask, key) -> None:
    answer = await ask(Route("/ready", (), method="GET"), key)
    assert answer.json() == {"ready": True, "models": {}, "details": {}, "generators": {}}


async def test_any_key_is_told_by_ready_what_is_served(ask, keys_in_file) -> None:
    told = (await ask(Route("/ready", (), method="GET"), keys_in_file.new("alice", "sample"))).json()
    assert (told["models"]["prm"], list(told["generators"])) == ("ready", ["default"])


async def test_why_a_model_failed_is_told_to_holders_of_a_key_alone(serve, keys_in_file) -> None:
    broken = {"prm": CheckpointMissing("/private/place is empty")}
    api = await serve(keys=keys_in_file.ring(), broken=broken)
    key = keys_in_file.new("alice", "score")
    keys_in_file.now_s += 1
    answers = [await api.http.get("/ready", headers=headers) for headers in ({}, {"authorization": f"Bearer {key}"})]
    assert [(answer.status_code, "/private/place" in answer.text) for answer in answers] == [(503, False), (503, True)]


async def test_metrics_are_open_by_default(serve, keys_in_file) -> None:
    api = await serve(keys=keys_in_file.ring())
    assert (await api.http.get("/metrics")).status_code == 200


@pytest.mark.parametrize("path", ["/nowhere", "/score/", "/surefoot//v1/score", "/surefoot/v1/score/..", "/SCORE"])
async def test_only_holders_of_a_key_learn_that_there_is_no_route(ask, keys_in_file, path) -> None:
    asked = Route(path, (), {})
    assert (await ask(asked, None)).status_code == 401
    assert (await ask(asked, keys_in_file.new("alice", "score"))).status_code in (307, 404)


async def test_another_method_leads_around_nothing(ask, keys_in_file) -> None:
    asked = Route("/score", (), method="GET")
    assert (await ask(asked, None)).status_code == 401
    assert (await ask(asked, keys_in_file.new("alice", "sample"))).status_code == 403
    assert (await ask(asked, keys_in_file.new("alice", "score"))).status_code == 405


async def test_without_admin_routes_the_scope_opens_none(serve, keys_in_file) -> None:
    key = keys_in_file.new("alice", "admin")
    api = await serve(keys=keys_in_file.ring(), adapters={"prm": "first"})
    answer = await api.http.post("/admin/models/prm/reload", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 404


@pytest.mark.parametrize("headers", [[], [(b"authorization", b"Bearer sf-unknown")]], ids=["no key", "unknown key"])
async def test_a_body_is_not_read_before_its_key(guarded, headers) -> None:
    read, sent = [], []

    async def receive() -> dict[str, Any]:
        read.append(1)
        return {"type": "http.request", "body": b"{}", "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/score", "headers": headers, "query_string": b""}
    await asyncio.wait_for(guarded.app(scope, receive, send), 5)
    assert (sent[0]["status"], read) == (401, [])


@pytest.mark.parametrize(
    "authorization",
    [
        ["{key}"],
        ["Basic {key}"],
        ["Bearer"],
        ["Bearer {key} more"],
        ["Bearer {key}", "Bearer {key}"],
        ["Bearer sf-unknown", "Bearer {key}"],
    ],
)
async def test_only_one_bearer_token_is_a_key(guarded, keys_in_file, authorization) -> None:
    key = keys_in_file.new("alice", "score")
    keys_in_file.now_s += 1
    headers = [("authorization", value.format(key=key)) for value in authorization]
    answer = await guarded.http.post("/score", json=NATIVE[0].body, headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
async def test_the_scheme_is_read_as_http_has_it(guarded, keys_in_file, scheme) -> None:
    key = keys_in_file.new("alice", "score")
    keys_in_file.now_s += 1
    answer = await guarded.http.post("/score", json=NATIVE[0].body, headers={"authorization": f"{scheme} {key}"})
    assert answer.status_code == 200
