"""Learning from weak labels with confidence in oneself (Burns et al. 2023, arXiv 2312.09390, section 4.3.2).

All functions are of binary judgements: `logits` are [n] log-odds of "right", f = σ(logit); `weak` are [n] the
supervisor's probabilities f_w.
"""

from __future__ import annotations

import torch
from torch.nn.functional import binary_cross_entropy_with_logits


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """CE(f, t) = -t ln f - (1 - t) ln(1 - f) for each, [n] in nats."""
    return binary_cross_entropy_with_logits(logits, targets, reduction="none")


def hardened(logits: torch.Tensor) -> torch.Tensor:
    """1[f > t] for each, with t the batch's median, so that half of the batch exceeds it; no gradient goes through it.

    Of an even number the median is the mean of the two in the middle. Values that equal the median do not exceed it.
    """
    with torch.no_grad():
        # Of log-odds: they have the order of the probabilities, and are not rounded to 0 and 1.
        return (logits > torch.quantile(logits.float(), 0.5).to(logits.dtype)).to(logits.dtype)


def mixed_loss(logits: torch.Tensor, weak: torch.Tensor, alpha: float) -> torch.Tensor:
    """(1 - α) · CE(f, f_w) + α · CE(f, 1[f > t]) for each, [n] in nats: the auxiliary confidence loss."""
    return (1 - alpha) * cross_entropy(logits, weak) + alpha * cross_entropy(logits, hardened(logits))


def bootstrap_loss(logits: torch.Tensor, weak: torch.Tensor, alpha: float) -> torch.Tensor:
    """CE(f, (1 - α) · f_w + α · 1[f > t]) for each, [n] in nats: the same, as a target that the student moves itself
    (Reed et al. 2014, arXiv 1412.6596). Equal to `mixed_loss`, because cross-entropy is linear in its target."""
    return cross_entropy(logits, (1 - alpha) * weak + alpha * hardened(logits))


def ramped(alpha: float, step: int, num_steps: int, ramp: float) -> float:
    """α of 0-based `step`: from 0 up in a line to `alpha` over the first share `ramp` of all steps, then `alpha`."""
    ramp_steps = ramp * num_steps
    return alpha if step >= ramp_steps else alpha * step / ramp_steps
