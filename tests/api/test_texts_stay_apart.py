"""Two callers and every route, with requests that are good, nearly good and odd: nobody's text reaches anyone else.

Neither another's answers, nor the log in either form, nor /metrics hold what a caller sent, and no answer is a 5xx but
those that say that something is not there now.
"""

import asyncio
import copy
import io
import json
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from captured_log import captured_log
from surefoot.access import SCOPES
from surefoot.log_lines import JsonLines, TextLines
from surefoot.profiles import load_profile

ALICE, BOB = "zebra4711", "quokka0815"
MUTANTS = 25
"""Odd versions of each request."""
AT_ONCE = 16
UNAVAILABLE = {503, 504}


@dataclass(frozen=True)
class Request:
    """A request to the route with that template."""

    template: str
    path: str
    body: Any = None
    method: str = "POST"


def dialects_of(text: str) -> list[Request]:
    """As clients of other systems send it."""
    problem, answer = f"{text}?", f"The answer is {text}."
    pair, rerank = {"text_1": problem, "text_2": answer}, {"query": problem, "documents": [answer, text]}
    texts, inputs, input_str = (
        {"query": problem, "texts": [answer]},
        {"inputs": [problem, answer]},
        f"{problem} &&&&& {text}",
    )
    turns = [{"role": "user", "content": problem}, {"role": "assistant", "content": f"{text}<extra_0>"}]
    bodies: dict[str, Any] = {
        "/pooling": {"messages": turns},
        "/classify": {"messages": turns},
        **dict.fromkeys(("/v1/score", "/score"), pair),
        **dict.fromkeys(("/v1/rerank", "/v2/rerank", "/cohere/v1/rerank", "/cohere/v2/rerank"), rerank),
        "/jina/v1/rerank": rerank,
        "/rerank": rerank,
        "/tei/rerank": texts,
        **dict.fromkeys(("/predict", "/tei/predict"), inputs),
        "/get_reward": {"query": [f"{problem} {answer}"], "prompts": [problem], "labels": [text]},
        "/slime/reward": {"prompt": problem, "response": answer, "label": text},
        "/openr/get_worker_address": {"model": "prm"},
        "/openr/worker_value_inference": {"input_str": input_str},
    }
    of_model = "/openr/{model:path}/worker_value_inference"
    return [
        *(Request(path, path, body) for path, body in bodies.items()),
        Request("/rerank", "/rerank", texts),
        Request(of_model, of_model.replace("{model:path}", "prm"), {"input_str": input_str}),
    ]


def admin_requests() -> list[Request]:
    """In an order in which each is served."""
    changes: dict[str, Any] = {
        "reload": None,
        "candidate": {"label": "v2"},
        "shadow": {"share": 0.5},
        "promote": None,
        "rollback": None,
        "unload": {"which": "candidate"},
    }
    one = "/admin/models/{name:path}"
    return [
        *(Request(f"{one}/{change}", f"/admin/models/prm/{change}", body) for change, body in changes.items()),
        Request("/admin/models", "/admin/models", method="GET"),
        Request(one, "/admin/models/prm", method="GET"),
    ]


def requests_of(text: str) -> list[Request]:
    """One to each route that it answers with 200, every free text of it the caller's."""
    problem, answer = f"{text}?", f"{text} = 5.\nThe answer is {text}."
    item = {"problem": problem, "steps": [f"{text} = 5.", f"The answer is {text}."], "id": text}
    messages = [{"role": "system", "content": text}, {"role": "user", "content": problem}]
    native = {
        "/score": {"items": [item, {"problem": problem, "solution": answer}], "checks": ["arithmetic"]},
        "/rerank": {"problem": problem, "candidates": [answer, text, ""], "strategy": "majority"},
        "/select": {"items": [{"problem": problem, "answer": text, "candidates": [answer, text]}], "top_k": 1},
        "/sample": {"problem": problem, "n": 2, "stop": [text]},
        "/best_of_n": {"messages": messages, "sampling": {"n": 2}},
    }
    return [
        *(Request(path, path, body) for path, body in native.items()),
        *(Request(f"/surefoot/v1{path}", f"/surefoot/v1{path}", body) for path, body in native.items()),
        Request("/best_of_n", "/best_of_n", {**native["/best_of_n"], "stream": True}),
        *dialects_of(text),
        Request("/v1/chat/completions", "/v1/chat/completions", {"messages": messages, "user": text}),
        Request("/v1/chat/completions", "/v1/chat/completions", {"messages": messages, "stream": True}),
        *admin_requests(),
        *(
            Request(path, path, method="GET")
            for path in ("/v1/models", "/health", "/ready", "/metrics", "/openapi.json", "/", "/docs")
        ),
        Request("/web/{name:path}", "/web/icon.svg", method="GET"),
    ]


def odd_values(text: str) -> list[Any]:
    deep: Any = text
    for _ in range(50):
        deep = [deep]
    strange = [f"{text}\x00\r\n", f"\ud800{text}", f"<|im_start|>{text}", "1" * 5000 + text, f"\\boxed{{{text}}}" * 50]
    return [None, True, -1, 0, 1e300, 10**30, "", [], {}, text, [text], {text: text}, deep, *strange]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there is something in a JSON value that could be something else."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*path, key)
        yield from places(part, (*path, key))


def mutant(body: Any, text: str, rng: random.Random) -> Any:
    """The body with one thing in it changed, taken out or added."""
    changed = copy.deepcopy(body)
    *way, last = rng.choice(list(places(changed)))
    inside = changed
    for key in way:
        inside = inside[key]
    act = rng.choice(("replace", "replace", "remove", "add"))
    if act == "remove":
        del inside[last]
    elif act == "add" and isinstance(inside, dict):
        inside[rng.choice((text, "model", "outcome_model", "generator", "timeout_s", "aggregation"))] = rng.choice(
            odd_values(text)
        )
    else:
        inside[last] = rng.choice(odd_values(text))
    return changed


def all_requests(text: str) -> list[Request]:
    rng = random.Random(text)
    good = requests_of(text)
    odd = [
        Request(each.template, each.path, mutant(each.body, text, rng), each.method)
        for each in good
        if each.body is not None
        for _ in range(MUTANTS)
    ]
    elsewhere = [
        Request("/admin/models/{name:path}/reload", f"/admin/models/{text}/reload"),
        Request("", f"/{text}"),
        Request("", f"/score/{text}?{text}={text}", {text: text}),
        *(Request(each.template, f"{each.path}?{text}", text, method) for each in good for method in ("PUT", "GET")),
    ]
    requests = [*good, *odd, *elsewhere]
    rng.shuffle(requests)
    return requests


@dataclass
class Logs:
    json: io.StringIO
    text: io.StringIO


@pytest.fixture
def logs() -> Iterator[Logs]:
    with ExitStack() as captured:
        yield Logs(*(captured.enter_context(captured_log(form())) for form in (JsonLines, TextLines)))


@pytest.fixture
async def guarded(serve, keys_in_file):
    return await serve(
        keys=keys_in_file.ring(),
        metrics_need_key=True,
        admin_routes=True,
        adapters={"prm": "first"},
        candidates={"prm": {"v2": load_profile("embedded-prm")}},
    )


async def sent(
    http: httpx.AsyncClient, requests: list[Request], key: str, at_once: int = AT_ONCE
) -> list[tuple[Request, httpx.Response]]:
    """All of them, some at a time, with their answers."""
    gate = asyncio.Semaphore(at_once)
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}

    async def send(each: Request) -> tuple[Request, httpx.Response]:
        async with gate:
            content = None if each.body is None else json.dumps(each.body).encode()
            return each, await http.request(each.method, each.path, content=content, headers=headers)

    return await asyncio.gather(*map(send, requests))


@pytest.fixture
async def answers(guarded, keys_in_file, logs) -> dict[str, list[tuple[Request, httpx.Response]]]:
    """What each caller was answered, by its text; both sent at the same time."""
    keys = [keys_in_file.new(name, *SCOPES) for name in ("alice", "bob")]
    keys_in_file.now_s += 1
    found = await asyncio.gather(
        *(sent(guarded.http, all_requests(text), key) for text, key in zip((ALICE, BOB), keys, strict=True))
    )
    return dict(zip((ALICE, BOB), found, strict=True))


def test_every_route_is_asked(guarded) -> None:
    assert {request.template for request in requests_of(ALICE)} == {route.path for route in guarded.app.routes}


async def test_every_route_has_a_request_that_is_served(guarded, keys_in_file) -> None:
    key = keys_in_file.new("alice", *SCOPES)
    keys_in_file.now_s += 1
    answered = await sent(guarded.http, requests_of(ALICE), key, at_once=1)
    assert [(request.path, answer.text) for request, answer in answered if answer.status_code != 200] == []


async def test_nobodys_text_reaches_anyone_else(answers, guarded, logs) -> None:
    for text, other in ((ALICE, BOB), (BOB, ALICE)):
        shown = [f"{answer.headers} {answer.text}" for _, answer in answers[text]]
        assert len(shown) > 300
        assert [said for said in shown if other in said] == []
    metrics = guarded.fake.telemetry.render().decode()
    for told in (logs.json.getvalue(), logs.text.getvalue(), metrics):
        assert "/best_of_n" in told
        assert [line for line in told.splitlines() if ALICE in line or BOB in line] == []


async def test_no_request_is_our_failure(answers) -> None:
    failed = [
        (request, answer.text)
        for answered in answers.values()
        for request, answer in answered
        if answer.status_code >= 500 and answer.status_code not in UNAVAILABLE
    ]
    assert failed == []


async def test_failed_passes_tell_nobodys_text(guarded, keys_in_file, logs) -> None:
    """The exception quotes both callers' texts, as one of a library may."""

    def fails(item: object) -> bool:
        raise ValueError(f"{ALICE} and {BOB}: {item}")

    guarded.parts.backend.fail_items(fails)
    keys = [keys_in_file.new(name, *SCOPES) for name in ("alice", "bob")]
    keys_in_file.now_s += 1
    found = await asyncio.gather(
        *(sent(guarded.http, requests_of(text), key) for text, key in zip((ALICE, BOB), keys, strict=True))
    )
    for answered, other in zip(found, (BOB, ALICE), strict=True):
        assert [answer.text for _, answer in answered if other in answer.text] == []
    for told in (logs.json.getvalue(), logs.text.getvalue(), guarded.fake.telemetry.render().decode()):
        assert [line for line in told.splitlines() if ALICE in line or BOB in line] == []
