"""A real server whose process model gets its adapter at run time: under load, over SIGHUP, over a killed process."""

import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

CONFIG = """
admin_routes = true
dtype = "float32"
promotions_file = "{directory}/promotions.json"

[[models]]
name = "prm"
profile = "embedded-prm"
adapter = "none"

[[models.candidates]]
label = "trained"
adapter = "embedded"

[[models]]
name = "trained-from-the-start"
profile = "embedded-prm"

[generator]
engine = "none"
"""
STEPS = ["Half of 48 is 24.", "48 + 24 = 72.", "The answer is 72."]
ITEM = {"problem": "She sold 48 clips in April and half as many in May. How many in both?", "steps": STEPS}
LOADS_S = 120.0
Scored = tuple[str, tuple[float, ...]]


class Admin:
    """Plain HTTP with one server, as by curl."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=LOADS_S)

    def ready(self) -> bool:
        return self.http.get("/ready").status_code == 200

    def do(self, change: str, **body: Any) -> dict[str, Any]:
        answer = self.http.post(f"/admin/models/prm/{change}", json=body or None)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def show(self) -> dict[str, Any]:
        return dict(self.http.get("/admin/models/prm").json())

    def score(self, model: str = "prm") -> Scored:
        answer = self.http.post("/score", json={"model": model, **ITEM})
        assert answer.status_code == 200, answer.text
        steps = answer.json()["results"][0]["steps"]
        return answer.json()["fingerprint"], tuple(step["score"] for step in steps)

    def rank(self) -> Scored:
        body = {"model": "prm", "problem": ITEM["problem"], "candidates": [{"steps": STEPS}, {"steps": STEPS}]}
        answer = self.http.post("/rerank", json=body)
        assert answer.status_code == 200, answer.text
        first, second = (tuple(step["score"] for step in entry["steps"]) for entry in answer.json()["results"])
        assert first == second
        return answer.json()["fingerprints"]["prm"], first


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LOADS_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def serving(launch, tmp_path: Path):
    opened: list[Admin] = []

    def start():
        running = launch(CONFIG.format(directory=tmp_path))
        running.wait_for_url()
        opened.append(Admin(running.url))
        until(opened[-1].ready)
        return running, opened[-1]

    yield start
    for admin in opened:
        admin.http.close()


def test_scores_before_after_and_before_again(serving) -> None:
    running, admin = serving()
    before, trained = admin.score(), admin.score("trained-from-the-start")
    loaded = admin.do("candidate", label="trained")
    assert (loaded["candidate"]["fingerprint"], loaded["candidate"]["self_check"]) == (trained[0], "passed")
    assert admin.score() == before
    admin.do("promote")
    after = admin.score()
    assert after[0] == trained[0] != before[0]
    assert after[1] == pytest.approx(trained[1], abs=1e-5)
    assert after[1] != pytest.approx(before[1], abs=1e-2)
    admin.do("rollback")
    assert admin.score()[0] == before[0]
    assert admin.score()[1] == pytest.approx(before[1], abs=1e-5)
    assert running.stop() == 0


def test_changes_under_load_fail_no_request_and_mix_no_two_models(serving) -> None:
    _, admin = serving()
    expected = dict([admin.score(), admin.score("trained-from-the-start")])
    done = Event()

    def caller(ask: Callable[[], Scored]) -> list[Scored]:
        answers = []
        while not done.is_set():
            answers.append(ask())
        return answers

    with ThreadPoolExecutor(4) as pool:
        callers = [pool.submit(caller, ask) for ask in (admin.score, admin.score, admin.rank, admin.rank)]
        try:
            for _ in range(3):
                admin.do("candidate", label="trained")
                admin.do("shadow", share=1)
                time.sleep(0.3)
                for change in ("promote", "rollback", "promote"):
                    admin.do(change)
                    time.sleep(0.2)
                admin.do("rollback")
                admin.do("unload", which="candidate")
        finally:
            done.set()
        answers = [answer for one in callers for answer in one.result()]
    assert {fingerprint for fingerprint, _ in answers} == set(expected)
    for fingerprint, scores in answers:
        assert scores == pytest.approx(expected[fingerprint], abs=1e-4)


def test_the_shadow_says_how_far_the_two_are_apart(serving) -> None:
    _, admin = serving()
    before, trained = admin.score()[1], admin.score("trained-from-the-start")[1]
    admin.do("candidate", label="trained")
    admin.do("shadow", share=1)
    admin.score()
    until(lambda: admin.show()["shadow"]["compared"] == 1)
    apart = [abs(left - right) for left, right in zip(before, trained, strict=True)]
    assert admin.show()["shadow"]["max_difference"] == pytest.approx(max(apart), abs=1e-4)
    assert 'surefoot_shadow_groups_total{model="prm",outcome="compared"} 1.0' in admin.http.get("/metrics").text


def test_sighup_and_a_killed_process_leave_what_was_promoted(serving) -> None:
    running, admin = serving()
    admin.do("candidate", label="trained")
    promoted = admin.do("promote")["fingerprint"]
    running.process.send_signal(signal.SIGHUP)
    until(lambda: "settings read again" in running.log.read_text(errors="replace"))
    assert admin.score()[0] == promoted
    running.process.kill()
    running.process.wait()
    _, restarted = serving()
    assert restarted.score()[0] == promoted
    assert (restarted.show()["label"], restarted.show()["label_after_restart"]) == ("trained", "trained")


def test_a_load_whose_caller_leaves_is_finished(serving) -> None:
    _, admin = serving()
    with pytest.raises(httpx.ReadTimeout):
        admin.http.post("/admin/models/prm/candidate", json={"label": "trained"}, timeout=0.02)
    until(lambda: admin.show()["candidate"] is not None)
    assert admin.show()["candidate"]["label"] == "trained"
