"""vLLM killed while it samples: a typed error ends the stream, scoring goes on, the next request gets an engine."""

import json
from collections.abc import Iterator

import httpx
import psutil

from surefoot_client import SurefootClient

PROBLEM = "Tom has 3 boxes with 12 pens each. How many pens does he have?"
# Candidates end with their first sentence, some soon and some late.
BODY = {"problem": PROBLEM, "stream": True, "sampling": {"n": 64, "temperature": 1.5, "stop": ["."], "max_tokens": 800}}


def events(response: httpx.Response) -> Iterator[tuple[str, dict]]:
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def kill_engine(server_pid: int) -> None:
    children = psutil.Process(server_pid).children(recursive=True)
    engines = [child for child in children if "EngineCore" in " ".join(child.cmdline()) or "EngineCore" in child.name()]
    assert engines, [child.cmdline() for child in children]
    for engine in engines:
        engine.kill()


def test_a_stream_whose_engine_is_killed_ends_with_the_reason(server, http: httpx.Client) -> None:
    with http.stream("POST", "/best_of_n", json=BODY) as response:
        assert response.status_code == 200, response.read()
        stream = events(response)
        assert next(stream)[0] == "candidate"
        kill_engine(server.process.pid)
        *_, (name, data) = stream
    assert (name, data["error"]["code"]) == ("error", "sampler_unavailable")


def test_scoring_goes_on_and_the_next_sample_has_a_new_engine(client: SurefootClient) -> None:
    (result,) = client.score([{"problem": PROBLEM, "steps": ["3 * 12 = 36."]}]).results
    assert 0 < result.score < 1
    assert client.sample(PROBLEM, n=1, max_tokens=4).candidates[0].num_tokens <= 4
