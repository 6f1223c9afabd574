"""How far what is read is from what should be read."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import cross_entropy

from surefoot.training.examples import Example


def summed_loss(raw: torch.Tensor, examples: Sequence[Example], temperature: float = 1.0) -> torch.Tensor:
    """Σ w_i · CE_i over all positions of the examples, in nats; divide by `total_weight` for the mean.

    `raw` is [sum of positions, columns]. With p_i = softmax(raw_i / T), the served readout's, CE_i = -Σ_c t_ic ln p_ic
    for targets t that are probabilities, and -ln p_i[t_i] for those that are tokens.
    """
    targets = torch.tensor([target for example in examples for target in example.targets], device=raw.device)
    weights = torch.tensor([weight for example in examples for weight in example.weights], device=raw.device)
    losses = cross_entropy(raw / temperature, targets, reduction="none")
    return (losses * weights).sum()


def words_loss(logits: torch.Tensor, examples: Sequence[Example]) -> torch.Tensor:
    """Σ over examples of their total weight times the mean cross-entropy of the next tokens at their word positions,
    in nats: so that solutions count as they do in `summed_loss`, however long they are.

    `logits` is [sum of word positions, vocabulary].
    """
    ids = [example.rendered.token_ids[place + 1] for example in examples for place in example.word_positions]
    shares = [
        total_weight([example]) / len(example.word_positions) for example in examples for _ in example.word_positions
    ]
    losses = cross_entropy(logits, torch.tensor(ids, device=logits.device), reduction="none")
    return (losses * torch.tensor(shares, device=logits.device)).sum()


def total_weight(examples: Sequence[Example]) -> float:
    """Σ w_i over all positions of the examples."""
    return sum(sum(example.weights) for example in examples)
