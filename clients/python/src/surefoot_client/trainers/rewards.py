"""How completions become rewards, the same for all trainers."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from surefoot_client.async_client import AsyncSurefootClient
from surefoot_client.bulk import Outcome
from surefoot_client.errors import ItemError, ItemsFailed
from surefoot_client.inputs import Aggregation
from surefoot_client.retry import cooldown_s
from surefoot_client.scores import ItemFailure, ItemResult
from surefoot_client.trainers.background import patient_client

OnFailure = Literal["raise", "none"]
Servers = str | Sequence[str] | AsyncSurefootClient

DEFAULT_SERVER = "http://127.0.0.1:8080"

THE_COMPLETIONS_FAULT = frozenset({"no_steps", "empty_step", "too_many_steps", "input_too_long", "unsafe_text"})
"""The codes of failures that another completion of the same problem would not have had."""

MAX_ROUNDS = 4
"""How often an item is sent that failed for a while only, such as with a model that was being restarted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardRule:
    """Which score is the reward, and what stands for one that is missing.

    `model` and `aggregation` are those of `/score`, `None` for the server's defaults. With `on_failure="none"` a
    completion that got no score has the reward `None`; what no later request could get right either (a wrong key, a
    model that is not served) is raised all the same. `unscorable_reward`, where it is given, is the reward of a
    completion that nothing can score: empty, too long, of too many steps.

    Raises `ValueError` for values that cannot work.
    """

    model: str | None = None
    aggregation: Aggregation | None = None
    on_failure: OnFailure = "raise"
    unscorable_reward: float | None = None
    batch_size: int = 32
    max_concurrent: int = 4

    def __post_init__(self) -> None:
        if self.on_failure not in ("raise", "none"):
            raise ValueError("on_failure must be 'raise' or 'none'")
        if self.unscorable_reward is not None and not math.isfinite(self.unscorable_reward):
            raise ValueError("unscorable_reward must be a finite number")

    def rewards(self, outcomes: Sequence[Outcome]) -> list[float | None]:
        """One reward, or `None`, for each outcome; raises `ItemsFailed` for failures that this rule does not allow."""
        fatal = tuple(outcome for outcome in outcomes if isinstance(outcome, ItemFailure) and self._is_fatal(outcome))
        if fatal:
            codes = ", ".join(sorted({failure.error.code for failure in fatal}))
            message = f"{len(fatal)} of {len(outcomes)} completions have no reward ({codes})"
            raise ItemsFailed(message, fatal) from fatal[0].error
        return [outcome.score if isinstance(outcome, ItemResult) else self._of_failure(outcome) for outcome in outcomes]

    def _is_fatal(self, failure: ItemFailure) -> bool:
        if self._of_failure(failure) is not None:
            return False
        would_fail_again = not (isinstance(failure.error, ItemError) or failure.error.retryable)
        return self.on_failure == "raise" or would_fail_again

    def _of_failure(self, failure: ItemFailure) -> float | None:
        return self.unscorable_reward if failure.error.code in THE_COMPLETIONS_FAULT else None


def client_of(servers: Servers) -> AsyncSurefootClient:
    """The client that is meant: a given one, or the patient one of these addresses."""
    if isinstance(servers, AsyncSurefootClient):
        return servers
    return patient_client(servers if isinstance(servers, str) else tuple(servers))


async def score_completions(
    client: AsyncSurefootClient, items: Sequence[Mapping[str, object]], rule: RewardRule
) -> list[Outcome]:
    """One outcome for each item, in order. What failed for a while only is sent again before it counts as failed."""
    outcomes: dict[int, Outcome] = {}
    waiting = list(range(len(items)))
    for num_before in range(MAX_ROUNDS):
        if num_before:
            await asyncio.sleep(cooldown_s(num_before))
        answered = await _one_round(client, [items[place] for place in waiting], rule)
        outcomes.update(zip(waiting, answered, strict=True))
        waiting = [place for place in waiting if _may_pass(outcomes[place])]
        if not waiting:
            break
    return [outcomes[place] for place in range(len(items))]


def details(outcome: Outcome) -> dict[str, float]:
    """Numbers for a trainer's log, the same keys for every outcome: trainers average what has them all."""
    result = outcome if isinstance(outcome, ItemResult) else None
    is_right = result is not None and result.first_error is None
    return {"num_steps": float(len(result.steps)) if result else 0.0, "no_error": float(is_right)}


async def _one_round(
    client: AsyncSurefootClient, items: Sequence[Mapping[str, object]], rule: RewardRule
) -> list[Outcome]:
    stream = client.score_iter(
        items,
        batch_size=rule.batch_size,
        max_concurrent=rule.max_concurrent,
        on_error="mark",
        model=rule.model,
        aggregation=rule.aggregation,
    )
    async with aclosing(stream) as answered:
        return [outcome async for outcome in answered]


def _may_pass(outcome: Outcome) -> bool:
    """Whether an item failed inside an answer, for a while only; whole requests were tried again by the client."""
    return isinstance(outcome, ItemFailure) and isinstance(outcome.error, ItemError) and outcome.error.retryable
