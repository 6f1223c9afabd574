"""Requests with a sampled trace, through the whole application: their spans, and that no text is in them."""

import json

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from surefoot.metrics.traces import TracingTelemetry

SECRET = "zebra4711"
HEADERS = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "x-request-id": "r-1"}


@pytest.fixture
async def traced(serve):
    """A service, and what gives the spans of a request by their names, in the order that they ended."""
    spans = InMemorySpanExporter()
    telemetry = TracingTelemetry(spans)
    api = await serve(telemetry=telemetry)

    def ended() -> list[str]:
        telemetry.close()
        return [span.name for span in spans.get_finished_spans()]

    yield api, ended, spans
    telemetry.close()


async def test_scoring_is_split_waited_for_and_computed(traced) -> None:
    api, ended, _ = traced
    await api.post("/score", {"problem": SECRET, "steps": [SECRET]}, headers=HEADERS)
    assert ended() == ["tokenise", "queue", "forward", "/score"]


async def test_best_of_n_samples_too(traced) -> None:
    api, ended, _ = traced
    await api.post("/best_of_n", {"problem": SECRET}, headers=HEADERS)
    assert {"sample", "tokenise", "queue", "forward", "/best_of_n"} == set(ended())


async def test_spans_hold_no_text(traced) -> None:
    api, ended, spans = traced
    await api.post("/score", {"problem": SECRET, "steps": [SECRET]}, headers=HEADERS)
    await api.post("/best_of_n", {"problem": SECRET}, headers=HEADERS)
    await api.http.post(f"/{SECRET}?{SECRET}", content=SECRET, headers=HEADERS)
    await api.http.post("/rerank", json={"problem": SECRET, SECRET: 1}, headers=HEADERS)
    ended()
    told = json.dumps([span.to_json() for span in spans.get_finished_spans()])
    assert told.count("SERVER") == 4
    assert SECRET not in told


async def test_a_stream_has_its_request_to_the_end(traced) -> None:
    api, ended, _ = traced
    await api.http.post("/best_of_n", json={"problem": SECRET, "stream": True}, headers=HEADERS)
    assert ended()[-1] == "/best_of_n"
