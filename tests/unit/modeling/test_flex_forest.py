"""One mask for a whole forest: every token sees what its sequences have before it, and nothing else."""

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.forest import grow_forest
from surefoot.modeling import flex_forest
from surefoot.modeling.flex_forest import attend_to_forest, fits_flex
from surefoot.modeling.forest_layout import ForestLayout
from surefoot.modeling.forest_store import ForestStore
from surefoot.modeling.packed_attention import packed_attention

SEQUENCES = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=7), min_size=1, max_size=8)
LAYER = torch.nn.Identity()


def some_known(forest, rng: random.Random) -> list[int]:
    """Of each segment a number of known tokens; what comes after an unknown token is unknown."""
    counts: list[int] = []
    for segment in forest.segments:
        before = segment.parent is None or counts[segment.parent] == _length(forest.segments[segment.parent])
        counts.append(rng.randint(0, _length(segment)) if before else 0)
    return counts


def _length(segment) -> int:
    return segment.end - segment.start


def by_branches(store: ForestStore, query, key, value, window: int | None):
    """The reference: one call a branch."""
    layout = ForestLayout(store)
    found, _ = packed_attention(
        LAYER, query, key, value, None, forest_layout=layout, scaling=0.3, sliding_window=window
    )
    return found.transpose(1, 2)


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@given(SEQUENCES, st.randoms(), st.sampled_from([None, 2, 5]))
@settings(max_examples=40, deadline=None)
def test_one_call_gives_what_a_call_for_each_branch_gives(sequences, rng, window: int | None) -> None:
    forest = grow_forest(sequences)
    counts = some_known(forest, rng)
    store = ForestStore(forest, counts)
    num_tokens = len(forest.keys)
    if store.num_known == num_tokens:
        return
    torch.manual_seed(num_tokens)
    query = torch.randn(1, 4, num_tokens - store.num_known, 16)
    key, value = torch.randn(1, 2, num_tokens, 16), torch.randn(1, 2, num_tokens, 16)
    mask = store.mask().block_mask(window, query.device)
    found = attend_to_forest(query, key, value, mask, 0.3)
    torch.testing.assert_close(found, by_branches(store, query, key, value, window), atol=1e-5, rtol=1e-5)


def test_it_is_for_cuda_devices_alone() -> None:
    assert not fits_flex(torch.randn(1, 2, 3, 16))
    assert not fits_flex(torch.randn(1, 2, 3, 16, device="meta"))


def test_a_kernel_that_cannot_be_compiled_is_done_without(monkeypatch, caplog) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no compiler")

    monkeypatch.setattr(flex_forest._Compiled, "_kernel", fails)
    monkeypatch.setattr(flex_forest._Compiled, "failed", False)
    states = torch.randn(1, 2, 3, 16, device="meta")
    mask = ForestStore(grow_forest([[1, 2, 3]])).mask().block_mask(None, torch.device("cpu"))
    assert [attend_to_forest(states, states, states, mask, None) for _ in range(2)] == [None, None]
    assert [record.message for record in caplog.records] == [
        "FlexAttention cannot be used here; attention goes branch by branch"
    ]


def test_too_little_memory_is_told_and_costs_the_kernel_nothing(monkeypatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(flex_forest._Compiled, "_kernel", fails)
    monkeypatch.setattr(flex_forest._Compiled, "failed", False)
    states = torch.randn(1, 2, 3, 16, device="meta")
    mask = ForestStore(grow_forest([[1, 2, 3]])).mask().block_mask(None, torch.device("cpu"))
    with pytest.raises(torch.OutOfMemoryError):
        attend_to_forest(states, states, states, mask, None)
    assert not flex_forest._Compiled.failed
