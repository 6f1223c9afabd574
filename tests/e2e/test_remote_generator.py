"""Generators behind a real vLLM server: sampled through both APIs, aborted there too, and done without when it dies."""

import time
from collections.abc import Iterator

import httpx
import pytest

from remote_vllm import RemoteVllm, start_vllm
from surefoot.embedded.base_model import prepare_base
from surefoot.settings import Settings

PROBLEM = "What is 2 + 3?"
BY_PROCESS = {"ranking": {"strategy": "process"}}
CONFIG = """
[[models]]
name = "prm"
profile = "embedded-prm"
dtype = "bfloat16"

[generator]
engine = "none"

[[remote_generators]]
name = "by-tokens"
url = "{url}"
model = "policy"
api = "completions"
extensions = true

[[remote_generators]]
name = "by-chat"
url = "{url}/v1"
model = "policy"
extensions = true
max_retries = 0
"""


@pytest.fixture(scope="module")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteVllm]:
    options = ["--served-model-name", "policy", "--max-model-len", "2048"]
    running = start_vllm(prepare_base(Settings().cache), tmp_path_factory.mktemp("vllm") / "vllm.log", options)
    try:
        running.wait_until_up()
        yield running
    finally:
        running.kill()


@pytest.fixture(scope="module")
def remote(vllm: RemoteVllm, launch_for_module) -> Iterator[httpx.Client]:
    """The service, whose generators are all behind that server."""
    server = launch_for_module(CONFIG.format(url=vllm.url))
    server.wait_for_url()
    server.wait_until_ready()
    with httpx.Client(base_url=server.url, timeout=60) as http:
        yield http


def drawn(remote: httpx.Client, generator: str) -> dict:
    body = {"problem": PROBLEM, "generator": generator, "n": 2, "max_tokens": 24, "seed": 7, "logprobs": True}
    response = remote.post("/sample", json=body)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("generator", ["by-tokens", "by-chat"])
def test_token_ids_and_logprobs_are_there(remote: httpx.Client, generator: str) -> None:
    answer = drawn(remote, generator)
    assert answer["usage"]["prompt_tokens"] == len(answer["prompt_token_ids"]) > 0
    for candidate in answer["candidates"]:
        assert len(candidate["logprobs"]) == len(candidate["token_ids"]) == candidate["num_tokens"] > 0
        assert candidate["cumulative_logprob"] == pytest.approx(sum(candidate["logprobs"]))


def test_both_apis_draw_the_same_from_a_seed(remote: httpx.Client) -> None:
    """So the tokens sent by the one are those that the server itself makes of the other's messages."""
    by_tokens, by_chat = (drawn(remote, generator) for generator in ("by-tokens", "by-chat"))
    assert by_tokens["prompt_token_ids"] == by_chat["prompt_token_ids"]
    assert [c["token_ids"] for c in by_tokens["candidates"]] == [c["token_ids"] for c in by_chat["candidates"]]


def test_the_best_of_n_is_ranked_here(remote: httpx.Client) -> None:
    sampling = {"generator": "by-chat", "n": 3, "max_tokens": 24}
    response = remote.post("/best_of_n", json={"problem": PROBLEM, "sampling": sampling, **BY_PROCESS})
    assert response.status_code == 200, response.text
    found = response.json()
    assert sorted(result["index"] for result in found["ranking"]["results"]) == [0, 1, 2]
    assert found["text"] == found["candidates"][found["best"]]["text"]


def test_an_answer_beyond_the_context_is_refused(remote: httpx.Client) -> None:
    response = remote.post("/sample", json={"problem": PROBLEM, "max_tokens": 4000})
    assert (response.status_code, response.json()["error"]["param"]) == (422, "max_tokens")


def test_a_caller_who_leaves_stops_the_remote_engine(remote: httpx.Client, vllm: RemoteVllm) -> None:
    # At this temperature hardly a candidate ends by itself.
    body = {"problem": PROBLEM, "n": 4, "temperature": 2, "top_p": 1, "max_tokens": 1900}
    with pytest.raises(httpx.ReadTimeout):
        remote.post("/sample", json=body, timeout=2)
    deadline = time.monotonic() + 10
    while vllm.num_running() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert vllm.num_running() == 0


@pytest.fixture
def without_vllm(remote: httpx.Client, vllm: RemoteVllm) -> httpx.Client:
    """From here on the server is dead: the tests below come last."""
    vllm.kill()
    return remote


@pytest.mark.parametrize("generator", ["by-tokens", "by-chat"])
def test_a_dead_server_is_the_reason_for_no_candidates(without_vllm: httpx.Client, generator: str) -> None:
    sampling = {"generator": generator, "n": 2}
    response = without_vllm.post("/best_of_n", json={"problem": PROBLEM, "sampling": sampling, **BY_PROCESS})
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (503, "sampler_unavailable")
    assert "cannot be reached" in error["message"]


def test_scoring_goes_on_without_it(without_vllm: httpx.Client) -> None:
    item = {"problem": PROBLEM, "steps": ["2 + 3 = 5.", "The answer is 5."]}
    [result] = without_vllm.post("/score", json={"items": [item]}).json()["results"]
    assert len(result["steps"]) == 2
