"""Step scores as rewards at the policy's own token positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from surefoot_client.rl.policy_tokens import PolicyTokens
from surefoot_client.rl.step_tokens import StepTokens, align_steps
from surefoot_client.scores import ItemResult

Rewards = NDArray[np.float64]
Placement = Literal["last_token", "spread", "difference", "shaping"]


def token_rewards(
    result: ItemResult,
    tokens: PolicyTokens,
    *,
    placement: Placement = "last_token",
    values: Sequence[float] | Rewards | None = None,
    outcome: float | None = None,
    initial_value: float = 0.0,
    text_start: int = 0,
) -> Rewards:
    """The rewards of one scored completion, float64 [num_policy_tokens].

    `values` takes the place of the steps' scores, one each: logits, `checked.step_scores`, a score less a baseline.
    `outcome` is added at the completion's last token. `text_start` is where the scored text begins in `tokens.text`,
    in code points. `placement` and `initial_value` are explained at `placed_rewards`.

    Raises `ValueError` where the scored text does not stand in `tokens.text` at `text_start`: send the completion as
    it is, as `solution`, so that both count the same characters.
    """
    if tokens.text[text_start : text_start + len(result.text)] != result.text or text_start < 0:
        raise ValueError("the scored text must stand in tokens.text at text_start; score the completion as `solution`")
    spans = [step.span for step in result.steps if step.span is not None]
    if len(spans) != len(result.steps):
        raise ValueError("result.steps must have spans, which every process model's result has")
    places = align_steps([(start + text_start, end + text_start) for start, end in spans], tokens)
    scores = [step.score for step in result.steps] if values is None else values
    return placed_rewards(places, scores, placement=placement, outcome=outcome, initial_value=initial_value)


def placed_rewards(
    places: StepTokens,
    values: Sequence[float] | Rewards,
    *,
    placement: Placement = "last_token",
    outcome: float | None = None,
    initial_value: float = 0.0,
) -> Rewards:
    """The value v_i of each step at the tokens of `places`, float64 [num_policy_tokens].

    | placement | at the tokens of step i | total, without `outcome` |
    | --- | --- | --- |
    | `last_token` | v_i at its last token | sum of v |
    | `spread` | v_i in equal parts at each of its tokens | sum of v |
    | `difference` | v_i - v_(i-1) at its last token | v_last - v_0 |
    | `shaping` | as `difference`, and -v_last at the completion's last token | -v_0 |

    v_0 is `initial_value`, the value before the first step. `shaping` is the potential-based shaping of Ng, Harada and
    Russell (1999) without discount, where the finished completion has potential zero: all completions have the same
    total, so that which policy is best depends on `outcome` alone.

    Raises `ValueError` for values that are not one finite number a step.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (len(places.last),):
        raise ValueError(f"values must be one number for each of the {len(places.last)} steps")
    if placement not in PLACERS:
        raise ValueError(f"placement must be one of {', '.join(PLACERS)}")
    if initial_value and placement in ("last_token", "spread"):
        raise ValueError("initial_value has a meaning for the placements difference and shaping only")
    at_end = 0.0 if outcome is None else float(outcome)
    if not np.isfinite([*numbers, initial_value, at_end]).all():
        raise ValueError("values, initial_value and outcome must be finite numbers")
    rewards = PLACERS[placement](places, numbers, float(initial_value))
    return _with_last(rewards, at_end)


def _at_last_token(places: StepTokens, values: Rewards, _: float) -> Rewards:
    rewards = np.zeros(places.num_policy_tokens)
    # Not `rewards[places.last] += values`, which would keep only one of the steps that end in the same token.
    np.add.at(rewards, places.last, values)
    return rewards


def _spread(places: StepTokens, values: Rewards, _: float) -> Rewards:
    shares = values / places.covers.sum(axis=1)
    return np.asarray(shares @ places.covers, dtype=np.float64)


def _difference(places: StepTokens, values: Rewards, initial_value: float) -> Rewards:
    return _at_last_token(places, np.diff(values, prepend=initial_value), initial_value)


def _shaping(places: StepTokens, values: Rewards, initial_value: float) -> Rewards:
    return _with_last(_difference(places, values, initial_value), -float(values[-1]) if values.size else -initial_value)


def _with_last(rewards: Rewards, value: float) -> Rewards:
    """`value` added at the completion's last token."""
    if not value:
        return rewards
    if not rewards.size:
        raise ValueError("a completion without tokens cannot carry a reward")
    rewards[-1] += value
    return rewards


PLACERS: Mapping[Placement, Callable[[StepTokens, Rewards, float], Rewards]] = MappingProxyType(
    {"last_token": _at_last_token, "spread": _spread, "difference": _difference, "shaping": _shaping}
)
