"""Prometheus behind the Telemetry port. One process a replica, one registry of its own."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from surefoot.domain import Usage

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_TOKENS = (64, 256, 1024, 4096, 16384, 65536)


class PrometheusTelemetry:
    """Counts and times what the service does; `render` gives the text that Prometheus scrapes."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "surefoot_requests", "Requests by route and HTTP status.", ["route", "status"], registry=registry
        )
        self._request_seconds = Histogram(
            "surefoot_request_seconds",
            "Seconds from request to answer.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._errors = Counter("surefoot_errors", "Errors by stable code, items included.", ["code"], registry=registry)
        self._queue_requests = Gauge("surefoot_queue_requests", "Inputs waiting.", ["backend"], registry=registry)
        self._queue_tokens = Gauge("surefoot_queue_tokens", "Tokens waiting.", ["backend"], registry=registry)
        self._queue_seconds = Histogram(
            "surefoot_queue_seconds", "Seconds an input waited.", ["backend"], buckets=_SECONDS, registry=registry
        )
        self._forward_seconds = Histogram(
            "surefoot_forward_seconds", "Seconds of a forward pass.", ["backend"], buckets=_SECONDS, registry=registry
        )
        self._batch_items = Histogram(
            "surefoot_batch_items", "Inputs in a forward pass.", ["backend"], buckets=_COUNTS, registry=registry
        )
        self._batch_tokens = Histogram(
            "surefoot_batch_tokens", "Tokens in a forward pass.", ["backend"], buckets=_TOKENS, registry=registry
        )
        self._prompt_tokens = Counter("surefoot_prompt_tokens", "Tokens scored, as sent.", ["model"], registry=registry)
        self._unique_tokens = Counter(
            "surefoot_unique_tokens",
            "Tokens scored, distinct prefixes of a request once.",
            ["model"],
            registry=registry,
        )
        self._cached_tokens = Counter(
            "surefoot_cached_tokens", "Tokens scored that were known from before.", ["model"], registry=registry
        )
        self._sampled = Counter("surefoot_sampled_candidates", "Candidates sampled.", ["generator"], registry=registry)
        self._sampled_tokens = Counter("surefoot_sampled_tokens", "Tokens sampled.", ["generator"], registry=registry)
        self._sample_seconds = Histogram(
            "surefoot_sample_seconds",
            "Seconds to sample a request.",
            ["generator"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._sampler_failures = Counter(
            "surefoot_sampler_failures", "Sampling requests that failed.", ["generator"], registry=registry
        )

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self._registry)

    def request_finished(self, route: str, status: int, seconds: float) -> None:
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def error(self, code: str) -> None:
        self._errors.labels(code).inc()

    def queue_changed(self, model: str, num_requests: int, num_tokens: int) -> None:
        self._queue_requests.labels(model).set(num_requests)
        self._queue_tokens.labels(model).set(num_tokens)

    def batch_forwarded(
        self, model: str, num_items: int, num_tokens: int, queue_s: Sequence[float], forward_s: float
    ) -> None:
        self._batch_items.labels(model).observe(num_items)
        self._batch_tokens.labels(model).observe(num_tokens)
        self._forward_seconds.labels(model).observe(forward_s)
        for seconds in queue_s:
            self._queue_seconds.labels(model).observe(seconds)

    def group_scored(self, model: str, usage: Usage) -> None:
        self._prompt_tokens.labels(model).inc(usage.prompt_tokens)
        self._unique_tokens.labels(model).inc(usage.unique_tokens)
        self._cached_tokens.labels(model).inc(usage.cached_tokens)

    def candidates_sampled(self, generator: str, num_candidates: int, num_tokens: int, seconds: float) -> None:
        self._sampled.labels(generator).inc(num_candidates)
        self._sampled_tokens.labels(generator).inc(num_tokens)
        self._sample_seconds.labels(generator).observe(seconds)

    def sampler_failed(self, generator: str) -> None:
        self._sampler_failures.labels(generator).inc()
