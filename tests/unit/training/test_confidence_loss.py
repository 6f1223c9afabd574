"""The auxiliary confidence loss: by hand, in both of its written forms, and its gradient."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.training.confidence_loss import bootstrap_loss, cross_entropy, hardened, mixed_loss, ramped

LOG_ODDS = st.floats(-8, 8, width=32)
EXAMPLES = st.lists(st.tuples(LOG_ODDS, st.floats(0, 1, width=32)), min_size=2, max_size=12)


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def test_cross_entropy_by_hand() -> None:
    found = cross_entropy(torch.tensor([logit(0.8)]), torch.tensor([0.25]))
    assert found.tolist() == pytest.approx([-0.25 * math.log(0.8) - 0.75 * math.log(0.2)])


def test_half_of_a_batch_exceeds_the_threshold() -> None:
    # Of four the median is between 1 and 2: that 1.0 is above one half does not make it confident here.
    assert hardened(torch.tensor([1.0, 2.0, 3.0, -5.0])).tolist() == [0, 1, 1, 0]
    assert hardened(torch.tensor([0.1, 0.2, 0.3])).tolist() == [0, 0, 1]


def test_the_mix_by_hand() -> None:
    # f = 0.8 and 0.4, the median between them: 1[f > t] is 1 and 0.
    logits, weak = torch.tensor([logit(0.8), logit(0.4)]), torch.tensor([0.3, 0.9])
    first = 0.25 * (-0.3 * math.log(0.8) - 0.7 * math.log(0.2)) + 0.75 * -math.log(0.8)
    second = 0.25 * (-0.9 * math.log(0.4) - 0.1 * math.log(0.6)) + 0.75 * -math.log(0.6)
    assert mixed_loss(logits, weak, 0.75).tolist() == pytest.approx([first, second], abs=1e-6)


@settings(deadline=None)
@given(EXAMPLES, st.floats(0, 1))
def test_both_forms_and_their_gradients_are_equal(examples: list[tuple[float, float]], alpha: float) -> None:
    weak = torch.tensor([target for _, target in examples], dtype=torch.float64)
    found = []
    for loss in (mixed_loss, bootstrap_loss):
        logits = torch.tensor([value for value, _ in examples], dtype=torch.float64, requires_grad=True)
        values = loss(logits, weak, alpha)
        values.sum().backward()
        found.append((values.detach(), logits.grad))
    torch.testing.assert_close(found[0][0], found[1][0], atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(found[0][1], found[1][1], atol=1e-9, rtol=1e-9)


@settings(deadline=None)
@given(EXAMPLES)
def test_without_confidence_it_is_the_cross_entropy(examples: list[tuple[float, float]]) -> None:
    logits, weak = (torch.tensor(values) for values in zip(*examples, strict=True))
    torch.testing.assert_close(mixed_loss(logits, weak, 0.0), cross_entropy(logits, weak))


def test_the_gradient_is_that_of_finite_differences_and_of_the_formula() -> None:
    weak = torch.tensor([0.2, 0.7, 0.9, 0.4], dtype=torch.float64)
    logits = torch.tensor([0.3, -1.2, 2.0, 0.9], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda values: mixed_loss(values, weak, 0.6).sum(), (logits,))
    mixed_loss(logits, weak, 0.6).sum().backward()
    # dCE(f, t)/dlogit = f - t, with the target that the student moves itself; nothing comes through the threshold.
    target = 0.4 * weak + 0.6 * hardened(logits.detach())
    torch.testing.assert_close(logits.grad, torch.sigmoid(logits.detach()) - target)


def test_alpha_rises_in_a_line_and_stays() -> None:
    assert [ramped(0.5, step, 20, 0.2) for step in (0, 1, 2, 4, 19)] == pytest.approx([0, 0.125, 0.25, 0.5, 0.5])
    assert ramped(0.5, 0, 20, 0.0) == 0.5
