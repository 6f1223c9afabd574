"""Shared prefixes: the count equals the number of distinct prefixes, and the forest holds each of them once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.forest import count_unique_tokens, grow_forest, separate_trees, shared_prefix

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


def segment_of(forest, flat):
    return next(each for each in forest.segments if each.start <= flat < each.end)


def prefix_at(forest, flat) -> tuple[int, ...]:
    """The tokens from the root to a flat position, by the segments alone."""
    segment = segment_of(forest, flat)
    ranges = [*forest.ancestry(segment), (segment.start, flat + 1)]
    return tuple(token for start, end in ranges for token in forest.keys[start:end])


@given(sequences)
def test_a_forest_holds_each_distinct_prefix_once(given_sequences) -> None:
    forest = grow_forest(given_sequences)
    held = [prefix_at(forest, flat) for flat in range(len(forest.keys))]
    assert len(held) == len(set(held)) == naive_count(given_sequences)


@given(sequences)
@pytest.mark.parametrize("plan", [grow_forest, separate_trees])
def test_a_token_of_a_sequence_lies_where_its_prefix_is(plan, given_sequences) -> None:
    forest = plan(given_sequences)
    for place, sequence in enumerate(given_sequences):
        found = forest.flat_positions(place, range(len(sequence)))
        assert [prefix_at(forest, flat) for flat in found] == [
            tuple(sequence[: end + 1]) for end in range(len(sequence))
        ]


@given(sequences)
def test_a_token_is_seen_up_to_the_end_of_its_subtree(given_sequences) -> None:
    forest = grow_forest(given_sequences)
    for key in range(len(forest.keys)):
        seen_by = range(key, segment_of(forest, key).subtree_end)
        for query in range(len(forest.keys)):
            mine, other = prefix_at(forest, key), prefix_at(forest, query)
            assert (query in seen_by) == (other[: len(mine)] == mine)


@given(sequences)
def test_a_segment_ends_where_sequences_part(given_sequences) -> None:
    forest = grow_forest(given_sequences)
    children = {place: [] for place in range(len(forest.segments))}
    for segment in forest.segments:
        if segment.parent is not None:
            children[segment.parent].append(forest.keys[segment.start])
    assert all(len(firsts) == len(set(firsts)) and len(firsts) != 1 for firsts in children.values())


@given(sequences)
def test_separate_trees_share_nothing(given_sequences) -> None:
    forest = separate_trees(given_sequences)
    assert forest.keys == tuple(token for sequence in given_sequences for token in sequence)
    assert len(forest.segments) == sum(1 for sequence in given_sequences if sequence)
    assert all(segment.parent is None and segment.subtree_end == segment.end for segment in forest.segments)


def test_neighbouring_ranges_of_an_ancestry_are_joined() -> None:
    forest = grow_forest([[1, 2, 3, 4], [1, 2, 3, 5], [1, 2, 6], [1, 7]])
    deepest = segment_of(forest, forest.flat_positions(1, [3])[0])
    assert forest.ancestry(deepest) == [(0, 3)]


@given(sequences, st.integers(1, 4))
def test_what_is_behind_the_last_whole_block_is_shared_with_the_same_sequence_only(given_sequences, block: int) -> None:
    forest = grow_forest(given_sequences, block=block)
    told_apart = {
        (tuple(each[:end]), tuple(each) if end > len(each) // block * block else None)
        for each in given_sequences
        for end in range(1, len(each) + 1)
    }
    assert len(forest.keys) == len(told_apart)
    for place, sequence in enumerate(given_sequences):
        whole = len(sequence) // block * block
        for position, flat in enumerate(forest.flat_positions(place, range(len(sequence)))):
            assert forest.token_ids(flat, flat + 1) == [sequence[position]]
            if position >= whole:
                assert forest.tail_start(segment_of(forest, flat)) == whole
            elif segment_of(forest, flat).end == flat + 1:
                assert forest.tail_start(segment_of(forest, flat)) is None
