"""Limits (429, 413, 503, 504), unexpected errors (500), request ids, and what never reaches the log."""

import asyncio
import logging

import pytest

from surefoot.api.errors import STATUS
from surefoot.api.service import Limits
from surefoot.errors import ItemError, RequestError, StartupError
from surefoot.scheduling.limits import SchedulerLimits

ITEM = {"problem": "2 + 3?", "steps": ["2 + 3 = 5"]}
SECRET = "zebra crossing"


class Broken:
    """A judge whose failure quotes what it was asked."""

    def equivalent(self, first: str, second: str) -> bool:
        raise ValueError(f"cannot compare {first} with {second}")


DIFFERENT_ANSWERS = {"problem": SECRET, "candidates": [rf"\boxed{{{SECRET} x}}", rf"\boxed{{{SECRET} y}}"]}


def deliberate(base: type) -> list[type]:
    return [found for cls in base.__subclasses__() for found in [cls, *deliberate(cls)]]


def test_every_request_error_has_a_status() -> None:
    assert {error.code for error in deliberate(RequestError)} <= set(STATUS)


def test_every_status_belongs_to_an_error() -> None:
    families = (RequestError, ItemError, StartupError)
    assert set(STATUS) <= {error.code for family in families for error in deliberate(family)}


async def filled_queue(serve, body):
    """An api whose backend is held and whose queue of one input is full, and the calls that fill it."""
    api = await serve(queue=SchedulerLimits(max_queue_items=1))
    api.parts.backend.hold()
    running = asyncio.create_task(api.http.post("/score", json=body))
    await api.until(lambda: len(api.parts.backend.batches) == 1)
    waiting = asyncio.create_task(api.http.post("/score", json=body))
    await api.until(lambda: api.fake.scheduler.snapshot().num_requests == 1)
    return api, [running, waiting]


async def settled(api, calls) -> list[int]:
    api.parts.backend.release()
    return [response.status_code for response in await asyncio.gather(*calls)]


async def test_a_full_queue_answers_429_with_retry_after(serve, error_of) -> None:
    api, calls = await filled_queue(serve, ITEM)
    response = await api.http.post("/score", json=ITEM)
    await settled(api, calls)
    assert (response.status_code, error_of(response)["code"]) == (429, "queue_full")
    assert int(response.headers["retry-after"]) >= 1


async def test_a_refusal_leaves_the_accepted_requests_alone(serve) -> None:
    api, calls = await filled_queue(serve, ITEM)
    await api.refused("/score", ITEM, 429)
    assert await settled(api, calls) == [200, 200]


async def test_a_full_queue_refuses_rankings_too(serve) -> None:
    api, calls = await filled_queue(serve, ITEM)
    error = await api.refused("/rerank", {"problem": "p", "candidates": ["a"], "strategy": "process_outcome"}, 429)
    await settled(api, calls)
    assert error["type"] == "overloaded_error"


async def test_a_request_is_admitted_whole_or_not_at_all(serve) -> None:
    api = await serve(queue=SchedulerLimits(max_queue_items=3))
    await api.refused("/score", {"items": [ITEM] * 4}, 413)
    assert api.parts.backend.batches == []


async def test_a_group_that_could_never_fit_is_413_without_retry_after(serve, error_of) -> None:
    api = await serve(queue=SchedulerLimits(max_queue_items=3))
    response = await api.http.post("/score", json={"items": [ITEM] * 4})
    assert (response.status_code, error_of(response)["code"]) == (413, "group_too_large")
    assert "retry-after" not in response.headers


async def test_more_items_than_allowed_are_refused(serve) -> None:
    api = await serve(limits=Limits(max_items=2))
    error = await api.refused("/score", {"items": [ITEM] * 3}, 422)
    assert (error["code"], error["param"]) == ("invalid_request", "items")


async def test_candidates_of_all_groups_count_as_items(serve) -> None:
    api = await serve(limits=Limits(max_items=3))
    group = {"problem": "p", "candidates": ["a", "b"]}
    assert (await api.refused("/rerank", {"items": [group, group]}, 422))["param"] == "candidates"


async def test_a_declared_body_above_the_limit_is_refused(serve, error_of) -> None:
    api = await serve(limits=Limits(max_body_bytes=2000))
    response = await api.http.post("/score", json=ITEM | {"problem": "x" * 2000})
    assert (response.status_code, error_of(response)["code"]) == (413, "body_too_large")


async def test_a_chunked_body_above_the_limit_is_refused(serve, error_of) -> None:
    async def chunks():
        for _ in range(5):
            yield b"x" * 500

    api = await serve(limits=Limits(max_body_bytes=2000))
    response = await api.http.post("/score", content=chunks(), headers={"content-type": "application/json"})
    assert (response.status_code, error_of(response)["code"]) == (413, "body_too_large")


async def test_a_body_at_the_limit_is_read(serve) -> None:
    content = b'{"problem": "p", "steps": ["a"]}'
    api = await serve(limits=Limits(max_body_bytes=len(content)))
    response = await api.http.post("/score", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 200


async def test_a_model_that_is_not_loaded_answers_503_with_retry_after(serve, error_of) -> None:
    api = await serve(loads=False)
    response = await api.http.post("/score", json=ITEM)
    assert (response.status_code, error_of(response)["code"]) == (503, "not_ready")
    assert int(response.headers["retry-after"]) >= 1


async def test_a_request_that_takes_too_long_answers_504(serve) -> None:
    api = await serve(limits=Limits(request_timeout_s=0.02))
    api.parts.backend.hold()
    assert (await api.refused("/score", ITEM, 504))["code"] == "request_timeout"


async def test_a_request_that_took_too_long_leaves_the_queue(serve) -> None:
    api = await serve(limits=Limits(request_timeout_s=0.05))
    api.parts.backend.hold()
    await asyncio.gather(*(api.refused("/score", ITEM, 504) for _ in range(3)))
    assert api.fake.scheduler.snapshot().num_requests == 0


async def test_an_unexpected_error_answers_500(serve) -> None:
    api = await serve(judge=Broken())
    error = await api.refused("/rerank", DIFFERENT_ANSWERS, 500)
    assert (error["code"], error["type"]) == ("internal_error", "server_error")


async def test_an_unexpected_error_says_nothing_of_its_inside(serve) -> None:
    api = await serve(judge=Broken())
    text = (await api.http.post("/rerank", json=DIFFERENT_ANSWERS)).text
    assert not [word for word in (SECRET, "ValueError", "Traceback", ".py") if word in text]


async def test_an_unexpected_error_is_logged_with_its_place(serve, caplog) -> None:
    api = await serve(judge=Broken())
    with caplog.at_level(logging.DEBUG):
        await api.refused("/rerank", DIFFERENT_ANSWERS, 500)
    assert "ValueError" in caplog.text
    assert "group_answers" in caplog.text


async def test_an_unexpected_error_is_logged_without_user_text(serve, caplog) -> None:
    api = await serve(judge=Broken())
    with caplog.at_level(logging.DEBUG):
        await api.refused("/rerank", DIFFERENT_ANSWERS, 500)
    assert SECRET not in caplog.text


async def test_an_unexpected_error_carries_the_request_id(serve) -> None:
    api = await serve(judge=Broken())
    response = await api.http.post("/rerank", json=DIFFERENT_ANSWERS, headers={"x-request-id": "r-1"})
    assert (response.status_code, response.headers["x-request-id"]) == (500, "r-1")


async def test_an_unexpected_error_is_counted(serve) -> None:
    api = await serve(judge=Broken())
    await api.refused("/rerank", DIFFERENT_ANSWERS, 500)
    text = (await api.http.get("/metrics")).text
    assert 'surefoot_requests_total{route="/rerank",status="500"} 1.0' in text
    assert 'surefoot_errors_total{code="internal_error"} 1.0' in text


async def test_the_service_goes_on_after_an_unexpected_error(serve) -> None:
    api = await serve(judge=Broken())
    await api.refused("/rerank", DIFFERENT_ANSWERS, 500)
    assert (await api.post("/score", ITEM))["model"] == "prm"


async def test_user_text_is_never_logged(api, caplog) -> None:
    with caplog.at_level(logging.DEBUG):
        await api.post("/score", {"items": [{"problem": SECRET, "steps": [SECRET]}, {"problem": SECRET, "steps": []}]})
        await api.post("/rerank", {"problem": SECRET, "candidates": [SECRET, ""]})
        await api.post("/best_of_n", {"problem": SECRET})
        await api.refused("/score", {"problem": SECRET, "steps": SECRET}, 422)
        api.parts.backend.fail_items(lambda _: True)
        await api.post("/score", {"problem": SECRET, "steps": [SECRET]})
    assert SECRET not in caplog.text


async def test_a_request_id_is_echoed(api) -> None:
    response = await api.http.post("/score", json=ITEM, headers={"x-request-id": "run-7:step.3_a"})
    assert (response.headers["x-request-id"], response.json()["id"]) == ("run-7:step.3_a",) * 2


async def test_a_request_id_is_made_where_none_was_sent(api) -> None:
    ids = {(await api.http.get("/health")).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(len(made) == 32 for made in ids)


@pytest.mark.parametrize("bad", ["", "a b", "x" * 129, "<script>", "a\tb", "ü".encode()])
async def test_a_bad_request_id_is_replaced(api, bad) -> None:
    made = (await api.http.get("/health", headers={b"x-request-id": bad})).headers["x-request-id"]
    assert len(made) == 32


@pytest.mark.parametrize("path", ["/nowhere", "/score"])
async def test_errors_carry_the_request_id(api, path) -> None:
    response = await api.http.get(path, headers={"x-request-id": "r-2"})
    assert response.headers["x-request-id"] == "r-2"


async def test_a_refused_body_carries_the_request_id(serve) -> None:
    api = await serve(limits=Limits(max_body_bytes=10))
    response = await api.http.post("/score", json=ITEM, headers={"x-request-id": "r-3"})
    assert (response.status_code, response.headers["x-request-id"]) == (413, "r-3")
