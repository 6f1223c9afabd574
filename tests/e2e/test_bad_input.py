"""Bad input against the real server: each the stated error, and the server lives."""

import time
from pathlib import Path

import httpx
import psutil
import pytest

from surefoot_client import SurefootClient

GOOD = {"problem": "What is 1 + 1?", "steps": ["1 + 1 = 2"]}


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"problem": " ", "steps": ["1"]}, "empty_problem"),
        ({"problem": "?", "steps": []}, "no_steps"),
        ({"problem": "?", "solution": "\n"}, "no_steps"),
        ({"problem": "?", "steps": ["1", ""]}, "empty_step"),
        ({"problem": "?", "solution": "one more step " * 6000}, "input_too_long"),
        ({"problem": "?", "solution": "one more step " * 360_000}, "input_too_long"),
        ({"problem": "?", "steps": ["1"] * 2000}, "too_many_steps"),
    ],
)
def test_a_bad_item_fails_alone(client: SurefootClient, item: dict[str, object], code: str) -> None:
    bad, good = client.score([item, GOOD]).results
    assert bad.error.code == code
    assert 0 < good.steps[0].score < 1


def test_an_over_long_input_is_refused_with_both_counts(client: SurefootClient) -> None:
    (failure,) = client.score([{"problem": "?", "solution": "one more step " * 6000}]).results
    counts = [int(word.strip(",")) for word in str(failure.error.message).split() if word.strip(",").isdigit()]
    assert counts[0] > counts[1] == 4096


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/score", '{"problem": "?", "steps": "not a list"}', 422, "invalid_request"),
        ("/score", '{"problem": "?", "steps": ["1"], "treshold": 0.5}', 422, "invalid_request"),
        ("/score", '{"problem": "?", "steps": ["1"], "threshold": NaN}', 422, "invalid_request"),
        ("/score", '{"problem": "?", "steps": ["1"], "model": "none"}', 404, "model_not_found"),
        ("/score", '{"items": []}', 422, "invalid_request"),
        ("/score", "{", 400, "bad_request"),
        ("/score", '{"something": "else"}', 400, "unrecognised_body"),
        ("/sample", '{"problem": "?", "n": 0}', 422, "invalid_request"),
        ("/sample", '{"problem": "?", "n": 1000000}', 422, "invalid_request"),
        ("/sample", '{"problem": "?", "generator": "none"}', 404, "generator_not_found"),
        ("/best_of_n", '{"problem": "?", "sampling": {"n": 1000000}}', 422, "invalid_request"),
        ("/nowhere", "{}", 404, "not_found"),
    ],
)
def test_a_bad_request_gets_its_error_and_the_server_lives(
    http: httpx.Client, client: SurefootClient, path: str, body: str, status: int, code: str
) -> None:
    answer = http.post(path, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert client.score([GOOD]).results[0].steps


def test_when_the_caller_goes_away_the_engine_stops(server, client: SurefootClient) -> None:
    """These candidates would keep vLLM busy for minutes; soon after the caller left it must be idle."""
    body = {"problem": "Count to one million.", "n": 16, "max_tokens": 3000, "temperature": 2.0}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.url}/sample", json=body, timeout=3)
    deadline = time.monotonic() + 20
    while _busy_share(server.process.pid) > 0.3:
        assert time.monotonic() < deadline, "vLLM went on sampling for nobody"
    assert client.sample("What is 1 + 1?", n=1, max_tokens=4).candidates


def _busy_share(pid: int) -> float:
    """Cores kept busy by the engine's processes during one second."""
    before = _engine_cpu_s(pid)
    time.sleep(1.0)
    return _engine_cpu_s(pid) - before


def _engine_cpu_s(pid: int) -> float:
    times = [child.cpu_times() for child in psutil.Process(pid).children(recursive=True)]
    return sum(spent.user + spent.system for spent in times)


def test_user_text_never_reaches_the_log(server, client: SurefootClient) -> None:
    secret = "zebra-crossing-4711"
    client.score([{"problem": secret, "steps": [secret]}, {"problem": secret, "steps": [""]}])
    assert secret not in Path(server.log).read_text(errors="replace")
