"""Balanced weights: right and wrong weigh the same together, whatever there is more of."""

import pytest

from surefoot.domain import RenderedInput
from surefoot.errors import ExamplesInvalid
from surefoot.training.class_weights import weighted
from surefoot.training.examples import Example

RIGHT, WRONG = (1.0, 0.0), (0.0, 1.0)


def example(*targets) -> Example:
    return Example(RenderedInput((1,) * 9, ()), tuple(range(len(targets))), targets, (1.0,) * len(targets))


def test_balanced_classes_weigh_the_same() -> None:
    found = weighted([example(RIGHT, RIGHT, RIGHT, WRONG), example(RIGHT, RIGHT)], "balanced")
    pairs = [pair for each in found for pair in zip(each.targets, each.weights, strict=True)]
    sums = [sum(weight for target, weight in pairs if target == side) for side in (RIGHT, WRONG)]
    assert sums == pytest.approx([3, 3])


def test_a_soft_target_weighs_between_its_classes() -> None:
    (found,) = weighted([example(RIGHT, RIGHT, RIGHT, WRONG, (0.5, 0.5))], "balanced")
    right, wrong, soft = found.weights[0], found.weights[3], found.weights[4]
    assert soft == pytest.approx((right + wrong) / 2)


def test_without_class_weights_nothing_changes() -> None:
    examples = [example(RIGHT, WRONG)]
    assert weighted(examples, "none") == examples


def test_labels_of_one_class_cannot_be_balanced() -> None:
    with pytest.raises(ExamplesInvalid, match="all of one class"):
        weighted([example(RIGHT), example(RIGHT)], "balanced")
