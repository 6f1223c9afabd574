"""The log of a service under good requests, bad ones and failures: JSON in each line, ids that match, no user text."""

import io
import json
from collections.abc import Iterator

import httpx
import pytest

from captured_log import captured_log
from surefoot.log_lines import JsonLines

SECRET = "zebra4711"
ITEM = {"problem": SECRET, "steps": [SECRET, f"{SECRET}\n{SECRET}"]}
ACCESS = "surefoot.access_log"


class Log:
    """What would stand on standard error."""

    def __init__(self, stream: io.StringIO) -> None:
        self.stream = stream

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def requests(self) -> list[dict]:
        return [line for line in self.lines if line["logger"] == ACCESS]


@pytest.fixture
def log() -> Iterator[Log]:
    with captured_log(JsonLines()) as stream:
        yield Log(stream)


class Broken:
    """A judge whose error quotes what it was given."""

    def equivalent(self, first: str, second: str) -> bool:
        raise ValueError(f"{SECRET}: {first} {second}")


async def test_a_request_is_one_line(api, log) -> None:
    await api.post("/score", ITEM, headers={"x-request-id": "r-1"})
    [line] = log.requests
    told = {name: line[name] for name in ("level", "method", "route", "status", "request_id")}
    assert told == {"level": "info", "method": "POST", "route": "/score", "status": 200, "request_id": "r-1"}
    assert 0 < line["seconds"] < 60


async def test_an_id_that_was_made_is_the_one_of_the_answer(api, log) -> None:
    response = await api.http.post("/score", json=ITEM)
    assert [line["request_id"] for line in log.requests] == [response.headers["x-request-id"]]


@pytest.mark.parametrize("odd", ["two\twords", f"{SECRET} ", "x" * 129, "ü", '"}'])
async def test_an_id_that_could_forge_a_line_is_replaced(api, log, odd) -> None:
    response = await api.http.get("/health", headers={"x-request-id": odd.encode()})
    [line] = log.requests
    assert line["request_id"] == response.headers["x-request-id"] != odd
    assert line["request_id"].isalnum()


async def test_the_caller_is_named_without_its_key(api, log) -> None:
    await api.post("/score", ITEM, headers={"authorization": f"Bearer {SECRET}"})
    [line] = log.requests
    assert line["caller"].startswith("key ")
    assert SECRET not in log.text


@pytest.mark.parametrize(
    ("address", "told"), [("10.1.2.3", "10.1.2.3"), ("fe80::1%eth0", "fe80::1%eth0"), (f"{SECRET} said", None)]
)
async def test_an_address_is_told_where_it_is_one(api, log, address, told) -> None:
    """A proxy's header may put any text in its place."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api.app, client=(address, 1)), base_url="http://t"
    ) as http:
        await http.post("/score", json=ITEM)
    assert [line.get("caller") or None for line in log.requests] == [told]
    assert SECRET not in log.text


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", f"/{SECRET}"), ("POST", f"/score?q={SECRET}"), ("GET", f"/health?{SECRET}"), (SECRET.upper(), "/score")],
)
async def test_neither_path_nor_query_nor_method_is_quoted(api, log, method, path) -> None:
    await api.http.request(method, path)
    assert len(log.requests) == 1
    assert SECRET not in log.text.lower()


BODIES = [
    b"",
    SECRET.encode(),
    f'{{"problem": "{SECRET}"'.encode(),
    f'{{"problem": "{SECRET}", "{SECRET}": 1}}'.encode(),
    f'{{"problem": "{SECRET}", "steps": "{SECRET}"}}'.encode(),
    f'["{SECRET}"]'.encode(),
    b"\xff\xfe" + SECRET.encode(),
    f'{{"problem": "\\ud800{SECRET}", "steps": ["\\u0000{SECRET}\\r\\n"]}}'.encode(),
]


@pytest.mark.parametrize("path", ["/score", "/rerank", "/best_of_n", "/select", "/v1/chat/completions", "/pooling"])
async def test_bad_bodies_are_not_quoted(api, log, path) -> None:
    for body in BODIES:
        await api.http.post(path, content=body, headers={"content-type": "application/json"})
    assert len(log.requests) == len(BODIES)
    assert SECRET not in log.text


async def test_an_unforeseen_error_is_told_with_its_place_and_its_request(serve, log) -> None:
    api = await serve(judge=Broken())
    body = {"problem": SECRET, "candidates": [rf"\boxed{{{SECRET} x}}", rf"\boxed{{{SECRET} y}}"]}
    await api.http.post("/rerank", json=body, headers={"x-request-id": "r-2"})
    [line] = [line for line in log.lines if line["level"] == "error"]
    assert (line["message"], line["exception"], line["request_id"]) == (
        "unexpected error: ValueError",
        "ValueError",
        "r-2",
    )
    assert "in equivalent" in line["stack"]
    assert SECRET not in log.text


async def test_a_failed_pass_names_the_model_and_no_request(api, log) -> None:
    def fails(item: object) -> bool:
        raise ValueError(f"{SECRET}: {item}")

    api.parts.backend.fail_items(fails)
    await api.post("/score", {"problem": "p", "steps": ["a"]})
    [line] = [line for line in log.lines if line["level"] == "error"]
    assert (line["model"], line["exception"], "request_id" in line) == ("fake", "ValueError", False)
    assert SECRET not in log.text


async def test_good_work_of_every_kind_is_not_quoted(api, log) -> None:
    await api.post("/score", {"items": [ITEM, {"problem": SECRET, "steps": []}]})
    await api.post("/rerank", {"problem": SECRET, "candidates": [SECRET, "", f"The answer is {SECRET}"]})
    await api.post("/best_of_n", {"problem": SECRET})
    await api.post("/sample", {"problem": SECRET})
    await api.http.post("/best_of_n", json={"problem": SECRET, "stream": True})
    assert len(log.requests) == 5
    assert SECRET not in log.text


async def test_a_trace_is_in_the_line(api, log) -> None:
    await api.post("/score", ITEM, headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    [line] = log.requests
    assert line["trace_id"] == "a" * 32
    assert line["span_id"] != "b" * 16


async def test_without_a_trace_there_is_none_in_the_line(api, log) -> None:
    await api.post("/score", ITEM, headers={"traceparent": SECRET})
    [line] = log.requests
    assert not {"trace_id", "span_id"} & set(line)
