"""Branches that share a call give what each gives in one of its own, to the bit, however many are laid out at once."""

import pytest
import torch

from surefoot.forest import grow_forest
from surefoot.modeling import chunked_attention
from surefoot.modeling.chunked_attention import BLOCK, attend_in_chunks
from surefoot.modeling.forest_layout import ForestLayout, joined
from surefoot.modeling.forest_store import ForestStore

STEM = list(range(150))
SEQUENCES = [[*STEM, *range(start, start + length)] for start, length in ((200, 40), (300, 90), (400, 7))]
SEQUENCES += [[*range(500, 560)], [*range(600, 900)]]


@pytest.fixture
def layout() -> ForestLayout:
    return ForestLayout(ForestStore(grow_forest(SEQUENCES, block=BLOCK)))


@pytest.fixture
def states(layout: ForestLayout) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Queries of four heads, keys and values of two."""
    generator = torch.Generator().manual_seed(1)
    tokens = max(branch.queries[1] for branch in layout.branches)
    query, key, value = (torch.randn(1, heads, tokens, 16, generator=generator) for heads in (4, 2, 2))
    return query.bfloat16(), key.bfloat16(), value.bfloat16()


@pytest.mark.parametrize("most_keys", [1, 500, 10**6])
def test_what_is_laid_out_together_changes_no_bit(layout, states, monkeypatch, most_keys: int) -> None:
    together = attend_in_chunks(layout, *states, None, None)
    monkeypatch.setattr(chunked_attention, "_KEYS", most_keys)
    found = attend_in_chunks(layout, *states, None, None)
    assert len(found) == len(layout.branches)
    assert all(torch.equal(one, other) for one, other in zip(found, together, strict=True))


def test_chunks_at_the_same_depths_are_one_call(layout, states, monkeypatch) -> None:
    calls = []
    fused = chunked_attention.fused_attention

    def counted(query: torch.Tensor, *rest: object) -> torch.Tensor:
        calls.append(len(query))
        return fused(query, *rest)

    monkeypatch.setattr(chunked_attention, "fused_attention", counted)
    attend_in_chunks(layout, *states, None, None)
    shared = len(calls)
    monkeypatch.setattr(chunked_attention, "_KEYS", 1)
    attend_in_chunks(layout, *states, None, None)
    assert max(calls[:shared]) > 1
    assert set(calls[shared:]) == {1}
    assert sum(calls[:shared]) == len(calls) - shared


@pytest.mark.parametrize("window", [None, 40])
def test_every_token_sees_itself_and_what_is_before_it(layout, states, window: int | None) -> None:
    query, key, value = (each.float() for each in states)
    found = attend_in_chunks(layout, query, key, value, window, None)
    for branch, output in zip(layout.branches, found, strict=True):
        keys, values = (joined(each, branch.keys).repeat_interleave(2, dim=1) for each in (key, value))
        scores = query[:, :, slice(*branch.queries)] @ keys.transpose(-1, -2) / 16**0.5
        distance = torch.arange(branch.depth, branch.last)[:, None] - torch.arange(branch.last)
        hidden = (distance < 0) | (distance >= (window or 10**9))
        expected = scores.masked_fill(hidden, float("-inf")).softmax(-1) @ values
        assert torch.allclose(output, expected, atol=1e-5)
