"""How much a right and a wrong step weigh: in most data far more steps are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from surefoot.errors import ExamplesInvalid
from surefoot.training.examples import Example, Target

ClassWeights = Literal["none", "balanced"]
"""`none`: every step counts alike, so that probabilities stay those of the data. `balanced`: all classes together
weigh the same."""


def weighted(examples: Sequence[Example], how: ClassWeights) -> list[Example]:
    """The examples with each target's weight multiplied by that of its class.

    Balanced, class c of K weighs W / (K · W_c), with W_c its share of all weights W, and a soft target the mean of its
    classes. Raises `ExamplesInvalid` where a class never comes, as the other could then not be told from it.
    """
    if how == "none":
        return list(examples)
    shares = _shares(examples)
    if sum(share > 0 for share in shares) < 2:
        raise ExamplesInvalid(
            "the labels are all of one class: add rows of the other one, or set the class weights to none",
            param="labels",
        )
    present = [share for share in shares if share > 0]
    factors = [0.0 if share == 0 else sum(present) / (len(present) * share) for share in shares]
    return [
        replace(
            example,
            weights=tuple(
                weight * sum(chance * factor for chance, factor in zip(_chances(target), factors, strict=True))
                for weight, target in zip(example.weights, example.targets, strict=True)
            ),
        )
        for example in examples
    ]


def _shares(examples: Sequence[Example]) -> list[float]:
    sums: list[float] = []
    for example in examples:
        for weight, target in zip(example.weights, example.targets, strict=True):
            chances = _chances(target)
            sums = sums or [0.0] * len(chances)
            sums = [total + weight * chance for total, chance in zip(sums, chances, strict=True)]
    return sums


def _chances(target: Target) -> tuple[float, ...]:
    if isinstance(target, int):
        raise TypeError("class weights are for targets that are classes")
    return target
