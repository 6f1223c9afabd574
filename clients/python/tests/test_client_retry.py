"""What is tried again, when, and for how long."""

import logging
from datetime import datetime, timedelta, timezone
from typing import get_args

import httpx
import pytest

from surefoot_client import BadGateway, ConnectionFailed, NotReady, QueueFull, TimedOut
from surefoot_client.retry import RETRY_RULES, Cost, backoff_s, retry_after_s

ITEM = {"problem": "2+3?", "steps": ["one", "two"]}
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
QUEUE_FULL = {"error": {"code": "queue_full", "message": "full", "type": "x", "param": None}}


def full(retry_after: str | None = None) -> httpx.Response:
    return httpx.Response(429, json=QUEUE_FULL, headers={"retry-after": retry_after} if retry_after else {})


@pytest.fixture
def scored(score_answer):
    return httpx.Response(200, json=score_answer)


def test_retry_waits_what_the_server_asks_for(driver, server, scored):
    server.reply(full("3"), scored)
    driver.call("score", [ITEM])
    assert server.pauses == [3.0]


def test_jitter_comes_on_top_of_what_the_server_asks_for(driver, server, scored):
    server.reply(full("3"), full("3"), scored)
    driver.call("score", [ITEM], settings={"uniform": lambda low, high: high})
    assert server.pauses == [3.5, 4.0]


def test_backoff_grows_without_a_word_from_the_server(driver, server, scored):
    server.reply(full(), full(), full(), full(), full(), full(), scored)
    driver.call("score", [ITEM], settings={"uniform": lambda low, high: high, "max_retries": 6})
    assert server.pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]


def test_it_gives_up_after_max_retries(driver, server):
    server.reply(full("1"))
    with pytest.raises(QueueFull) as caught:
        driver.call("score", [ITEM], settings={"max_retries": 3})
    assert len(server.requests) == 4
    assert caught.value.retry_after_s == 1.0


def test_two_retries_are_the_default(driver, server):
    server.reply(full())
    with pytest.raises(QueueFull):
        driver.call("score", [ITEM])
    assert len(server.requests) == 3


def test_no_retries_may_be_asked_for(driver, server):
    server.reply(full())
    with pytest.raises(QueueFull):
        driver.call("score", [ITEM], settings={"max_retries": 0})
    assert len(server.requests) == 1


def test_request_id_stays_the_same_over_the_retries(driver, server, scored):
    server.reply(full(), httpx.ConnectError("refused"), scored)
    driver.call("score", [ITEM])
    ids = [request.headers["x-request-id"] for request in server.requests]
    assert len(ids) == 3
    assert len(set(ids)) == 1
    assert len(bytes.fromhex(ids[0])) == 16


def test_each_call_has_its_own_request_id(driver, server, scored):
    server.reply(scored)
    driver.call("score", [ITEM])
    driver.call("score", [ITEM])
    assert server.requests[0].headers["x-request-id"] != server.requests[1].headers["x-request-id"]


def test_the_same_body_is_sent_again(driver, server, scored):
    server.reply(full(), scored)
    driver.call("score", [ITEM])
    assert server.requests[0].content == server.requests[1].content != b""


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadError, httpx.RemoteProtocolError]
)
def test_scoring_is_tried_again_after_any_broken_connection(driver, server, scored, failure):
    server.reply(failure("broken"), scored)
    assert driver.call("score", [ITEM]).id == "r1"


@pytest.mark.parametrize("status", [429, 502, 503])
def test_scoring_is_tried_again_after_passing_refusals(driver, server, scored, status):
    server.reply(httpx.Response(status), scored)
    assert driver.call("score", [ITEM]).id == "r1"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 500, 504])
def test_other_refusals_are_final(driver, server, status):
    server.reply(httpx.Response(status))
    with pytest.raises(Exception, match=f"the server answered {status}"):
        driver.call("score", [ITEM])
    assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["sample", "best_of_n"])
@pytest.mark.parametrize(
    "reply",
    [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.Response(429), httpx.Response(503)],
)
def test_sampling_is_tried_again_when_it_never_began(driver, server, sample_answer, best_of_n_answer, method, reply):
    answer = {"sample": sample_answer, "best_of_n": best_of_n_answer}[method]
    server.reply(reply, httpx.Response(200, json=answer))
    assert driver.call(method, "2+3?").generator == "default"


@pytest.mark.parametrize("method", ["sample", "best_of_n"])
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (httpx.Response(502), BadGateway),
        (httpx.ReadError("broken"), ConnectionFailed),
        (httpx.RemoteProtocolError("hung up"), ConnectionFailed),
    ],
)
def test_sampling_that_may_have_begun_is_not_repeated(driver, server, method, reply, error):
    server.reply(reply)
    with pytest.raises(error):
        driver.call(method, "2+3?")
    assert len(server.requests) == 1


def test_a_retry_is_logged_by_its_reason_without_user_text(driver, server, scored, caplog):
    caplog.set_level(logging.INFO, logger="surefoot_client")
    server.reply(full("3"), scored)
    driver.call("score", [ITEM])
    request_id = server.requests[0].headers["x-request-id"]
    messages = [record.getMessage() for record in caplog.records if record.name == "surefoot_client"]
    assert messages == [f"/score failed (queue_full), retry in 3.00 s, request {request_id}"]


@pytest.mark.parametrize("failure", [httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout])
def test_a_timeout_is_final(driver, server, failure):
    server.reply(failure("late"))
    with pytest.raises(TimedOut):
        driver.call("score", [ITEM])
    assert len(server.requests) == 1


def test_no_pause_reaches_past_the_deadline(driver, server):
    server.reply(httpx.Response(503, headers={"retry-after": "30"}))
    with pytest.raises(NotReady):
        driver.call("score", [ITEM], settings={"timeout_s": 50.0, "max_retries": 9})
    assert server.pauses == [30.0]


def test_each_attempt_gets_what_is_left_of_the_time(driver, server, scored):
    server.reply(full("20"), scored)
    driver.call("score", [ITEM], settings={"timeout_s": 50.0})
    assert [request.extensions["timeout"]["read"] for request in server.requests] == [50.0, 30.0]


@pytest.mark.parametrize("header", ["soon", "nan", "inf", ""])
def test_a_retry_after_that_says_nothing_is_ignored(header):
    assert retry_after_s(header, NOW) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("2.5", 2.5),
        ("-4", 0.0),
        ("Thu, 01 Jan 2026 00:00:07 GMT", 7.0),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 00:00:07 -0000", 7.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    assert retry_after_s(header, NOW) == seconds


def test_retry_after_is_counted_from_now():
    assert retry_after_s("Thu, 01 Jan 2026 00:00:07 GMT", NOW + timedelta(seconds=5)) == 2.0


def test_backoff_is_drawn_from_zero_on():
    assert backoff_s(3, lambda low, high: low) == 0.0


def test_every_cost_has_a_rule():
    assert set(RETRY_RULES) == set(get_args(Cost))
