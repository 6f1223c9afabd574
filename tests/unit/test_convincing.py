"""Which candidates are worth a label: shares, order and shortages, for any scores."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.convincing import Judged, choose_convincing

pools = st.lists(st.tuples(st.floats(-5, 5), st.sampled_from([True, False, None])), max_size=30).map(
    lambda rows: [Judged(index, score, is_correct) for index, (score, is_correct) in enumerate(rows)]
)
sizes = st.integers(1, 40)
fractions = st.floats(0, 1)


def reasons(pool, top_k, wrong_fraction=0.8) -> Counter:
    return Counter(choice.reason for choice in choose_convincing(pool, top_k, wrong_fraction))


def pool_of(num_wrong: int, num_right: int) -> list[Judged]:
    """Right answers score higher than wrong ones."""
    wrong = [Judged(index, 0.1 + index / 1000, False) for index in range(num_wrong)]
    return wrong + [Judged(num_wrong + index, 0.9 + index / 1000, True) for index in range(num_right)]


@given(pools, sizes, fractions)
def test_as_many_as_asked_or_all(pool, top_k, fraction) -> None:
    chosen = choose_convincing(pool, top_k, fraction)
    assert len({choice.index for choice in chosen}) == len(chosen) == min(top_k, len(pool))


@given(pools, sizes, fractions)
def test_the_wrong_answers_have_their_share_or_all_are_taken(pool, top_k, fraction) -> None:
    available = sum(judged.is_correct is False for judged in pool)
    wanted = math.floor(top_k * fraction + 0.5)
    assert reasons(pool, top_k, fraction)["convincing_wrong_answer"] == min(wanted, available)


@given(pools, sizes, fractions)
def test_only_wrong_answers_are_called_so(pool, top_k, fraction) -> None:
    called = [choice for choice in choose_convincing(pool, top_k, fraction) if choice.reason.startswith("convincing")]
    assert all(pool[choice.index].is_correct is False for choice in called)


@given(pools, sizes, fractions)
def test_nothing_left_out_outscores_the_rest_that_was_taken(pool, top_k, fraction) -> None:
    chosen = choose_convincing(pool, top_k, fraction)
    rest = [pool[choice.index].score for choice in chosen if choice.reason == "most_convincing_of_the_rest"]
    left_out = {judged.index for judged in pool} - {choice.index for choice in chosen}
    assert all(pool[index].score <= score for index in left_out for score in rest)


@given(pools, sizes, fractions, st.randoms())
def test_the_order_of_the_pool_does_not_matter(pool, top_k, fraction, shuffler) -> None:
    shuffled = list(pool)
    shuffler.shuffle(shuffled)
    assert choose_convincing(shuffled, top_k, fraction) == choose_convincing(pool, top_k, fraction)


def test_four_of_five_are_wrong_by_default_share() -> None:
    assert reasons(pool_of(9, 9), 5) == {"convincing_wrong_answer": 4, "most_convincing_of_the_rest": 1}


def test_too_few_wrong_answers_are_filled_up_from_the_rest() -> None:
    assert reasons(pool_of(1, 9), 5) == {"convincing_wrong_answer": 1, "most_convincing_of_the_rest": 4}


def test_further_wrong_answers_are_part_of_the_rest() -> None:
    assert reasons(pool_of(9, 0), 5) == {"convincing_wrong_answer": 4, "most_convincing_of_the_rest": 1}


def test_the_most_convincing_come_first() -> None:
    assert [choice.index for choice in choose_convincing(pool_of(3, 2), 3, 0.67)] == [2, 1, 4]


def test_equals_are_taken_by_index() -> None:
    pool = [Judged(index, 0.5, False) for index in (2, 0, 1)]
    assert [choice.index for choice in choose_convincing(pool, 2, 1.0)] == [0, 1]


@pytest.mark.parametrize(("top_k", "num_wrong"), [(1, 1), (2, 1), (3, 2)])
def test_halves_round_up(top_k, num_wrong) -> None:
    assert reasons(pool_of(9, 9), top_k, 0.5)["convincing_wrong_answer"] == num_wrong


def test_a_candidate_without_an_answer_is_no_wrong_answer() -> None:
    assert reasons([Judged(0, 0.9, None)], 1, 1.0) == {"most_convincing_of_the_rest": 1}
