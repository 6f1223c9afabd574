"""Spans of requests that are part of a sampled trace, told to an OpenTelemetry collector."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from importlib.metadata import version
from typing import Literal

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from surefoot.metrics.telemetry import PrometheusTelemetry
from surefoot.request_context import Trace, current_request

SpanName = Literal["tokenise", "queue", "forward", "sample"]
Attributes = Mapping[str, str | int]

_EXPORT_S = 2.0
"""Seconds that a collector may take for a batch: the end of the process waits for the last ones."""


class _RequestIds(RandomIdGenerator):
    """Gives a request's span the id that its log lines have, and that remote generators were told as their parent."""

    def __init__(self) -> None:
        self.of_request: ContextVar[str | None] = ContextVar("of_request", default=None)

    def generate_span_id(self) -> int:
        chosen = self.of_request.get()
        return super().generate_span_id() if chosen is None else int(chosen, 16)


class TracingTelemetry(PrometheusTelemetry):
    """Prometheus' telemetry that also ends a span for what it is told of, where a request has a sampled trace.

    Spans begin and end by what is told when it is over, so that nothing else knows of them. Their attributes are names
    of models, generators and routes, counts and the request's id, never a text. What serves many requests at once (a
    forward pass) is told by each request's own time in it.
    """

    def __init__(self, exporter: SpanExporter, drift_reference: int = 1000, drift_recent: int = 1000) -> None:
        super().__init__(drift_reference, drift_recent)
        self._ids = _RequestIds()
        # A sampler of the environment's would overrule the caller, who has decided.
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource.create({"service.name": "surefoot", "service.version": version("surefoot")}),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("surefoot")

    def request_finished(self, route: str, status: int, seconds: float) -> None:
        super().request_finished(route, status, seconds)
        request = current_request()
        if request is None or request.trace is None or not request.trace.is_sampled:
            return
        trace, end = request.trace, time.time_ns()
        attributes: Attributes = {
            "http.route": route,
            "http.response.status_code": status,
            "surefoot.request_id": request.request_id,
        }
        token = self._ids.of_request.set(trace.span_id)
        try:
            span = self._tracer.start_span(
                route, _under(trace, trace.parent_id), SpanKind.SERVER, attributes, start_time=end - _ns(seconds)
            )
        finally:
            self._ids.of_request.reset(token)
        if status >= 500:
            span.set_status(StatusCode.ERROR)
        span.end(end)

    def group_prepared(self, model: str, seconds: float) -> None:
        super().group_prepared(model, seconds)
        self._part("tokenise", seconds, {"surefoot.model": model})

    def group_forwarded(self, model: str, num_inputs: int, queue_s: float, forward_s: float) -> None:
        super().group_forwarded(model, num_inputs, queue_s, forward_s)
        attributes: Attributes = {"surefoot.model": model, "surefoot.inputs": num_inputs}
        self._part("queue", queue_s, attributes, ended_s_ago=forward_s)
        self._part("forward", forward_s, attributes)

    def candidates_sampled(self, generator: str, num_candidates: int, num_tokens: int, seconds: float) -> None:
        super().candidates_sampled(generator, num_candidates, num_tokens, seconds)
        attributes: Attributes = {
            "surefoot.generator": generator,
            "surefoot.candidates": num_candidates,
            "surefoot.tokens": num_tokens,
        }
        self._part("sample", seconds, attributes)

    def _part(self, name: SpanName, seconds: float, attributes: Attributes, *, ended_s_ago: float = 0.0) -> None:
        """A span below the request's; nothing took place where it took no time."""
        request = current_request()
        if not seconds or request is None or request.trace is None or not request.trace.is_sampled:
            return
        end = time.time_ns() - _ns(ended_s_ago)
        under = _under(request.trace, request.trace.span_id)
        self._tracer.start_span(name, under, attributes=attributes, start_time=end - _ns(seconds)).end(end)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def otlp_exporter(endpoint: str) -> SpanExporter:
    """Sends spans to that address by OTLP over HTTP; OTEL_EXPORTER_OTLP_HEADERS of the environment go with them."""
    return OTLPSpanExporter(endpoint=endpoint, timeout=_EXPORT_S)


def _under(trace: Trace, parent_id: str) -> Context:
    state = TraceState.from_header([trace.state]) if trace.state else None
    sampled = TraceFlags(TraceFlags.SAMPLED)
    parent = SpanContext(int(trace.trace_id, 16), int(parent_id, 16), True, sampled, state)
    return set_span_in_context(NonRecordingSpan(parent), Context())


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
