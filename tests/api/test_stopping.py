"""A stopping service finishes what it accepted and refuses what is new, while probes are still answered."""

import asyncio

import pytest

WORK = {"problem": "2 + 3?", "steps": ["2 + 3 = 5"]}


@pytest.fixture
async def stopping(api):
    api.app.state.drain.begin()
    return api


@pytest.mark.parametrize("path", ["/score", "/rerank", "/sample", "/best_of_n", "/surefoot/v1/score"])
async def test_new_work_is_told_to_come_back(stopping, path) -> None:
    response = await stopping.http.post(path, json=WORK)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "not_ready")
    assert response.headers["retry-after"] == "1"
    assert response.headers["connection"] == "close"


async def test_accepted_work_is_answered(api) -> None:
    api.parts.backend.hold()
    accepted = asyncio.create_task(api.http.post("/score", json=WORK))
    await api.until(lambda: bool(api.parts.backend.batches))
    api.app.state.drain.begin()
    assert not api.app.state.drain.is_over
    api.parts.backend.release()
    assert (await accepted).status_code == 200
    assert api.app.state.drain.is_over


async def test_accepted_work_that_outlasts_the_grace_is_told_to_go_elsewhere(api) -> None:
    api.parts.backend.hold()
    accepted = asyncio.create_task(api.http.post("/score", json=WORK))
    await api.until(lambda: bool(api.parts.backend.batches))
    drain = api.app.state.drain
    drain.begin()
    drain._expired.set()
    response = await accepted
    assert (response.status_code, response.json()["error"]["code"]) == (503, "not_ready")
    assert drain.is_over
    api.parts.backend.release()


async def test_it_is_alive_but_not_ready(stopping) -> None:
    assert (await stopping.http.get("/health")).status_code == 200
    ready = await stopping.http.get("/ready")
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert "stopping" in ready.json()["details"]["service"]


async def test_it_is_measured_to_the_end(stopping) -> None:
    await stopping.http.post("/score", json=WORK)
    metrics = (await stopping.http.get("/metrics")).text
    assert 'status="503"' in metrics
