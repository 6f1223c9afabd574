import math
from statistics import fmean, pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.reward_treatment import treat

few_examples = settings(max_examples=60, deadline=None)
scores = st.floats(-1e3, 1e3) | st.sampled_from([0.0, 0.5, 1.0])
grouped = st.lists(st.tuples(scores | st.none(), st.sampled_from("abc")), max_size=20)


def test_nothing_asked_leaves_scores_as_they_are() -> None:
    treated = treat([0.25, 0.75], ["a", "a"], None, "none")
    assert (treated.rewards, treated.num_capped, treated.mean, treated.std) == ((0.25, 0.75), 0, 0.5, 0.25)


def test_what_is_outside_the_cap_becomes_its_border() -> None:
    treated = treat([0.0, 0.1, 0.5, 1.0], "aaaa", (0.1, 0.9), "none")
    assert (treated.rewards, treated.num_capped) == ((0.1, 0.1, 0.5, 0.9), 2)


def test_each_group_has_its_own_mean_and_deviation() -> None:
    treated = treat([0.2, 10.0, 0.4, 30.0], "abab", None, "group")
    assert treated.rewards == pytest.approx((-1, -1, 1, 1))


def test_a_batch_is_one_group() -> None:
    assert treat([1.0, 3.0], "ab", None, "batch").rewards == pytest.approx((-1, 1))


def test_scaling_comes_after_the_cap() -> None:
    assert treat([0.0, 1.0, 100.0], "aaa", (0.0, 1.0), "batch").rewards == pytest.approx(
        (-math.sqrt(2), math.sqrt(0.5), math.sqrt(0.5))
    )


def test_a_group_of_equals_gets_nothing_and_is_counted() -> None:
    treated = treat([0.3, 0.3, 0.1, 0.2], "aabb", None, "group")
    assert (treated.rewards[:2], treated.num_flat_groups) == ((0.0, 0.0), 1)


def test_rounding_is_no_signal() -> None:
    assert treat([0.3, 0.3 + 1e-9], "aa", None, "group").rewards == (0.0, 0.0)


def test_a_missing_score_has_no_reward_and_counts_nowhere() -> None:
    with_it, without = treat([1.0, None, 3.0], "aaa", None, "group"), treat([1.0, 3.0], "aa", None, "group")
    assert with_it.rewards == (without.rewards[0], None, without.rewards[1])
    assert (with_it.mean, with_it.std) == (without.mean, without.std)


@given(grouped)
@few_examples
def test_scaled_groups_have_mean_0_and_deviation_1_or_are_flat(rows) -> None:
    treated = treat([score for score, _ in rows], [group for _, group in rows], None, "group")
    num_flat = 0
    for name in {group for score, group in rows if score is not None}:
        own = [reward for reward, (_, group) in zip(treated.rewards, rows, strict=True) if group == name]
        rewards = [reward for reward in own if reward is not None]
        assert fmean(rewards) == pytest.approx(0, abs=1e-6)
        num_flat += not any(rewards)
        assert not any(rewards) or pstdev(rewards) == pytest.approx(1)
    assert treated.num_flat_groups == num_flat


@given(grouped)
@few_examples
def test_rewards_are_missing_where_scores_are(rows) -> None:
    given_scores = [score for score, _ in rows]
    treated = treat(given_scores, [group for _, group in rows], (0.0, 1.0), "batch")
    assert [reward is None for reward in treated.rewards] == [score is None for score in given_scores]
