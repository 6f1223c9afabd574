"""Passes that compute only what the cache does not know give the numbers of plain ones."""

import random

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from surefoot.forest import grow_forest
from surefoot.modeling.forest_store import ForestStore
from surefoot.modeling.packed_attention import PACKED_ATTENTION
from surefoot.modeling.packed_forward import (
    cached_hidden_states,
    new_pool,
    packed_hidden_states,
    plain_hidden_states,
)

TOLERANCE = 2e-5

sequences = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=8)


@given(sequences, st.randoms())
def test_every_token_has_one_place_and_sees_its_prefix(given_sequences, rng) -> None:
    forest = grow_forest(given_sequences)
    fully_known = {None}
    counts = []
    for place, segment in enumerate(forest.segments):
        length = segment.end - segment.start
        counts.append(rng.randint(0, length) if segment.parent in fully_known else 0)
        if counts[-1] == length:
            fully_known.add(place)
    store = ForestStore(forest, counts)
    tokens_at = dict(enumerate(known_tokens(forest, counts) + store.token_ids()))
    assert len(tokens_at) == len(forest.keys)
    for number, sequence in enumerate(given_sequences):
        places = store.places(number, range(len(sequence)))
        assert [tokens_at[place] for place in places] == list(sequence)
    prefixes = {tuple(each[:end]) for each in given_sequences for end in range(1, len(each) + 1)}
    for branch in store.branches():
        seen = [tokens_at[place] for start, end in branch.keys for place in range(start, end)]
        assert len(seen) == branch.last
        assert tuple(seen) in prefixes
        assert branch.keys[-1][1] == branch.queries[1] + store.num_known


def known_tokens(forest, counts) -> list[int]:
    return [
        token
        for segment, count in zip(forest.segments, counts, strict=True)
        for token in forest.token_ids(segment.start, segment.start + count)
    ]


def new_pool_of(trunk, budget: int):
    with torch.inference_mode():
        return new_pool(trunk, budget)


@pytest.mark.parametrize("family", ["llama", "mistral", "gemma3"])
@pytest.mark.parametrize("budget", [0, 100_000, 10_000_000])
def test_rounds_of_growing_sequences_give_the_plain_numbers(tiny, family: str, budget: int) -> None:
    """Mistral's and Gemma's windows are shorter than the sequences become."""
    packed, plain = (
        transformers.AutoModelForCausalLM.from_pretrained(tiny(family), attn_implementation=kind).eval().get_decoder()
        for kind in (PACKED_ATTENTION, "sdpa")
    )
    rng, pool = random.Random(family), new_pool_of(packed, budget)
    beams = [[rng.randrange(256) for _ in range(9)]]
    for _ in range(6):
        beams = [beam + [rng.randrange(256) for _ in range(rng.randint(1, 20))] for beam in beams for _ in range(2)]
        rng.shuffle(beams)
        beams = beams[:5]
        positions = [range(len(beam)) for beam in beams]
        with torch.inference_mode():
            found, _ = cached_hidden_states(packed, beams, positions, pool, None)
            again, known = cached_hidden_states(packed, beams, positions, pool, None)
            expected = plain_hidden_states(plain, beams, positions)
        assert float((found - expected).abs().max()) <= TOLERANCE
        assert float((again - expected).abs().max()) <= TOLERANCE
        assert all(count <= len(beam) for count, beam in zip(known, beams, strict=True))
        assert budget < 10_000_000 or known == [len(beam) for beam in beams]


def test_a_failed_pass_leaves_nothing_that_a_later_one_reads(tiny, monkeypatch) -> None:
    trunk = (
        transformers.AutoModelForCausalLM.from_pretrained(tiny("llama"), attn_implementation=PACKED_ATTENTION)
        .eval()
        .get_decoder()
    )
    pool, given_beams, wanted = new_pool_of(trunk, 10_000_000), [[1, 2, 3], [1, 2, 4]], [[2], [2]]
    with torch.inference_mode():
        expected = packed_hidden_states(trunk, given_beams, wanted)
        monkeypatch.setattr(trunk.layers[1], "forward", fail)
        with pytest.raises(MemoryError):
            cached_hidden_states(trunk, given_beams, wanted, pool, None)
        monkeypatch.undo()
        found, known = cached_hidden_states(trunk, given_beams, wanted, pool, None)
    assert known == [0, 0]
    assert float((found - expected).abs().max()) <= TOLERANCE


def fail(*_args, **_named) -> None:
    raise MemoryError


def test_only_new_tokens_are_computed(tiny, monkeypatch) -> None:
    trunk = (
        transformers.AutoModelForCausalLM.from_pretrained(tiny("llama"), attn_implementation=PACKED_ATTENTION)
        .eval()
        .get_decoder()
    )
    computed = []
    trunk.register_forward_pre_hook(
        lambda _, __, kwargs: computed.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    pool = new_pool_of(trunk, 10_000_000)
    computed.clear()
    with torch.inference_mode():
        rounds = ([[1, 2, 3], [1, 2, 4]], [[1, 2, 3, 5], [1, 2, 3, 6], [1, 2, 4], [9]], [[1, 2, 3]])
        known = [cached_hidden_states(trunk, beams, [[0] for _ in beams], pool, None)[1] for beams in rounds]
    assert computed == [4, 3]
    assert known == [[0, 0], [3, 3, 3, 0], [3]]
