"""What the layers below the adapter give is computed once, and changes nothing of what is learned."""

import pytest
import torch

from surefoot.modeling.checkpoint import load_checkpoint
from surefoot.modeling.packed_attention import PACKED_ATTENTION
from surefoot.modeling.trunk_forward import TrunkForward
from surefoot.training.lower_layers import LowerLayers

SEQUENCES = [tuple(range(30, 60)), (5, 6, 7)]
POSITIONS = [[3, 29], [0, 2]]
PLENTY = 2**30


@pytest.fixture
def forward(reward_base) -> TrunkForward:
    return TrunkForward("tiny", reward_base().checkpoint)


@pytest.fixture
def computed(forward, monkeypatch) -> list[tuple[int, ...]]:
    """The sequences whose lower layers were computed, as they come."""
    found = []
    original = forward.layer_inputs

    def recorded(sequences, layer):
        found.extend(sequences)
        return original(sequences, layer)

    monkeypatch.setattr(forward, "layer_inputs", recorded)
    return found


def test_hidden_states_are_those_of_a_whole_pass(forward) -> None:
    split = LowerLayers(forward, 1, PLENTY).hidden_states(SEQUENCES, POSITIONS)
    assert torch.allclose(split, forward.differentiable_hidden_states(SEQUENCES, POSITIONS), atol=2e-5)


def test_a_second_epoch_computes_nothing_below(forward, computed) -> None:
    lower = LowerLayers(forward, 1, PLENTY)
    first = lower.hidden_states(SEQUENCES, POSITIONS)
    assert torch.equal(lower.hidden_states(SEQUENCES, POSITIONS), first)
    assert computed == SEQUENCES


def test_memory_is_bounded(forward, computed) -> None:
    [one] = forward.layer_inputs(SEQUENCES[:1], 1)
    computed.clear()
    lower = LowerLayers(forward, 1, one.numel() * one.element_size())
    for _ in range(2):
        lower.hidden_states(SEQUENCES, POSITIONS)
    assert computed == [*SEQUENCES, SEQUENCES[1]]


@pytest.mark.parametrize(("first", "most_bytes"), [(0, PLENTY), (1, 0)])
def test_without_a_use_for_it_passes_are_whole(forward, computed, first: int, most_bytes: int) -> None:
    LowerLayers(forward, first, most_bytes).hidden_states(SEQUENCES, POSITIONS)
    assert computed == []


def test_gradients_reach_the_layers_above(forward) -> None:
    forward._trunk.layers[1].requires_grad_(True)
    LowerLayers(forward, 1, PLENTY).hidden_states(SEQUENCES, POSITIONS).sum().backward()
    assert forward._trunk.layers[1].mlp.up_proj.weight.grad.abs().sum() > 0


def test_in_bf16_it_does_not_matter_beside_which_others_a_sequence_is(tiny) -> None:
    checkpoint = load_checkpoint(tiny("llama"), "causal_lm", dtype="bfloat16", device="cpu", attention=PACKED_ATTENTION)
    forward = TrunkForward("tiny", checkpoint)
    together = forward.layer_inputs(SEQUENCES, 1)
    alone = [forward.layer_inputs([sequence], 1)[0] for sequence in SEQUENCES]
    assert all(torch.equal(*pair) for pair in zip(together, alone, strict=True))


def test_one_sequence_twice_in_a_batch_is_computed_once(forward, computed) -> None:
    LowerLayers(forward, 1, PLENTY).hidden_states([SEQUENCES[1]] * 2, [[0], [2]])
    assert computed == [SEQUENCES[1]]
