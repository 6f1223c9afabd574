"""What a server says when it cannot serve what it was asked to, and how it ends."""

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from surefoot.embedded.base_model import prepare_base
from surefoot.profiles import profile_text
from surefoot.settings import Settings

SCORES_ONLY = '[generator]\nengine = "none"\n'
GOOD_MODEL = '[[models]]\nname = "good"\nprofile = "embedded-prm"\n'


def bad_model(path: Path) -> str:
    return f'[[models]]\nname = "bad"\nprofile = "embedded-orm"\npath = "{path}"\n'


def states_when_settled(url: str) -> httpx.Response:
    """/ready once no model is loading any more."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        answer = httpx.get(f"{url}/ready")
        if "loading" not in answer.json()["models"].values():
            return answer
        time.sleep(0.2)
    pytest.fail("a model kept loading")


def assert_the_other_model_is_served(url: str, code: str) -> None:
    ready = states_when_settled(url)
    assert ready.status_code == 503
    assert ready.json()["models"] == {"good": "ready", "bad": "failed"}
    assert ready.json()["details"]["bad"].startswith(code)
    body = {"problem": "What is 1 + 1?", "steps": ["1 + 1 = 2"]}
    assert httpx.post(f"{url}/score", json=body, timeout=60).status_code == 200
    refused = httpx.post(f"{url}/score", json={**body, "model": "bad"}, timeout=60)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "not_ready")
    assert httpx.get(f"{url}/health").status_code == 200


def test_a_missing_model_directory_leaves_the_others_served(launch, tmp_path: Path) -> None:
    running = launch(GOOD_MODEL + bad_model(tmp_path / "nowhere") + SCORES_ONLY)
    running.wait_for_url()
    assert_the_other_model_is_served(running.url, "checkpoint_missing")
    assert running.stop() == 0


def test_a_truncated_checkpoint_leaves_the_others_served(launch, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(prepare_base(Settings().cache), damaged)
    weights = damaged / "model.safetensors"
    with weights.open("r+b") as file:
        file.truncate(weights.stat().st_size // 2)
    running = launch(GOOD_MODEL + bad_model(damaged) + SCORES_ONLY)
    running.wait_for_url()
    assert_the_other_model_is_served(running.url, "checkpoint_damaged")


def test_the_log_says_that_the_scores_were_checked(launch) -> None:
    running = launch(GOOD_MODEL + SCORES_ONLY)
    running.wait_for_url()
    assert states_when_settled(running.url).status_code == 200
    log = running.log.read_text(errors="replace")
    assert re.search(r"model good: self-check passed: \d+ scores, at most \S+ from plain forward", log)
    [model] = httpx.get(f"{running.url}/v1/models").json()["data"]
    assert model["self_check"]["max_difference"] <= model["tolerance"]


def test_scores_that_are_not_the_pinned_ones_keep_the_server_unready(launch, tmp_path: Path) -> None:
    pinned = tmp_path / "pinned.toml"
    golden = '[[golden]]\nproblem = "What is 1 + 1?"\nsteps = ["1 + 1 = 2"]\nscores = [1.0]\n'
    pinned.write_text(f"{profile_text('embedded-prm')}\n{golden}")
    running = launch(f'[[models]]\nname = "good"\nprofile = "{pinned}"\n' + SCORES_ONLY)
    running.wait_for_url()
    ready = states_when_settled(running.url)
    assert ready.status_code == 503
    assert ready.json()["details"]["good"].startswith("self_check_failed: probe 'golden[0]', step 0: served 0.")
    assert ready.json()["details"]["good"] in running.log.read_text(errors="replace")


def test_ctrl_c_ends_with_status_zero(launch) -> None:
    running = launch(SCORES_ONLY)
    running.wait_for_url()
    assert running.stop(signal.SIGINT) == 0


def test_sigterm_under_load_answers_what_was_accepted_and_refuses_the_rest(launch) -> None:
    """Twelve requests of some seconds are under way when the signal comes; all that was accepted is answered."""
    running = launch("shutdown_grace_s = 200\n" + GOOD_MODEL + SCORES_ONLY)
    running.wait_for_url()
    states_when_settled(running.url)
    body = {"items": [{"problem": f"Problem {n}?", "steps": ["One more step of the solution."] * 6} for n in range(4)]}
    with ThreadPoolExecutor(12) as pool, httpx.Client(timeout=240) as http:
        accepted = [pool.submit(http.post, f"{running.url}/score", json=body) for _ in range(12)]
        wait_until_running(running.url, 12)
        running.process.send_signal(signal.SIGTERM)
        refused = post_until_refused(running.url)
        assert refused.json()["error"]["code"] == "not_ready"
        assert refused.headers["retry-after"]
        answers = [answer.result() for answer in accepted]
    done = [answer for answer in answers if answer.status_code == 200]
    # A request that arrived after the signal was never accepted; it must say so, and nothing else may happen.
    late = [answer.json()["error"]["message"] for answer in answers if answer.status_code != 200]
    assert len(done) >= 4
    assert all("is stopping" in message for message in late)
    assert all(len(answer.json()["results"]) == 4 for answer in done)
    assert running.process.wait(60) == 0


def wait_until_running(url: str, count: int) -> None:
    """Until that many inputs at least are waiting or running: then every request has been accepted."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        waiting = re.search(r"surefoot_queue_requests{[^}]*} (\d+)", httpx.get(f"{url}/metrics").text)
        if waiting and int(waiting[1]) >= count:
            return
        time.sleep(0.02)
    pytest.fail("the requests never queued up")


def post_until_refused(url: str) -> httpx.Response:
    """The first refusal; the signal takes a moment to arrive."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = httpx.post(f"{url}/score", json={"problem": "?", "steps": ["1"], "timeout_s": 0.01}, timeout=60)
        if answer.status_code == 503:
            return answer
    pytest.fail("the server went on accepting work")


def test_without_a_generator_sampling_says_why(launch) -> None:
    running = launch(GOOD_MODEL + SCORES_ONLY)
    running.wait_for_url()
    answer = httpx.post(f"{running.url}/sample", json={"problem": "What is 1 + 1?"}, timeout=60)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "sampler_unavailable")


def surefoot(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "surefoot", *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def test_a_port_in_use_is_said_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = surefoot("serve", "--port", str(taken.getsockname()[1]))
    assert ended.returncode == 2
    assert ended.stderr.startswith("surefoot: [port_in_use] ")
    assert "--port" in ended.stderr


def test_an_unknown_profile_names_the_known_ones(tmp_path: Path) -> None:
    config = tmp_path / "bad.toml"
    config.write_text('[[models]]\nname = "prm"\nprofile = "no-such"\n')
    ended = surefoot("serve", "-c", str(config), "--port", "0")
    assert ended.returncode == 2
    assert "[profile_invalid]" in ended.stderr
    assert "embedded-prm" in ended.stderr


def test_a_misspelt_setting_is_named(tmp_path: Path) -> None:
    config = tmp_path / "bad.toml"
    config.write_text("[scheduler]\nmax_batch_tokenz = 5\n")
    ended = surefoot("models", "-c", str(config))
    assert ended.returncode == 2
    assert "scheduler.max_batch_tokenz" in ended.stderr


def test_a_server_that_is_not_there_is_status_three() -> None:
    ended = surefoot("solve", "What is 1 + 1?", "--url", "http://127.0.0.1:9")
    assert ended.returncode == 3
    assert "Traceback" not in ended.stderr
