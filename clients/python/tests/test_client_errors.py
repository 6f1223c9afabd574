"""From an error answer to the exception class."""

import pickle
from typing import get_args

import httpx
import pytest

import surefoot_client
from surefoot_client import ERRORS_BY_CODE, ErrorCode, ItemError, RequestError, ServerError, SurefootError

ITEM = {"problem": "2+3?", "steps": ["one", "two"]}
FALLBACKS = {ServerError, ItemError, RequestError}


def subclasses(kind: type) -> set[type]:
    return {kind}.union(*(subclasses(child) for child in kind.__subclasses__()))


def test_every_code_has_its_class():
    assert set(ERRORS_BY_CODE) == set(get_args(ErrorCode))


def test_every_class_has_its_code():
    assert set(ERRORS_BY_CODE.values()) == subclasses(ServerError) - FALLBACKS


@pytest.mark.parametrize("code", get_args(ErrorCode))
def test_the_table_agrees_with_the_code_of_the_class(code):
    assert ERRORS_BY_CODE[code].code == code


def test_every_error_is_public():
    assert {kind.__name__ for kind in subclasses(SurefootError)} <= set(surefoot_client.__all__)


@pytest.mark.parametrize("code", get_args(ErrorCode))
def test_a_refusal_raises_the_class_of_its_code(driver, server, code):
    server.reply(httpx.Response(422, json={"error": {"code": code, "message": "m", "type": "t", "param": "p"}}))
    with pytest.raises(ERRORS_BY_CODE[code]) as caught:
        driver.call("score", [ITEM])
    assert type(caught.value) is ERRORS_BY_CODE[code]


def test_a_refusal_tells_all_that_the_server_said(driver, server):
    body = {"error": {"code": "not_ready", "message": "draining", "type": "t", "param": "items.0.steps"}}
    server.reply(httpx.Response(503, json=body, headers={"retry-after": "90", "x-request-id": "abc"}))
    with pytest.raises(surefoot_client.NotReady) as caught:
        driver.call("score", [ITEM])
    error = caught.value
    assert (error.code, error.message, error.param) == ("not_ready", "draining", "items.0.steps")
    assert (error.status, error.retryable, error.retry_after_s, error.request_id) == (503, True, 90.0, "abc")


def test_a_refusal_without_an_id_has_the_id_that_was_sent(driver, server):
    server.reply(httpx.Response(422, json={"error": {"code": "invalid_request", "message": "m"}}))
    with pytest.raises(surefoot_client.InvalidRequest) as caught:
        driver.call("score", [ITEM])
    assert caught.value.request_id == server.requests[0].headers["x-request-id"]


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "InvalidRequest"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (413, "BodyTooLarge"),
        (418, "RequestError"),
        (422, "InvalidRequest"),
        (429, "QueueFull"),
        (500, "InternalError"),
        (502, "BadGateway"),
        (503, "NotReady"),
        (504, "RequestTimeout"),
    ],
)
def test_an_unknown_code_is_judged_by_its_status(driver, server, status, name):
    server.reply(httpx.Response(status, json={"error": {"code": "moon_phase", "message": "m"}}))
    with pytest.raises(ServerError) as caught:
        driver.call("score", [ITEM], settings={"max_retries": 0})
    assert type(caught.value) is getattr(surefoot_client, name)
    assert caught.value.code == "moon_phase"


@pytest.mark.parametrize("body", [b"<html>secret</html>", b"[]", b'{"error": "secret"}', b'{"error": {"code": 7}}'])
def test_a_foreign_error_page_is_judged_by_its_status_and_never_quoted(driver, server, body):
    server.reply(httpx.Response(502, content=body))
    with pytest.raises(surefoot_client.BadGateway) as caught:
        driver.call("score", [ITEM])
    assert caught.value.message == "the server answered 502 without an error object"
    assert caught.value.code == "bad_gateway"


def test_an_error_travels_between_processes():
    error = surefoot_client.QueueFull("full", status=429, retry_after_s=2.0, request_id="abc", param="items")
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is surefoot_client.QueueFull
    assert vars(copied) == vars(error)
    assert str(copied) == "full"
