"""One training: from labels to a judge, measured on its way."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from surefoot.errors import LossNotFinite
from surefoot.evaluation.weak_supervision import accuracy, judgements
from surefoot.experiments.weak_to_strong.items import Item
from surefoot.experiments.weak_to_strong.judges import Judge, judging
from surefoot.experiments.weak_to_strong.plan import CellPlan
from surefoot.experiments.weak_to_strong.records import Pick
from surefoot.training.confidence_loss import cross_entropy, mixed_loss, ramped
from surefoot.training.plan import TrainingPlan, learning_rate

_LARGEST_GRADIENT = 1.0

Stepped = Callable[[int, int], None]
"""Gets after each step how many items were learned from, and of how many."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learned: `targets` are [items] probabilities of "right"; `validation_targets` those that whoever gave the
    targets gives to the validation items."""

    items: Sequence[Item]
    targets: Sequence[float]
    validation: Sequence[Item]
    validation_targets: Sequence[float]
    test: Sequence[Item]


@dataclass(frozen=True, slots=True)
class Course:
    """How a training went: its measured moments, which of them each pick is, and the test probabilities there."""

    curve: Sequence[Mapping[str, float]]
    picked: Mapping[Pick, int]
    probabilities: Mapping[Pick, Sequence[float]]


def learn(
    judge: Judge, lesson: Lesson, plan: CellPlan, seed: int, *, rate: float, with_confidence: bool, stepped: Stepped
) -> Course:
    """Train the judge to the end; it is left as it is then. Raises `LossNotFinite`."""
    optimizer = torch.optim.AdamW(list(judge.parameters), lr=rate, weight_decay=judge.decay)
    schedule = TrainingPlan(epochs=plan.epochs, learning_rate=rate, seed=seed)
    batches = list(_batches(len(lesson.items), plan, seed))
    measured_after = moments(len(batches), plan.evaluations)
    targets = torch.tensor(lesson.targets, dtype=torch.float32)
    curve: list[Mapping[str, float]] = []
    found: list[Sequence[float]] = []
    losses: list[float] = []
    judge.begin(lesson.items)
    judge.learning(on=True)
    for step, places in enumerate(batches):
        alpha = ramped(plan.alpha, step, len(batches), plan.ramp) if with_confidence else 0.0
        some = [lesson.items[place] for place in places]
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, len(batches), schedule)
        losses.append(_step(judge, optimizer, some, targets[places], alpha))
        if step + 1 in measured_after:
            measures, probabilities = _measured(judge, lesson)
            curve.append({"epoch": (step + 1) / len(batches) * plan.epochs, "loss": float(np.mean(losses)), **measures})
            found.append(probabilities)
            losses = []
        stepped(min((step + 1) * plan.batch_items, plan.epochs * len(lesson.items)), plan.epochs * len(lesson.items))
    picked = picks(curve)
    return Course(curve, picked, {pick: found[place] for pick, place in picked.items()})


def moments(num_steps: int, evaluations: int) -> frozenset[int]:
    """After how many steps is measured: in equal distances, the end among them."""
    return frozenset(math.ceil(num_steps * (place + 1) / evaluations) for place in range(evaluations))


def picks(curve: Sequence[Mapping[str, float]]) -> dict[Pick, int]:
    """Which moment each pick is: the end, and the earliest of the best by either validation."""
    return {
        "last": len(curve) - 1,
        "weak": max(range(len(curve)), key=lambda place: curve[place]["validation_agreement"]),
        "true": max(range(len(curve)), key=lambda place: curve[place]["validation_accuracy"]),
    }


def probabilities_of(judge: Judge, items: Sequence[Item], batch_items: int = 32) -> list[float]:
    """Of each item being right."""
    with judging(judge):
        parts = [
            torch.sigmoid(judge.log_odds(items[start : start + batch_items]).double())
            for start in range(0, len(items), batch_items)
        ]
    return [float(value) for part in parts for value in part.tolist()]


def _step(
    judge: Judge, optimizer: torch.optim.Optimizer, items: Sequence[Item], targets: torch.Tensor, alpha: float
) -> float:
    """One update; the mean loss before it, in nats."""
    optimizer.zero_grad(set_to_none=True)
    log_odds = judge.log_odds(items)
    wanted = targets.to(log_odds.device)
    losses = mixed_loss(log_odds, wanted, alpha) if alpha else cross_entropy(log_odds, wanted)
    loss = losses.mean()
    if not math.isfinite(float(loss.detach())):
        raise LossNotFinite("the loss is not finite: nothing of this cell is kept; lower --learning-rate")
    loss.backward()
    torch.nn.utils.clip_grad_norm_(list(judge.parameters), _LARGEST_GRADIENT)
    optimizer.step()
    return float(loss.detach())


def _measured(judge: Judge, lesson: Lesson) -> tuple[dict[str, float], list[float]]:
    both = probabilities_of(judge, [*lesson.validation, *lesson.test])
    validation, test = both[: len(lesson.validation)], both[len(lesson.validation) :]
    taught = judgements(np.array(lesson.validation_targets))
    return {
        "validation_agreement": accuracy(np.array(validation), taught),
        "validation_accuracy": accuracy(np.array(validation), labels_of(lesson.validation)),
        "test_accuracy": accuracy(np.array(test), labels_of(lesson.test)),
    }, test


def labels_of(items: Sequence[Item]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """[items] of bool."""
    return np.array([item.label for item in items], dtype=bool)


def _batches(num_items: int, plan: CellPlan, seed: int) -> Iterator[list[int]]:
    for epoch in range(plan.epochs):
        order = list(range(num_items))
        random.Random(f"{seed}/{epoch}").shuffle(order)  # noqa: S311  an order, not a secret
        for start in range(0, num_items, plan.batch_items):
            yield order[start : start + plan.batch_items]
