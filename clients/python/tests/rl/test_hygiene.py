"""Capping, scaling and the length-bias report: what comes out, and what is said of it."""

import numpy as np
import pytest

from surefoot_client.rl import length_bias, treat_rewards


def test_nothing_is_done_unasked():
    treated = treat_rewards([1.0, 5.0])
    assert (treated.rewards.tolist(), treated.num_capped, treated.scaling) == ([1.0, 5.0], 0, "none")


def test_a_cap_says_how_many_it_met():
    treated = treat_rewards([-9.0, 0.5, 3.0], cap=(-1.0, 1.0))
    assert (treated.rewards.tolist(), treated.cap, treated.num_capped) == ([-1.0, 0.5, 1.0], (-1.0, 1.0), 2)


def test_groups_are_scaled_by_themselves():
    treated = treat_rewards([1.0, 10.0, 3.0, 30.0], scaling="group", groups=["a", "b", "a", "b"])
    assert treated.rewards.tolist() == pytest.approx([-1.0, -1.0, 1.0, 1.0])


def test_a_group_of_equal_rewards_becomes_zeros_and_is_counted():
    treated = treat_rewards([0.1, 0.1, 0.1, 1.0, 3.0], scaling="group", groups=[0, 0, 0, 1, 1])
    assert treated.rewards.tolist() == pytest.approx([0.0, 0.0, 0.0, -1.0, 1.0])
    assert treated.num_flat_groups == 1


def test_rounding_is_not_blown_up_to_a_signal():
    assert treat_rewards([0.5, 0.5 + 1e-12], scaling="batch").rewards.tolist() == [0.0, 0.0]


def test_whitening_says_what_it_took_away():
    treated = treat_rewards([1.0, 3.0], scaling="batch")
    assert (treated.rewards.tolist(), treated.mean, treated.std) == ([-1.0, 1.0], 2.0, 1.0)


@pytest.mark.parametrize("scaling", ["none", "batch"])
def test_no_rewards_are_no_rewards(scaling):
    assert treat_rewards([], scaling=scaling).rewards.shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"rewards": [1.0, float("nan")]}, "failed items"),
        ({"rewards": [1.0], "scaling": "group"}, "groups"),
        ({"rewards": [1.0], "groups": [0]}, "groups"),
        ({"rewards": [1.0], "scaling": "group", "groups": [0, 1]}, "one group for each"),
        ({"rewards": [1.0], "cap": (1.0, 1.0)}, "cap"),
        ({"rewards": [1.0], "scaling": "rank"}, "scaling"),
    ],
)
def test_what_cannot_be_treated_is_refused(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        treat_rewards(**arguments)


def test_longer_and_better_is_a_bias():
    bias = length_bias([0.1, 0.2, 0.3], [100, 200, 300])
    assert (bias.correlation, bias.per_1000_tokens) == pytest.approx((1.0, 1.0))


def test_the_correlation_is_pearsons():
    random = np.random.default_rng(8)
    rewards, lengths = random.normal(size=50), random.integers(1, 500, size=50)
    assert length_bias(rewards, lengths).correlation == pytest.approx(np.corrcoef(rewards, lengths)[0, 1])


@pytest.mark.parametrize(("rewards", "lengths"), [([], []), ([1.0], [2]), ([1.0, 1.0], [2, 3]), ([1.0, 2.0], [3, 3])])
def test_what_says_nothing_of_lengths_is_none(rewards, lengths):
    assert length_bias(rewards, lengths).correlation is None


def test_a_length_for_each_reward_is_needed():
    with pytest.raises(ValueError, match="one length for each"):
        length_bias([1.0, 2.0], [3])
