"""The guard flags batches that are distributed as none before, and only those."""

from typing import get_args

import numpy as np
import pytest

from surefoot_client.rl import RangeGuard
from surefoot_client.rl.range_guard import STATISTICS, Statistic


@pytest.fixture
def batch():
    """Makes batches, each time the same ones, whichever tests ran before."""
    random = np.random.default_rng(8)
    return lambda mean=0.5, spread=0.1: random.normal(mean, spread, size=256)


@pytest.fixture
def guard(batch):
    guard = RangeGuard(warm_up=20)
    for _ in range(20):
        assert guard.check(batch()) == ()
    return guard


def test_every_statistic_is_watched():
    assert set(STATISTICS) == set(get_args(Statistic))


def test_batches_as_before_pass(guard, batch):
    assert [guard.check(batch()) for _ in range(50)] == [()] * 50


@pytest.mark.parametrize(
    ("drawn", "statistic"),
    [({"mean": 0.8}, "mean"), ({"mean": 0.2}, "mean"), ({"spread": 0.01}, "spread"), ({"spread": 0.4}, "spread")],
    ids=["higher", "lower", "collapsed", "scattered"],
)
def test_another_distribution_is_flagged(guard, batch, drawn, statistic):
    found = {each.statistic: each for each in guard.check(batch(**drawn))}
    low, high = found[statistic].seen
    assert not low <= found[statistic].value <= high


def test_the_same_mean_with_a_new_extreme_is_flagged(guard, batch):
    rewards = batch()
    rewards[:20] += 2.0
    rewards[20:40] -= 2.0
    assert {"low", "high"} <= {each.statistic for each in guard.check(rewards)}


def test_a_flagged_batch_is_flagged_again(guard, batch):
    assert guard.check(batch(mean=0.8))
    assert guard.check(batch(mean=0.8))


def test_an_accepted_batch_widens_the_range(guard, batch):
    rewards = batch(mean=0.8)
    guard.accept(rewards)
    assert guard.check(rewards) == ()


def test_nothing_is_flagged_while_it_learns():
    guard = RangeGuard(warm_up=2)
    assert guard.check([0.0, 1.0]) == guard.check([100.0, 101.0]) == ()


@pytest.mark.parametrize("rewards", [[], [float("nan")], [[1.0]]])
def test_what_is_no_batch_of_rewards_is_refused(guard, rewards):
    with pytest.raises(ValueError, match="finite"):
        guard.check(rewards)


@pytest.mark.parametrize("settings", [{"warm_up": 1}, {"margin": -0.1}, {"margin": float("nan")}])
def test_settings_that_cannot_work_are_refused(settings):
    with pytest.raises(ValueError, match="warm_up"):
        RangeGuard(**settings)
