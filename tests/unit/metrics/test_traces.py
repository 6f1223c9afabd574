"""Spans of a sampled request: which there are, whose children, when, and what they say."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from surefoot.metrics.traces import TracingTelemetry, otlp_exporter
from surefoot.request_context import RequestContext, Trace, read_trace, within_request

TRACE_ID, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def sent_by_caller(*, sampled: bool = True) -> Trace:
    trace = read_trace([f"00-{TRACE_ID}-{CALLER}-0{int(sampled)}"], ["vendor=1"])
    assert trace is not None
    return trace


Told = Callable[[], dict[str, ReadableSpan]]


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracing(spans: InMemorySpanExporter) -> Iterator[TracingTelemetry]:
    telemetry = TracingTelemetry(spans)
    yield telemetry
    telemetry.close()


@pytest.fixture
def told(tracing: TracingTelemetry, spans: InMemorySpanExporter) -> Told:
    """The spans by name, after all were sent."""

    def finished() -> dict[str, ReadableSpan]:
        tracing.close()
        return {span.name: span for span in spans.get_finished_spans()}

    return finished


def work(telemetry: TracingTelemetry) -> None:
    """What a request tells on its way."""
    telemetry.group_prepared("prm", 0.01)
    telemetry.group_forwarded("prm", 2, 0.5, 0.25)
    telemetry.candidates_sampled("default", 4, 100, 1.0)
    telemetry.request_finished("/best_of_n", 200, 2.0)


def hexadecimal(number: int, digits: int) -> str:
    return f"{number:0{digits}x}"


def test_a_sampled_request_has_a_span_for_each_part(tracing, told) -> None:
    with within_request(RequestContext("r-1", sent_by_caller())):
        work(tracing)
    assert set(told()) == {"tokenise", "queue", "forward", "sample", "/best_of_n"}


def test_the_requests_span_is_the_callers_child_and_the_parts_are_its_own(tracing, told) -> None:
    trace = sent_by_caller()
    with within_request(RequestContext("r-1", trace)):
        work(tracing)
    spans = told()
    request = spans.pop("/best_of_n")
    assert hexadecimal(request.context.span_id, 16) == trace.span_id
    assert hexadecimal(request.parent.span_id, 16) == CALLER
    assert {hexadecimal(span.parent.span_id, 16) for span in spans.values()} == {trace.span_id}
    assert {hexadecimal(span.context.trace_id, 32) for span in (request, *spans.values())} == {TRACE_ID}
    assert len({span.context.span_id for span in spans.values()} - {request.context.span_id}) == len(spans)
    assert (request.kind, request.context.trace_state.to_header()) == (SpanKind.SERVER, "vendor=1")


def test_spans_last_as_long_as_was_told_and_waiting_ends_where_the_pass_begins(tracing, told) -> None:
    before = time.time_ns()
    with within_request(RequestContext("r-1", sent_by_caller())):
        work(tracing)
    spans = told()
    lasted = {name: (span.end_time - span.start_time) / 1e9 for name, span in spans.items()}
    assert lasted == pytest.approx({"tokenise": 0.01, "queue": 0.5, "forward": 0.25, "sample": 1.0, "/best_of_n": 2.0})
    assert before <= spans["forward"].end_time <= time.time_ns()
    assert spans["queue"].end_time == pytest.approx(spans["forward"].start_time, abs=5e7)


def test_attributes_are_names_counts_and_the_requests_id(tracing, told) -> None:
    with within_request(RequestContext("r-1", sent_by_caller())):
        work(tracing)
    assert {name: dict(span.attributes) for name, span in told().items()} == {
        "tokenise": {"surefoot.model": "prm"},
        "queue": {"surefoot.model": "prm", "surefoot.inputs": 2},
        "forward": {"surefoot.model": "prm", "surefoot.inputs": 2},
        "sample": {"surefoot.generator": "default", "surefoot.candidates": 4, "surefoot.tokens": 100},
        "/best_of_n": {
            "http.route": "/best_of_n",
            "http.response.status_code": 200,
            "surefoot.request_id": "r-1",
        },
    }


@pytest.mark.parametrize("trace", [None, sent_by_caller(sampled=False)], ids=["no trace", "not sampled"])
def test_a_request_without_a_sampled_trace_has_no_span(tracing, told, trace) -> None:
    with within_request(RequestContext("r-1", trace)):
        work(tracing)
    assert told() == {}


def test_what_is_done_for_nobody_has_no_span(tracing, told) -> None:
    work(tracing)
    assert told() == {}


def test_what_took_no_time_has_no_span(tracing, told) -> None:
    with within_request(RequestContext("r-1", sent_by_caller())):
        tracing.group_forwarded("prm", 1, 0.1, 0.0)
    assert set(told()) == {"queue"}


@pytest.mark.parametrize(
    ("status", "code"), [(200, StatusCode.UNSET), (422, StatusCode.UNSET), (503, StatusCode.ERROR)]
)
def test_our_failures_are_marked(tracing, told, status, code) -> None:
    with within_request(RequestContext("r-1", sent_by_caller())):
        tracing.request_finished("/score", status, 0.1)
    assert told()["/score"].status.status_code is code


def test_a_sampler_of_the_environments_overrules_nobody(spans, monkeypatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    telemetry = TracingTelemetry(spans)
    with within_request(RequestContext("r-1", sent_by_caller())):
        telemetry.request_finished("/score", 200, 0.1)
    telemetry.close()
    assert len(spans.get_finished_spans()) == 1


def test_prometheus_is_told_all_the_same(tracing) -> None:
    work(tracing)
    assert b'surefoot_requests_total{route="/best_of_n",status="200"} 1.0' in tracing.render()


class Collector:
    """An OTLP receiver on a port of its own."""

    def __init__(self) -> None:
        collector = self

        class Receives(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.requests.append((self.path, ExportTraceServiceRequest.FromString(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Not to standard error."""

        self.requests: list[tuple[str, ExportTraceServiceRequest]] = []
        self.server = HTTPServer(("127.0.0.1", 0), Receives)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.close()


def test_a_collector_receives_the_spans(collector) -> None:
    telemetry = TracingTelemetry(otlp_exporter(collector.url))
    trace = sent_by_caller()
    with within_request(RequestContext("r-1", trace)):
        work(telemetry)
    telemetry.close()
    [(path, received)] = collector.requests
    [resource] = received.resource_spans
    named = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
    spans = {span.name: span for scope in resource.scope_spans for span in scope.spans}
    assert (path, named["service.name"]) == ("/v1/traces", "surefoot")
    assert set(spans) == {"tokenise", "queue", "forward", "sample", "/best_of_n"}
    request = spans["/best_of_n"]
    assert (request.trace_id.hex(), request.span_id.hex(), request.parent_span_id.hex()) == (
        TRACE_ID,
        trace.span_id,
        CALLER,
    )


def test_a_collector_that_is_gone_holds_up_neither_work_nor_the_end(collector) -> None:
    collector.close()
    telemetry = TracingTelemetry(otlp_exporter(collector.url))
    began = time.monotonic()
    with within_request(RequestContext("r-1", sent_by_caller())):
        work(telemetry)
    assert time.monotonic() - began < 1
    telemetry.close()
    assert time.monotonic() - began < 5
