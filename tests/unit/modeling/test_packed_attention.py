"""Attention of packed sequences refuses what it does not compute, and with a gradient it is the fused kernel's."""

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
import torch

from surefoot.forest import separate_trees
from surefoot.modeling.forest_layout import ForestLayout
from surefoot.modeling.forest_store import ForestStore
from surefoot.modeling.packed_attention import UnsupportedAttention, packed_attention


def layout_of(lengths: Sequence[int]) -> ForestLayout:
    return ForestLayout(ForestStore(separate_trees([range(length) for length in lengths])))


@pytest.mark.parametrize(
    "extra", [{"s_aux": torch.ones(2)}, {"attention_mask": torch.ones(1, 1, 3, 3)}, {"dropout": 0.1}]
)
def test_what_would_change_attention_is_refused(extra: dict) -> None:
    query = torch.zeros(1, 2, 3, 4)
    arguments = {"attention_mask": None, "forest_layout": layout_of([3])} | extra
    with pytest.raises(UnsupportedAttention):
        packed_attention(torch.nn.Identity(), query, query, query, **arguments)


@pytest.mark.parametrize("key_heads", [1, 2, 6])
def test_attention_with_a_gradient_in_half_precision_is_that_of_the_fused_kernel(key_heads: int) -> None:
    random = torch.Generator().manual_seed(key_heads)
    query = torch.randn(1, 6, 9, 8, generator=random).bfloat16().requires_grad_()
    key, value = (torch.randn(1, key_heads, 9, 8, generator=random).bfloat16() for _ in range(2))
    module = SimpleNamespace()
    found, _ = packed_attention(module, query, key, value, None, forest_layout=layout_of([4, 5]))
    with torch.no_grad():
        fused, _ = packed_attention(module, query, key, value, None, forest_layout=layout_of([4, 5]))
    assert torch.allclose(found.float(), fused.float(), atol=0.02)
