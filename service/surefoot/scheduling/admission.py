"""Whether a group may join the queue. Pure policy: a group enters whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from surefoot.domain import Priority
from surefoot.errors import GroupTooLarge, QueueFull
from surefoot.errors.request import MAX_RETRY_AFTER_S, MIN_RETRY_AFTER_S
from surefoot.scheduling.limits import SchedulerLimits

NEWEST_PASS_WEIGHT = 0.2
"""Share of the newest forward pass in the speed estimate; about the last ten passes count."""

Flow = tuple[str, Priority]
"""Whose work it is, and how urgent: a caller's bulk work is another flow than what it wants at once."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How much waits in a queue; what is already running is not counted."""

    num_requests: int = 0
    num_tokens: int = 0


def admit(lengths: Sequence[int], occupancy: Occupancy, limits: SchedulerLimits, tokens_per_s: float | None) -> None:
    """Return if inputs of these token counts may all join a queue that holds `occupancy`.

    Raises `GroupTooLarge` if they would not fit an empty queue, `QueueFull` if they do not fit now.
    """
    num_tokens = sum(lengths)
    if len(lengths) > limits.max_queue_items:
        raise GroupTooLarge(
            f"the request holds {len(lengths)} inputs, the queue takes {limits.max_queue_items}; "
            "send smaller requests or raise max_queue_items"
        )
    if num_tokens > limits.max_queue_tokens:
        raise GroupTooLarge(
            f"the request holds {num_tokens} tokens, the queue takes {limits.max_queue_tokens}; "
            "send smaller requests or raise max_queue_tokens"
        )
    if (
        occupancy.num_requests + len(lengths) > limits.max_queue_items
        or occupancy.num_tokens + num_tokens > limits.max_queue_tokens
    ):
        wait_s = retry_after_s(occupancy.num_tokens, tokens_per_s)
        raise QueueFull(
            f"{occupancy.num_requests} inputs with {occupancy.num_tokens} tokens are waiting, no room for "
            f"{len(lengths)} inputs with {num_tokens} tokens; retry in {wait_s:.0f} s",
            retry_after_s=wait_s,
        )


def admit_in_time(tokens_ahead: int, priority: Priority, limits: SchedulerLimits, tokens_per_s: float | None) -> None:
    """Return if a group may wait behind so many tokens. While the speed is unknown it may.

    What runs first is what counts, not what the group brings: an idle model takes all that its queue holds. Raises
    `QueueFull`.
    """
    limit_s = limits.max_queue_s if priority == "interactive" else limits.max_bulk_queue_s
    if not tokens_per_s or tokens_ahead / tokens_per_s <= limit_s:
        return
    wait_s = retry_after_s(tokens_ahead, tokens_per_s)
    raise QueueFull(
        f"{tokens_ahead} tokens would run before this {priority} request, for {tokens_ahead / tokens_per_s:.1f} s, and "
        f"it may wait {limit_s:g} s; retry in {wait_s:.0f} s",
        retry_after_s=wait_s,
    )


def tokens_ahead(waiting: Mapping[Flow, int], flow: Flow, num_tokens: int) -> int:
    """About how many of the waiting tokens run before the last of `num_tokens` more of a flow, by the callers' turns.

    All of its own; of each other flow of its kind as many as it has itself then, since they take turns; for bulk
    everything interactive. Bulk that has come to count as interactive is left out for interactive work: it has a share,
    but a backlog of it must not keep everybody else out.
    """
    own = waiting.get(flow, 0)
    ahead = 0
    for other, tokens in waiting.items():
        if other[1] == flow[1]:
            ahead += own if other == flow else min(tokens, own + num_tokens)
        elif other[1] == "interactive":
            ahead += tokens
    return ahead


def retry_after_s(queued_tokens: int, tokens_per_s: float | None) -> float:
    """Seconds until the queue has drained at the recent speed, kept in [1, 60]; 1 while the speed is unknown."""
    if not tokens_per_s:
        return MIN_RETRY_AFTER_S
    return min(max(queued_tokens / tokens_per_s, MIN_RETRY_AFTER_S), MAX_RETRY_AFTER_S)


def updated_speed(tokens_per_s: float | None, num_tokens: int, forward_s: float) -> float | None:
    """The speed estimate after one more forward pass: an exponentially weighted mean in tokens per second.

    A pass too short for the clock says nothing and leaves the estimate as it is.
    """
    if forward_s <= 0:
        return tokens_per_s
    newest = num_tokens / forward_s
    if tokens_per_s is None:
        return newest
    return (1 - NEWEST_PASS_WEIGHT) * tokens_per_s + NEWEST_PASS_WEIGHT * newest
