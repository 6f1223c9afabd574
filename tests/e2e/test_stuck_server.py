"""A server process whose forward pass hangs: callers are answered in time, and it ends in time, with its status.

The reward models are the shipped fakes; the process, its signals and its thread that never returns are real.
"""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

WORK = {"problem": "2 + 3?", "steps": ["2 + 3 = 5"]}
ENDS_S = 20.0
"""For a process on a busy machine; a thread that is waited for would make it minutes."""


def test_a_stuck_pass_answers_every_caller_and_ends_the_process(start_fake) -> None:
    server = start_fake("[scheduler]\nstuck_after_s = 1\n", float("inf"))
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        codes = [waiting.result() for waiting in [pool.submit(server.code) for _ in range(8)]]
    assert codes == ["model_stopped"] * 8
    assert time.monotonic() - began < 1 + ENDS_S
    assert server.process.wait(ENDS_S) == 70


def test_without_the_exit_it_stays_up_and_is_ready_again_when_the_pass_ends(start_fake) -> None:
    server = start_fake("exit_on_failure = false\n[scheduler]\nstuck_after_s = 0.5\n", 15.0)
    assert server.code() == "model_stopped"
    assert not server.ready()
    server.until(server.ready)
    assert "score" in server.score().json()["results"][0]
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(ENDS_S) == 0


def test_sigterm_ends_in_time_although_a_pass_is_stuck(start_fake) -> None:
    server = start_fake("shutdown_grace_s = 1\n[scheduler]\nstuck_after_s = 0\n", float("inf"))
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(server.score), pool.submit(server.score)]
        server.until(server.queued)
        server.process.send_signal(signal.SIGTERM)
        answers = [answer.result() for answer in waiting]
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in answers] == [(503, "not_ready")] * 2
    assert server.process.wait(ENDS_S) == 0


def test_sighup_takes_over_a_good_file_and_leaves_a_bad_one(start_fake) -> None:
    server = start_fake("", 0.0)
    server.config.write_text("port = = 1")
    server.process.send_signal(signal.SIGHUP)
    server.until(lambda: "nothing is changed" in server.log.read_text())
    assert server.score().status_code == 200
    server.config.write_text("[limits]\nmax_body_bytes = 1024\nmax_items = 1\n")
    server.process.send_signal(signal.SIGHUP)
    server.until(lambda: "settings read again" in server.log.read_text())
    assert httpx.post(f"{server.url}/score", json={"items": [WORK, WORK]}).status_code == 422
    assert httpx.post(f"{server.url}/score", content=b" " * 2000).status_code == 413
