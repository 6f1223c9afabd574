"""Shared prefixes: the count equals the number of distinct prefixes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.forest import count_unique_tokens, shared_prefix

sequences = st.lists(st.lists(st.integers(0, 2), max_size=6), max_size=8)


def naive_count(given_sequences) -> int:
    return len({tuple(each[:end]) for each in given_sequences for end in range(1, len(each) + 1)})


@given(sequences)
def test_unique_tokens_are_the_distinct_prefixes(given_sequences) -> None:
    assert count_unique_tokens(given_sequences) == naive_count(given_sequences)


@given(sequences, st.randoms())
def test_the_order_does_not_matter(given_sequences, random) -> None:
    shuffled = list(given_sequences)
    random.shuffle(shuffled)
    assert count_unique_tokens(shuffled) == count_unique_tokens(given_sequences)


@given(st.lists(st.integers(0, 2), max_size=6), st.lists(st.integers(0, 2), max_size=6))
def test_a_shared_prefix_is_the_longest(first, second) -> None:
    shared = shared_prefix(first, second)
    assert first[:shared] == second[:shared]
    assert first[shared : shared + 1] != second[shared : shared + 1] or shared == len(first) == len(second)


@pytest.mark.parametrize(("given_sequences", "count"), [([], 0), ([[]], 0), ([[1, 2], [1, 2]], 2), ([[1, 2], [3]], 3)])
def test_small_forests(given_sequences, count) -> None:
    assert count_unique_tokens(given_sequences) == count
