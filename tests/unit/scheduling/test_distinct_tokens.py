"""Distinct prefixes are counted as a trie would count them."""

from hypothesis import given
from hypothesis import strategies as st

from surefoot.scheduling.distinct_tokens import DistinctTokens, distinct_costs

INPUTS = st.lists(st.lists(st.integers(0, 2), max_size=8).map(tuple), max_size=12)


@given(INPUTS)
def test_the_total_is_the_number_of_distinct_prefixes(inputs) -> None:
    counted = DistinctTokens()
    for tokens in inputs:
        counted.add(tokens)
    assert counted.total == len({tokens[:end] for tokens in inputs for end in range(1, len(tokens) + 1)})


@given(INPUTS)
def test_costs_add_up(inputs) -> None:
    costs = distinct_costs(inputs)
    assert len(costs) == len(inputs)
    assert sum(costs) == len({tokens[:end] for tokens in inputs for end in range(1, len(tokens) + 1)})


def test_the_same_again_costs_nothing() -> None:
    assert distinct_costs([(1, 2, 3), (1, 2, 4), (1, 2, 3), (5,)]) == [3, 1, 0, 1]
