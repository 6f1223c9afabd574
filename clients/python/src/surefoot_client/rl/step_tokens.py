"""Which of the policy's tokens belong to which step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surefoot_client.rl.policy_tokens import PolicyTokens, as_spans


@dataclass(frozen=True, slots=True, eq=False)
class StepTokens:
    """The tokens of each step, in the order of the steps.

    `covers`, bool [num_steps, num_policy_tokens]: the token shares a character with the step. A token across a border
    belongs to both steps, one that is only separators to none.
    `last`, int64 [num_steps]: the position of the step's last token, which holds its last character that has one.
    `is_borrowed`, bool [num_steps]: no token shares a character with the step, so that another one stands in for it:
    the last one that ends before the step, else the first one that has text, else the first one.
    """

    covers: NDArray[np.bool_]
    last: NDArray[np.int64]
    is_borrowed: NDArray[np.bool_]

    @property
    def num_policy_tokens(self) -> int:
        return int(self.covers.shape[1])


def align_steps(step_spans: object, tokens: PolicyTokens) -> StepTokens:
    """The tokens of each step; `step_spans` is shaped [num_steps, 2], half-open, in code points of `tokens.text`.

    Takes num_steps · num_policy_tokens bytes. Raises `ValueError` for steps without any token, and spans outside the
    text.
    """
    steps = as_spans(step_spans, "step_spans")
    if steps.size and (steps.min() < 0 or steps.max() > len(tokens.text)):
        raise ValueError("step_spans must lie inside the tokens' text; they count characters (code points)")
    if len(steps) and not len(tokens):
        raise ValueError("a completion without tokens cannot carry the rewards of its steps")
    starts, ends = tokens.spans[:, 0], tokens.spans[:, 1]
    has_text = starts < ends
    covers = (starts < steps[:, 1:]) & (ends > steps[:, :1]) & has_text & (steps[:, :1] < steps[:, 1:])
    is_borrowed = np.asarray(~covers.any(axis=1))
    for step in np.flatnonzero(is_borrowed):
        covers[step, _stand_in(steps[step, 0], ends, has_text)] = True
    return StepTokens(covers, _last_true(covers), is_borrowed)


def _stand_in(start: np.int64, ends: NDArray[np.int64], has_text: NDArray[np.bool_]) -> int:
    """The token that stands in for a step from `start` on that has none of its own."""
    before = np.flatnonzero(has_text & (ends <= start))
    if before.size:
        return int(before[-1])
    return int(np.argmax(has_text))


def _last_true(rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    if not rows.size:
        return np.zeros(len(rows), dtype=np.int64)
    return np.asarray(rows.shape[1] - 1 - np.argmax(rows[:, ::-1], axis=1), dtype=np.int64)
