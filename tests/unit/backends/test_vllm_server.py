"""A vLLM server as a backend: tokens go out as they are, rows are gathered by position, failures say what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from forwarded import rows_of
from surefoot.backends.vllm_server import PoolingServer, ServedByVllm, VllmServerBackend, pooling_mode
from surefoot.domain import ForwardItem, RenderedInput
from surefoot.errors import BackendFailed, SettingsInvalid
from surefoot.remote_server import RemoteServer

URL = "http://far.test:8000"
SECRET_TOKEN = 271_828


class FarVllm:
    """Pools like vLLM: the raw values of token t are [t, -t]. Before that it gives `refusals`, one a request."""

    def __init__(self, *refusals: int | Exception, rows: Callable[[list[int]], Any] | None = None) -> None:
        self.refusals = list(refusals)
        self.rows = rows or (lambda token_ids: [[float(token), -float(token)] for token in token_ids])
        self.bodies: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.bodies.append(body)
        if self.refusals:
            refusal = self.refusals.pop(0)
            if isinstance(refusal, Exception):
                raise refusal
            return httpx.Response(refusal, json={"error": {"message": f"wrong with {body['input']}"}})
        data = [{"index": index, "data": self.rows(token_ids)} for index, token_ids in enumerate(body["input"])]
        return httpx.Response(200, json={"data": data[::-1]})


def reach(answer: Callable[[httpx.Request], httpx.Response], **server: Any) -> PoolingServer:
    return PoolingServer(RemoteServer(URL, **server), transport=httpx.MockTransport(answer), jitter=lambda: 0.0)


def backend(answer: Callable[[httpx.Request], httpx.Response], **server: Any) -> VllmServerBackend:
    return VllmServerBackend(
        "prm", reach(answer, **server), model="far", mode="each_token", num_columns=2, max_input_tokens=64
    )


def item(token_ids: tuple[int, ...], *positions: int) -> ForwardItem:
    return ForwardItem(RenderedInput(token_ids, positions), "prm")


def failure(answer: Callable[[httpx.Request], httpx.Response], **server: Any) -> BackendFailed:
    with pytest.raises(BackendFailed) as caught:
        backend(answer, **server).forward([item((SECRET_TOKEN, 5), 1)])
    return caught.value


def test_rows_are_those_at_the_positions_of_each_input() -> None:
    """The server may answer in any order."""
    rows = rows_of(backend(FarVllm()).forward([item((7, 8, 9), 0, 2), item((5, 6), 1)]))
    assert rows == [((7.0, -7.0), (9.0, -9.0)), ((6.0, -6.0),)]


def test_tokens_go_out_as_they_are_and_raw_values_are_asked_for() -> None:
    far = FarVllm()
    backend(far).forward([item((7, 8), 1), item((9,), 0)])
    expected = {"model": "far", "input": [[7, 8], [9]], "encoding_format": "float", "use_activation": False}
    assert far.bodies == [expected]


@pytest.mark.parametrize("passing", [503, 502, 429, httpx.ConnectError("refused"), httpx.RemoteProtocolError("gone")])
def test_what_may_pass_is_tried_again(passing: int | Exception) -> None:
    assert rows_of(backend(FarVllm(passing)).forward([item((7,), 0)])) == [((7.0, -7.0),)]


@pytest.mark.parametrize("lasting", [400, 401, 404, 500, httpx.ReadTimeout("slow")])
def test_what_cannot_pass_is_asked_once(lasting: int | Exception) -> None:
    far = FarVllm(lasting)
    failure(far)
    assert len(far.bodies) == 1


def test_retries_end() -> None:
    far = FarVllm(503, 503, 503)
    assert failure(far, max_retries=1).message == "the vLLM server at far.test:8000 answered 503"
    assert len(far.bodies) == 2


def test_a_wait_beyond_the_time_limit_is_not_begun() -> None:
    far = FarVllm(503, 503)
    failure(far, timeout_s=0.2)
    assert len(far.bodies) == 1


def test_what_the_server_says_is_not_repeated() -> None:
    """It may quote the input."""
    assert str(SECRET_TOKEN) not in failure(FarVllm(400)).message


@pytest.mark.parametrize(
    "answer",
    [{"data": []}, {"data": [{"index": 0}]}, {"error": "x"}, [], {"data": [{"index": 0, "data": "AAAA"}]}],
    ids=["nothing", "no rows", "an error", "a list", "not floats"],
)
def test_an_answer_of_another_shape_is_a_failure(answer: Any) -> None:
    assert "something else than one list of rows" in failure(lambda _: httpx.Response(200, json=answer)).message


def test_a_body_that_is_not_json_is_a_failure() -> None:
    assert "not JSON" in failure(lambda _: httpx.Response(200, text="<html>")).message


def test_fewer_rows_than_tokens_are_never_read() -> None:
    assert "gave 1 rows for 2 tokens" in failure(FarVllm(rows=lambda _: [[0.5, 0.5]])).message


def test_another_number_of_values_is_never_read() -> None:
    assert "2 values" in failure(FarVllm(rows=lambda token_ids: [[0.5] for _ in token_ids])).message


def test_a_closed_backend_waits_for_no_further_attempt() -> None:
    far = FarVllm(503, 503)
    server = reach(far)
    server._closing.set()
    with pytest.raises(BackendFailed):
        server.pool("far", [[1]])
    assert len(far.bodies) == 1


def listing(*models: dict[str, Any], version: Any = "0.32.0") -> PoolingServer:
    pages = {"/v1/models": {"data": list(models)}, "/version": {"version": version}}
    return reach(lambda request: httpx.Response(200, json=pages[request.url.path]))


def test_the_model_is_the_servers_own_and_no_adapter_on_it() -> None:
    adapter = {"id": "lora", "root": "/lora", "parent": "far", "max_model_len": None}
    own = {"id": "far", "root": "/models/far", "parent": None, "max_model_len": 4096}
    assert listing(adapter, own).model() == ServedByVllm("far", "/models/far", 4096, "0.32.0")


@pytest.mark.parametrize("models", [[], [{"id": "gpt", "object": "model"}]], ids=["none", "not vLLM's"])
def test_a_server_that_is_no_vllm_is_told(models: list[dict[str, Any]]) -> None:
    with pytest.raises(BackendFailed, match="as no vLLM does"):
        listing(*models).model()


RAW = [[0.3, -2.0], [4.0, 1.0], [0.0, 0.5]]


def test_a_row_a_token_is_pooling_at_each_token() -> None:
    assert pooling_mode(RAW, num_tokens=3, num_columns=2, reads_last=False) == "each_token"


def test_one_row_is_pooling_at_the_last_token() -> None:
    assert pooling_mode([[-3.0]], num_tokens=3, num_columns=1, reads_last=True) == "last_token"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ([], "gives 0 rows for 3 tokens"),
        (RAW[:2], "gives 2 rows for 3 tokens"),
        (RAW[:1], "the last token's values alone"),
        ([[1.0, 2.0, 3.0]] * 3, "gives 3 values at a position and the profile reads 2"),
        ([[0.25, 0.75], [0.9, 0.1], [0.5, 0.5001]], "gives probabilities"),
    ],
    ids=["no rows", "step pooling", "last token", "classes", "activated"],
)
def test_a_server_that_pools_in_another_way_is_refused(table: list[list[float]], said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said) as caught:
        pooling_mode(table, num_tokens=3, num_columns=2, reads_last=False)
    assert caught.value.param == "url"
