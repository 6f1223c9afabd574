"""What an adapter is worth on held-out examples, by scores read as they are when it is served."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from surefoot.errors import LabelsDegenerate, LossNotFinite
from surefoot.evaluation.calibration import JudgedSolution
from surefoot.evaluation.discrimination import auroc
from surefoot.evaluation.first_error import first_error_accuracy
from surefoot.profiles import Profile
from surefoot.readout import read
from surefoot.training.examples import Example
from surefoot.training.lora import AdaptedModel
from surefoot.training.losses import summed_loss, total_weight
from surefoot.training.plan import packed


def validate(
    model: AdaptedModel, examples: Sequence[Example], profile: Profile | None, *, batch_tokens: int
) -> dict[str, float]:
    """`loss` in nats a target; of reward models also `auroc` of what is read, `accuracy` at the profile's threshold,
    and for process models `f1`, ProcessBench's first-error measure.

    Measures that the labels do not allow, because they are all alike, are left out. Without a `profile` nothing is
    judged. Raises `LossNotFinite`.
    """
    loss = 0.0
    judged: list[JudgedSolution] = []
    temperature = 1.0 if profile is None else profile.readout.temperature
    for places in packed([example.rendered.num_tokens for example in examples], batch_tokens):
        batch = [examples[place] for place in places]
        with torch.no_grad():
            loss += summed_loss(model.raw(batch), batch, temperature).item()
        if profile is not None:
            judged += _judged(model, batch)
    if not math.isfinite(loss):
        raise LossNotFinite("the loss on the validation rows is not finite: lower the learning rate")
    measures = {"loss": loss / total_weight(examples)}
    return measures if profile is None else {**measures, **_measures(profile, judged)}


def _judged(model: AdaptedModel, batch: Sequence[Example]) -> list[JudgedSolution]:
    rows = model.read(batch).split([len(example.rendered.readout_positions) for example in batch])
    return [
        JudgedSolution(tuple(map(tuple, part.tolist())), example.is_right)
        for part, example in zip(rows, batch, strict=True)
    ]


def _measures(profile: Profile, solutions: Sequence[JudgedSolution]) -> Mapping[str, float]:
    scored = [
        [reading.score for reading in read(profile, solution.raw, len(solution.is_right))] for solution in solutions
    ]
    pairs = [
        (score, right)
        for scores, solution in zip(scored, solutions, strict=True)
        for score, right in zip(scores, solution.is_right, strict=True)
        if right is not None
    ]
    values, labels = np.array([score for score, _ in pairs]), np.array([right for _, right in pairs], dtype=bool)
    found = {"accuracy": float(((values >= profile.threshold) == labels).mean())} if pairs else {}
    whole = [place for place, solution in enumerate(solutions) if solution.is_whole]
    try:
        found["auroc"] = auroc(values, labels)
        if profile.kind == "process":
            truths = [solutions[place].first_error for place in whole]
            found["f1"] = first_error_accuracy([scored[place] for place in whole], truths, profile.threshold).f1
    except LabelsDegenerate:
        pass
    return found
