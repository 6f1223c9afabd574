"""Heads are found by where they are and how small they are."""

import pytest

from surefoot.inspection.heads import FoundHead, find_heads
from surefoot.inspection.tensor_index import TensorInfo


def heads_of(**shapes: tuple[int, ...]) -> tuple[FoundHead, ...]:
    return find_heads({name: TensorInfo("float32", shape, 0) for name, shape in shapes.items()})


@pytest.mark.parametrize("weights", ["score", "v_head", "v_head.summary", "value_head", "model.reward_head"])
def test_a_small_layer_outside_the_blocks_is_a_head(weights: str) -> None:
    (head,) = heads_of(**{f"{weights}.weight": (1, 64), f"{weights}.bias": (1,)})
    assert head == FoundHead(weights, "linear", 1, 64, has_bias=True)


def test_two_numbered_layers_are_one_head() -> None:
    (head,) = heads_of(**{"score.0.weight": (96, 64), "score.2.weight": (2, 96)})
    assert head == FoundHead("score", "mlp_relu", 2, 64, has_bias=False)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("model.layers.3.mlp.gate.weight", (8, 64)),
        ("lm_head.weight", (320, 64)),
        ("model.token_type_embeddings.weight", (2, 64)),
        ("model.norm.weight", (64,)),
        ("score.2.weight", (2, 96)),
        ("score.bias", (1, 64)),
    ],
    ids=["in a block", "large", "embedding", "vector", "half a head", "no weight"],
)
def test_what_is_no_head(name: str, shape: tuple[int, ...]) -> None:
    assert heads_of(**{name: shape}) == ()
