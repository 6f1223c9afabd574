"""What was kept for a prefix is found again, in the slots it has, the least recently used going first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.modeling.prefix_cache import PrefixCache


class Passes:
    """A cache used by a pass each time, with what each slot was written for."""

    def __init__(self, num_slots: int) -> None:
        self.cache = PrefixCache(num_slots)
        self.written: dict[int, tuple[object, ...]] = {}

    def known(self, token_ids, adapter: str | None = None) -> int:
        """How many tokens are known; what is known must be what was written for them."""
        with self.cache.one_pass():
            slots = self.cache.known(adapter, token_ids)
        assert [self.written[slot] for slot in slots] == [(adapter, *token_ids[: end + 1]) for end in range(len(slots))]
        return len(slots)

    def keep(self, token_ids, *, start: int = 0, adapter: str | None = None) -> int:
        """How many are kept."""
        with self.cache.one_pass():
            return self.write(token_ids, start=start, adapter=adapter)

    def write(self, token_ids, *, start: int = 0, adapter: str | None = None) -> int:
        slots = self.cache.keep(adapter, token_ids, start=start)
        for end, slot in enumerate(slots, start + 1):
            self.written[slot] = (adapter, *token_ids[:end])
        return len(slots)


def fail_after(passes: Passes, kept) -> None:
    with passes.cache.one_pass():
        for token_ids, start in kept:
            passes.write(token_ids, start=start)
        raise MemoryError


def test_a_longer_sequence_finds_its_beginning() -> None:
    passes = Passes(1000)
    passes.keep((1, 2, 3))
    assert passes.known((1, 2, 3, 4, 5)) == 3
    passes.keep((1, 2, 3, 4, 5), start=3)
    assert passes.known((1, 2, 3, 4, 5, 6)) == 5
    assert passes.cache.num_tokens == 5


def test_sequences_part_within_what_is_known() -> None:
    passes = Passes(1000)
    passes.keep((1, 2, 3, 4))
    assert passes.known((1, 2, 9)) == 2
    passes.keep((1, 2, 9), start=2)
    assert passes.known((1, 2, 3, 4)) == 4
    assert passes.known((1, 2, 9, 9)) == 3
    assert passes.cache.num_tokens == 5


def test_an_adapter_knows_nothing_of_another() -> None:
    passes = Passes(1000)
    passes.keep((1, 2), adapter="prm")
    assert passes.known((1, 2), adapter="orm") == passes.known((1, 2)) == 0
    assert passes.known((1, 2), adapter="prm") == 2


def test_the_least_recently_used_goes_first() -> None:
    passes = Passes(6)
    passes.keep((1, 1, 1))
    passes.keep((2, 2, 2))
    assert passes.known((1, 1, 1)) == 3
    passes.keep((3, 3))
    assert [passes.known((token,) * 3) for token in (1, 2, 3)] == [3, 0, 2]


def test_a_beginning_outlives_what_goes_on_from_it() -> None:
    passes = Passes(6)
    passes.keep((1, 2))
    passes.keep((1, 2, 3, 4), start=2)
    passes.keep((1, 2, 5, 6), start=2)
    passes.keep((1, 2, 7, 8), start=2)
    assert passes.known((1, 2, 3, 4)) == 2
    assert passes.known((1, 2, 7, 8)) == 4


def test_what_does_not_fit_is_not_kept_and_drives_nothing_out() -> None:
    passes = Passes(4)
    passes.keep((1, 2))
    assert passes.keep((3, 3, 3, 3, 3)) == 0
    assert passes.known((3, 3)) == 0
    assert passes.known((1, 2)) == 2
    assert passes.keep((1, 2, 3, 4, 5), start=2) == 0
    assert passes.known((1, 2, 3)) == 2


def test_nothing_is_kept_behind_a_gap() -> None:
    passes = Passes(1000)
    assert passes.keep((1, 2, 3, 4), start=2) == 0
    assert passes.known((1, 2, 3, 4)) == passes.cache.num_tokens == 0


def test_what_a_pass_reads_is_not_overwritten_by_what_it_keeps() -> None:
    passes = Passes(4)
    passes.keep((1, 2))
    passes.keep((5, 6))
    with passes.cache.one_pass():
        read = passes.cache.known(None, (5, 6, 7))
        assert passes.write((5, 6, 7), start=2) == 1
        assert passes.write((8, 8), start=0) == 0
        assert passes.cache.known(None, (5, 6)) == read


def test_what_a_failed_pass_would_have_written_is_not_known() -> None:
    passes = Passes(10)
    passes.keep((1, 2, 3))
    with pytest.raises(MemoryError):
        fail_after(passes, (((1, 2, 4, 5), 2), ((1, 2, 4, 6), 3), ((7,), 0)))
    assert passes.cache.num_tokens == 3
    assert passes.known((1, 2, 4, 5)) == 2
    assert passes.known((1, 2, 3)) == 3
    assert passes.keep((9,) * 7) == 7


@given(
    st.lists(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), min_size=1, max_size=4), max_size=12),
    st.integers(0, 20),
    st.sets(st.integers(0, 11)),
)
def test_whatever_is_scored_the_cache_tells_the_truth_within_its_slots(rounds, num_slots: int, failing) -> None:
    passes = Passes(num_slots)
    for number, sequences in enumerate(rounds):
        try:
            with passes.cache.one_pass():
                read = {tuple(each): passes.cache.known(None, tuple(each)) for each in sequences}
                for sequence, slots in sorted(read.items()):
                    now_known = passes.cache.known(None, sequence)
                    assert now_known[: len(slots)] == slots
                    passes.write(sequence, start=len(now_known))
                if number in failing:
                    raise MemoryError
        except MemoryError:
            pass
        for sequence in sequences:
            passes.known(tuple(sequence))
        held = [slot for node in passes.cache._by_use for slot in node.slots]
        assert len(held) == len(set(held)) == passes.cache.num_tokens <= num_slots
