"""W3C Trace Context is read as its specification says, and passed on with a span of the request's own."""

import asyncio

import pytest

from surefoot.request_context import (
    RequestContext,
    Trace,
    current_request,
    read_trace,
    trace_headers,
    within_request,
)

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{PARENT}-01"


def test_a_well_formed_parent_is_read() -> None:
    trace = read_trace([GOOD], [])
    assert trace is not None
    assert (trace.trace_id, trace.is_sampled, trace.state) == (TRACE, True, "")


def test_each_request_is_a_span_of_its_own() -> None:
    spans = {trace.span_id for trace in (read_trace([GOOD], []), read_trace([GOOD], [])) if trace is not None}
    assert len(spans - {PARENT}) == 2


@pytest.mark.parametrize(
    ("flags", "is_sampled"), [("00", False), ("01", True), ("02", False), ("03", True), ("fe", False)]
)
def test_of_the_flags_the_sampled_one_alone_is_passed_on(flags, is_sampled) -> None:
    trace = read_trace([f"00-{TRACE}-{PARENT}-{flags}"], [])
    assert trace is not None
    assert trace.headers["traceparent"] == f"00-{TRACE}-{trace.span_id}-0{int(is_sampled)}"


@pytest.mark.parametrize(
    "parents",
    [
        [],
        [GOOD, GOOD],
        [""],
        [f"00-{TRACE.upper()}-{PARENT}-01"],
        [f"00-{'0' * 32}-{PARENT}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"ff-{TRACE}-{PARENT}-01"],
        [f"{GOOD}-more"],
        [f"01-{TRACE}-{PARENT}-01more"],
        [f"00-{TRACE}-{PARENT}"],
        [f"00-{TRACE}-{PARENT}-0x"],
        [f"00-{TRACE}-{PARENT}-01\n"],
        [f"00-{TRACE[:-1]}٣-{PARENT}-01"],
    ],
)
def test_without_one_well_formed_parent_there_is_no_trace(parents) -> None:
    assert read_trace(parents, ["a=1"]) is None


def test_a_later_version_may_say_more() -> None:
    trace = read_trace([f"01-{TRACE}-{PARENT}-01-more"], [])
    assert trace is not None
    assert trace.trace_id == TRACE


@pytest.mark.parametrize(
    ("states", "kept"),
    [
        (["a=1, b@c=x y"], "a=1,b@c=x y"),
        (["a=1", "", "b=2,,"], "a=1,b=2"),
        (["A=1"], ""),
        (["a=1=2"], ""),
        (["a=\x7f"], ""),
        (["a"], ""),
        ([",".join(f"k{index}=v" for index in range(33))], ""),
        ([f"a={'v' * 250},b={'v' * 250},c={'v' * 20}"], ""),
    ],
)
def test_a_state_is_passed_on_where_it_is_well_formed(states, kept) -> None:
    trace = read_trace([GOOD], states)
    assert trace is not None
    assert trace.headers.get("tracestate", "") == kept


async def test_tasks_and_threads_know_the_request() -> None:
    async def asked() -> RequestContext | None:
        return current_request()

    request = RequestContext("r-1")
    with within_request(request):
        known = [await asyncio.create_task(asked()), await asyncio.to_thread(current_request)]
    assert [*known, current_request()] == [request, request, None]


@pytest.mark.parametrize("request_context", [None, RequestContext("r-1")])
def test_no_trace_is_invented(request_context) -> None:
    if request_context is None:
        assert trace_headers() == {}
        return
    with within_request(request_context):
        assert trace_headers() == {}


def test_a_server_that_is_asked_is_told_of_the_span() -> None:
    with within_request(RequestContext("r-1", Trace(TRACE, is_sampled=False, state="a=1", span_id="b" * 16))):
        assert trace_headers() == {"traceparent": f"00-{TRACE}-{'b' * 16}-00", "tracestate": "a=1"}
