"""How a run goes: its numbers, which batch follows which, and how fast it learns when. Pure functions of a seed."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from surefoot.training.class_weights import ClassWeights

BestBy = Literal["loss", "auroc", "f1", "last"]
"""What decides which epoch's adapter is kept; only the loss is better when it is smaller. `last` is the newest: for
what no validation row measures, how often a generator is right, say."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Everything that a run depends on beside its data and its model.

    A step is an update of the weights; its gradient is that of `accumulate` batches. `warm_up` is a share of all
    steps. `words_weight` is that of the next tokens' loss beside the targets' own. Training ends after `patience`
    epochs without a better one.
    """

    epochs: int = 2
    learning_rate: float = 2e-4
    batch_tokens: int = 2048
    accumulate: int = 1
    patience: int = 2
    best_by: BestBy = "loss"
    class_weights: ClassWeights = "none"
    seed: int = 1
    save_every_steps: int = 50
    warm_up: float = 0.05
    weight_decay: float = 0.0
    largest_gradient: float = 1.0
    words_weight: float = 0.0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_tokens < 1 or self.accumulate < 1 or self.save_every_steps < 1:
            raise ValueError("epochs, batch_tokens, accumulate and save_every_steps must be 1 at least")


def epoch_steps(lengths: Sequence[int], plan: TrainingPlan, epoch: int) -> list[list[list[int]]]:
    """The steps of an epoch, each a list of batches, each a list of indices into `lengths`.

    Examples come in an order drawn for the epoch and fill batches of up to `batch_tokens` tokens one after the other: a
    packed pass costs what its tokens cost, so that there is nothing to gain from sorting them by length. An example
    that is longer alone is a batch by itself.
    """
    order = list(range(len(lengths)))
    # A text as seed: an integer's neighbours begin alike.
    random.Random(f"{plan.seed}/{epoch}").shuffle(order)  # noqa: S311  an order, not a secret
    batches = packed([lengths[index] for index in order], plan.batch_tokens)
    named = [[order[place] for place in batch] for batch in batches]
    return [named[start : start + plan.accumulate] for start in range(0, len(named), plan.accumulate)]


def packed(lengths: Sequence[int], most_tokens: int) -> list[list[int]]:
    """Neighbouring places together, as many as fit into `most_tokens`, one at least."""
    batches: list[list[int]] = []
    total = most_tokens
    for place, length in enumerate(lengths):
        if not batches or total + length > most_tokens:
            batches.append([])
            total = 0
        batches[-1].append(place)
        total += length
    return batches


def learning_rate(step: int, num_steps: int, plan: TrainingPlan) -> float:
    """The rate of 0-based `step`: up in a line over the warm-up, then down along half a cosine to a tenth of the peak.

    The floor keeps the last steps worth their time (Loshchilov and Hutter 2017, arXiv 1608.03983, have it at 0).
    """
    num_warm = math.ceil(num_steps * plan.warm_up)
    if step < num_warm:
        return plan.learning_rate * (step + 1) / num_warm
    done = (step - num_warm) / max(1, num_steps - num_warm)
    return plan.learning_rate * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done)))
