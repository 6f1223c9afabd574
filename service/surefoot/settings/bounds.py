"""How much may be done at once, for one request, and with one GPU."""

from __future__ import annotations

from pydantic import Field

from surefoot.settings.section import Section


class SchedulerSettings(Section):
    """How requests become batches: `[scheduler]` in the file."""

    max_batch_tokens: int = Field(0, ge=0)
    """Distinct tokens of a forward pass, a shared beginning once; more is faster until memory or latency says stop.
    0: 4096 where the pass is this process's on a CPU, which more does not make faster, else 16384."""
    max_bulk_batch_tokens: int = Field(0, ge=0)
    """Those of bulk work among them, beyond which only a single longer input goes: an interactive request that comes
    during a pass waits for it. 0: 512 where the pass is this process's on a CPU, else no bound of its own."""
    max_batch_items: int = Field(256, ge=1)
    """Inputs of a forward pass."""
    max_queue_tokens: int = Field(1_048_576, ge=1)
    """Tokens that may wait; more absorbs bursts, less refuses sooner with 429."""
    max_queue_items: int = Field(8192, ge=1)
    """Inputs that may wait."""
    max_queue_s: float = Field(30.0, ge=0)
    """Seconds of work, at the recent speed, that an interactive request may have to wait for; beyond that it is refused
    with 429. Less keeps the latency of what is accepted, more absorbs bursts; 0 sets no bound in time."""
    max_bulk_queue_s: float = Field(120.0, ge=0)
    """The same of a bulk request: less than `limits.request_timeout_s`, or work is taken on that nobody waits for when
    it is done; 0 sets no bound in time."""
    bulk_max_wait_s: float = Field(5.0, gt=0)
    """Seconds after which waiting bulk work counts as interactive."""
    stuck_after_s: float = Field(300.0, ge=0)
    """Seconds after which a forward pass that has not ended is stuck: whoever waits is told, and /ready answers 503.
    More than the slowest pass, or the restart of vLLM's engine, takes; 0 waits for ever."""


class CacheSettings(Section):
    """What is remembered of inputs: `[caches]` in the file."""

    prefix_mib: int = Field(512, ge=0)
    """MiB of keys and values, for each checkpoint: a longer solution then costs its new tokens only. 0 keeps none."""
    scores: int = Field(16_384, ge=0)
    """Inputs whose scores are remembered, for each checkpoint; 0 remembers none."""


class LimitSettings(Section):
    """Bounds on one request: `[limits]` in the file."""

    max_body_bytes: int = Field(16 * 1024 * 1024, ge=1024)
    """Bytes of a request body."""
    max_items: int = Field(1024, ge=1)
    """Items, or candidates, of a request."""
    max_samples: int = Field(256, ge=1)
    """Candidates that one request may draw."""
    max_steps: int = Field(1024, ge=1)
    """Steps of one item; an outcome trace costs a forward pass for each."""
    body_timeout_s: float = Field(30.0, gt=0)
    """Seconds in which a request's body must arrive; then 408. As long may the head of a request take on a connection,
    which is closed then."""
    request_timeout_s: float = Field(300.0, gt=0)
    """Seconds for a whole request; then 504."""


class GpuSettings(Section):
    """Shares of one GPU: `[gpu]` in the file."""

    sampler_share: float = Field(0.45, gt=0, le=0.97)
    """Share of the GPU's memory for vLLM, weights included. It takes all of it at once."""
    scorer_share: float = Field(0.45, gt=0, le=0.97)
    """Share for the reward models; forward passes that would exceed it fail instead of crowding vLLM out."""
