"""What was computed for a prefix is found again, within the budget, the least recently used going first."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from surefoot.modeling.prefix_cache import PrefixCache, States

BYTES_A_TOKEN = 4 * (2 * 2 * 1 * 1 + 1)


def states_of(token_ids) -> States:
    """States whose values tell the prefix that they belong to, as a causal model's do."""
    told = [float(hash(tuple(token_ids[: end + 1])) % 1_000_003) for end in range(len(token_ids))]
    hidden = torch.tensor(told).unsqueeze(1)
    return States(hidden.view(1, 1, 1, -1, 1).expand(2, 2, 1, -1, 1).contiguous(), hidden)


def known(cache: PrefixCache, token_ids, adapter: str | None = None) -> int:
    """How many tokens are known; what is known must be what was computed for them."""
    pieces = cache.known(adapter, token_ids)
    count = sum(piece.num_tokens for piece in pieces)
    if pieces:
        found, expected = States.joined(pieces), states_of(token_ids)[:count]
        assert torch.equal(found.hidden, expected.hidden)
        assert torch.equal(found.key_values, expected.key_values)
    return count


def keep(cache: PrefixCache, token_ids, *, start: int = 0, adapter: str | None = None) -> None:
    cache.keep(adapter, token_ids, states_of(token_ids)[start:], start=start)


def roomy() -> PrefixCache:
    return PrefixCache(1000 * BYTES_A_TOKEN)


def test_a_longer_sequence_finds_its_beginning() -> None:
    cache = roomy()
    keep(cache, (1, 2, 3))
    assert known(cache, (1, 2, 3, 4, 5)) == 3
    keep(cache, (1, 2, 3, 4, 5), start=3)
    assert known(cache, (1, 2, 3, 4, 5, 6)) == 5
    assert cache.num_bytes == 5 * BYTES_A_TOKEN


def test_sequences_part_within_what_is_known() -> None:
    cache = roomy()
    keep(cache, (1, 2, 3, 4))
    assert known(cache, (1, 2, 9)) == 2
    keep(cache, (1, 2, 9), start=2)
    assert known(cache, (1, 2, 3, 4)) == 4
    assert known(cache, (1, 2, 9, 9)) == 3
    assert cache.num_bytes == 5 * BYTES_A_TOKEN


def test_an_adapter_knows_nothing_of_another() -> None:
    cache = roomy()
    keep(cache, (1, 2), adapter="prm")
    assert known(cache, (1, 2), adapter="orm") == known(cache, (1, 2)) == 0
    assert known(cache, (1, 2), adapter="prm") == 2


def test_the_least_recently_used_goes_first() -> None:
    cache = PrefixCache(6 * BYTES_A_TOKEN)
    keep(cache, (1, 1, 1))
    keep(cache, (2, 2, 2))
    assert known(cache, (1, 1, 1)) == 3
    keep(cache, (3, 3))
    assert [known(cache, (token,) * 3) for token in (1, 2, 3)] == [3, 0, 2]


def test_a_beginning_outlives_what_goes_on_from_it() -> None:
    cache = PrefixCache(6 * BYTES_A_TOKEN)
    keep(cache, (1, 2))
    keep(cache, (1, 2, 3, 4), start=2)
    keep(cache, (1, 2, 5, 6), start=2)
    keep(cache, (1, 2, 7, 8), start=2)
    assert known(cache, (1, 2, 3, 4)) == 2
    assert known(cache, (1, 2, 7, 8)) == 4


def test_what_does_not_fit_is_not_kept_and_drives_nothing_out() -> None:
    cache = PrefixCache(4 * BYTES_A_TOKEN)
    keep(cache, (1, 2))
    keep(cache, (3, 3, 3, 3, 3))
    assert known(cache, (3, 3)) == 0
    assert known(cache, (1, 2)) == 2
    keep(cache, (1, 2, 3, 4, 5), start=2)
    assert known(cache, (1, 2, 3)) == 2


def test_nothing_is_kept_behind_a_gap() -> None:
    cache = roomy()
    keep(cache, (1, 2, 3, 4), start=2)
    assert known(cache, (1, 2, 3, 4)) == cache.num_bytes == 0


def test_a_kept_part_does_not_hold_on_to_the_pass_it_came_from() -> None:
    cache, computed = roomy(), states_of(range(100))
    cache.keep(None, (0, 1), computed[:2], start=0)
    [piece] = cache.known(None, (0, 1))
    assert piece.hidden.untyped_storage().nbytes() == 2 * 4


@given(
    st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), min_size=1, max_size=30),
    st.integers(0, 20),
)
def test_whatever_is_scored_the_cache_tells_the_truth_within_its_budget(sequences, budget: int) -> None:
    cache = PrefixCache(budget * BYTES_A_TOKEN)
    for sequence in sequences:
        found = known(cache, tuple(sequence))
        if found < len(sequence):
            keep(cache, tuple(sequence), start=found)
        assert cache.num_bytes <= budget * BYTES_A_TOKEN
        assert cache.num_bytes == sum(node.states.num_bytes for node in cache._by_use)
