"""A pass in two parts gives what a whole one gives, wherever it is split."""

import pytest
import torch
import transformers

from surefoot.modeling.packed_attention import PACKED_ATTENTION
from surefoot.modeling.packed_forward import packed_hidden_states
from surefoot.modeling.split_forward import can_be_split, layer_inputs, packed_hidden_states_above

SEQUENCES = [list(range(30, 90)), [5, 6, 7], [8]]
POSITIONS = [[3, 59], [0, 2], [0]]


def trunk_of(directory):
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, attn_implementation=PACKED_ATTENTION)
    return model.eval().get_decoder()


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("family", ["llama", "qwen2", "mistral", "granite", "cohere"])
def test_both_parts_are_the_whole(tiny, family: str, layer: int) -> None:
    trunk = trunk_of(tiny(family))
    with torch.no_grad():
        inputs = layer_inputs(trunk, SEQUENCES, layer)
        found = packed_hidden_states_above(trunk, layer, inputs, POSITIONS)
        whole = packed_hidden_states(trunk, SEQUENCES, POSITIONS)
    assert torch.allclose(found, whole, atol=2e-5) == can_be_split(trunk, layer)


def test_a_llama_can_be_split(tiny) -> None:
    assert can_be_split(trunk_of(tiny("llama")), 1)


def test_what_scales_its_embeddings_on_their_way_in_cannot(tiny) -> None:
    trunk = trunk_of(tiny("granite"))
    trunk.embedding_multiplier = 12.0
    assert not can_be_split(trunk, 1)


def test_what_keeps_its_layers_elsewhere_cannot(tiny) -> None:
    trunk = trunk_of(tiny("llama"))
    trunk.blocks = trunk.layers
    del trunk.layers
    assert not can_be_split(trunk, 1)


def test_the_upper_layers_are_not_computed(tiny) -> None:
    trunk = trunk_of(tiny("llama"))
    passed = []
    for layer in trunk.layers:
        layer.register_forward_hook(lambda module, *_: passed.append(module))
    layer_inputs(trunk, [[3, 4]], 1)
    assert passed == [trunk.layers[0]]


def test_a_trunk_is_whole_again_after_a_pass_that_fails(tiny) -> None:
    trunk = trunk_of(tiny("llama"))
    layers = len(trunk.layers)
    with pytest.raises(IndexError):
        packed_hidden_states_above(trunk, 1, [torch.zeros(3, trunk.config.hidden_size)], [[9]])
    assert len(trunk.layers) == layers
    assert not trunk.layers[1]._forward_pre_hooks
