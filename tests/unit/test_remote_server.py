"""Servers behind a network: when they are asked again, and what is told of them."""

from datetime import UTC, datetime

import httpx
import pytest

from surefoot.remote_server import RemoteServer, failure_reason, retry_delay_s

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
KEY = "sk-very-secret"
URL = "http://far.test:8000"


@pytest.mark.parametrize(("attempt", "expected"), [(0, 0.5), (1, 1.0), (2, 2.0), (4, 8.0), (9, 8.0)])
def test_delays_double_up_to_a_bound(attempt: int, expected: float) -> None:
    assert retry_delay_s(attempt, None, jitter=1.0, now=NOW) == expected


def test_jitter_takes_up_to_half() -> None:
    assert retry_delay_s(0, None, jitter=0.0, now=NOW) == 0.25


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("7", 7.0),
        ("Thu, 01 Jan 2026 12:00:09 GMT", 9.0),
        ("0", 0.5),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.5),
        ("soon", 0.5),
    ],
)
def test_a_server_is_not_asked_again_sooner_than_it_said(header: str, expected: float) -> None:
    assert retry_delay_s(0, header, jitter=1.0, now=NOW) == expected


def test_the_key_is_not_shown_by_what_holds_it() -> None:
    assert KEY not in repr(RemoteServer(URL, KEY))


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (httpx.ConnectError("refused"), "cannot be reached"),
        (httpx.ConnectTimeout("slow"), "did not accept a connection in time"),
        (httpx.ReadTimeout("slow"), "gave no answer in time"),
        (httpx.ReadError("gone"), "broke off the connection (ReadError)"),
    ],
)
def test_a_failure_is_told_by_its_meaning(failure: httpx.TransportError, said: str) -> None:
    assert failure_reason(failure) == said
