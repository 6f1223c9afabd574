"""What serving costs: requests, waiting, passes, tokens, caches and sampling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from surefoot.domain import CacheName, Usage

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_TOKENS = (64, 256, 1024, 4096, 16384, 65536)


class ServingMetrics:
    """Counts and times requests on their way. A `backend` is an engine, named like the first model on it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._start_requests(registry)
        self._start_queue(registry)
        self._start_passes(registry)
        self._start_tokens(registry)
        self._start_sampling(registry)

    def _start_requests(self, registry: CollectorRegistry) -> None:
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
        self._tokenise_seconds = Histogram(
            "surefoot_tokenise_seconds",
            "Seconds to split, render and tokenise a request's inputs.",
            ["model"],
            buckets=_SECONDS,
            registry=registry,
        )

    def _start_queue(self, registry: CollectorRegistry) -> None:
        self._queue_requests = Gauge("surefoot_queue_requests", "Inputs waiting.", ["backend"], registry=registry)
        self._queue_tokens = Gauge("surefoot_queue_tokens", "Tokens waiting.", ["backend"], registry=registry)
        self._queue_seconds = Histogram(
            "surefoot_queue_seconds", "Seconds an input waited.", ["backend"], buckets=_SECONDS, registry=registry
        )
        self._refusals = Counter(
            "surefoot_admission_refusals",
            "Groups of inputs, and requests to a generator, that were not let into a queue, by error code.",
            ["backend", "reason"],
            registry=registry,
        )

    def _start_passes(self, registry: CollectorRegistry) -> None:
        self._forward_seconds = Histogram(
            "surefoot_forward_seconds", "Seconds of a forward pass.", ["backend"], buckets=_SECONDS, registry=registry
        )
        self._batch_items = Histogram(
            "surefoot_batch_items", "Inputs in a forward pass.", ["backend"], buckets=_COUNTS, registry=registry
        )
        self._batch_tokens = Histogram(
            "surefoot_batch_tokens", "Tokens in a forward pass.", ["backend"], buckets=_TOKENS, registry=registry
        )

    def _start_tokens(self, registry: CollectorRegistry) -> None:
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
        self._cache_hits = Counter(
            "surefoot_cache_hits", "Inputs that a cache knew, or began.", ["backend", "cache"], registry=registry
        )
        self._cache_hit_tokens = Counter(
            "surefoot_cache_hit_tokens", "Tokens that a cache knew.", ["backend", "cache"], registry=registry
        )

    def _start_sampling(self, registry: CollectorRegistry) -> None:
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

    def _start_counting(self, models: Iterable[str], generators: Iterable[str]) -> None:
        """Show the counters of these at 0."""
        for model in models:
            for tokens in (self._prompt_tokens, self._unique_tokens, self._cached_tokens):
                tokens.labels(model)
        for generator in generators:
            for sampling in (self._sampled, self._sampled_tokens, self._sampler_failures):
                sampling.labels(generator)

    def request_finished(self, route: str, status: int, seconds: float) -> None:
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def error(self, code: str) -> None:
        self._errors.labels(code).inc()

    def group_prepared(self, model: str, seconds: float) -> None:
        self._tokenise_seconds.labels(model).observe(seconds)

    def admission_refused(self, backend: str, reason: str) -> None:
        self._refusals.labels(backend, reason).inc()

    def cache_hit(self, backend: str, cache: CacheName, num_inputs: int, num_tokens: int) -> None:
        self._cache_hits.labels(backend, cache).inc(num_inputs)
        self._cache_hit_tokens.labels(backend, cache).inc(num_tokens)

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

    def group_forwarded(self, model: str, num_inputs: int, queue_s: float, forward_s: float) -> None:
        """A span where there are traces; queues and passes are measured by input and by pass."""

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
