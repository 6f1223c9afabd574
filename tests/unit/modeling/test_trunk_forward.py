"""Hidden states by the fastest pass that is right, and by an ordinary one to hold them against."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import torch

from surefoot.errors import CheckpointDamaged
from surefoot.modeling import trunk_forward as module
from surefoot.modeling.checkpoint import Checkpoint, load_checkpoint
from surefoot.modeling.packed_attention import PACKED_ATTENTION
from surefoot.modeling.packed_forward import leaks_between_sequences
from surefoot.modeling.trunk_forward import TrunkForward

SEQUENCES = [list(range(30, 90)), [5, 6, 7]]
POSITIONS = [[3, 59], [0, 2]]


def load(directory) -> Checkpoint:
    return load_checkpoint(directory, "causal_lm", dtype="float32", device="cpu", attention=PACKED_ATTENTION)


@pytest.mark.parametrize("family", ["llama", "qwen2", "mistral", "granite", "cohere", "gemma2"])
def test_plain_states_equal_the_served_ones(tiny, family: str) -> None:
    forward = TrunkForward("tiny", load(tiny(family)))
    served = forward.hidden_states(SEQUENCES, POSITIONS)
    assert torch.allclose(forward.plain_hidden_states(SEQUENCES, POSITIONS), served, atol=2e-5)


def test_plain_states_come_from_transformers_own_attention(tiny, monkeypatch) -> None:
    checkpoint = load(tiny("llama"))
    used = []
    plain = module.plain_hidden_states

    def recorded(trunk, sequences, positions):
        used.append(trunk.config._attn_implementation)
        return plain(trunk, sequences, positions)

    monkeypatch.setattr(module, "plain_hidden_states", recorded)
    TrunkForward("tiny", checkpoint).plain_hidden_states(SEQUENCES, POSITIONS)
    assert used == ["sdpa"]


def test_packed_attention_is_back_after_a_plain_pass(tiny) -> None:
    checkpoint = load(tiny("llama"))
    forward = TrunkForward("tiny", checkpoint)
    before = forward.hidden_states(SEQUENCES, POSITIONS)
    forward.plain_hidden_states(SEQUENCES, POSITIONS)
    assert checkpoint.trunk.config._attn_implementation == PACKED_ATTENTION
    assert torch.equal(forward.hidden_states(SEQUENCES, POSITIONS), before)


def test_packed_attention_is_back_after_a_plain_pass_that_fails(tiny) -> None:
    checkpoint = load(tiny("llama"))
    with pytest.raises(IndexError):
        TrunkForward("tiny", checkpoint).plain_hidden_states([[5, 6, 7]], [[9]])
    assert checkpoint.trunk.config._attn_implementation == PACKED_ATTENTION


def test_a_served_pass_waits_for_a_plain_one(tiny, monkeypatch) -> None:
    """It would run in the other attention."""
    checkpoint = load(tiny("llama"))
    forward = TrunkForward("tiny", checkpoint)
    expected = forward.hidden_states(SEQUENCES, POSITIONS)
    under_way, go_on = threading.Event(), threading.Event()
    plain = module.plain_hidden_states

    def held(trunk, sequences, positions):
        under_way.set()
        assert go_on.wait(20)
        return plain(trunk, sequences, positions)

    monkeypatch.setattr(module, "plain_hidden_states", held)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(forward.plain_hidden_states, SEQUENCES, POSITIONS)
        assert under_way.wait(20)
        served = threads.submit(forward.hidden_states, SEQUENCES, POSITIONS)
        with pytest.raises(TimeoutError):
            served.result(timeout=0.3)
        go_on.set()
        first.result(20)
        assert torch.equal(served.result(20), expected)


@pytest.mark.parametrize(("family", "packed"), [("llama", True), ("gemma2", False)])
def test_the_packed_pass_is_taken_where_it_can_be(tiny, family: str, packed: bool) -> None:
    assert TrunkForward("tiny", load(tiny(family))).is_packed is packed


@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_no_positions_at_all_are_no_rows(tiny, family: str) -> None:
    assert TrunkForward("tiny", load(tiny(family))).hidden_states([[1, 2]], [[]]).shape[0] == 0


class Accumulating(torch.nn.Module):
    """A trunk whose state runs on from one packed sequence into the next, as that of a recurrent layer would."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(16, 8)
        self.config = SimpleNamespace(_attn_implementation=PACKED_ATTENTION, rope_parameters=None)

    def forward(self, input_ids: torch.Tensor, **anything: object) -> SimpleNamespace:
        return SimpleNamespace(last_hidden_state=self.embed(input_ids).cumsum(1))

    def set_attn_implementation(self, name: str) -> None:
        self.config._attn_implementation = name


def checkpoint_of(trunk: torch.nn.Module) -> Checkpoint:
    return Checkpoint(trunk, trunk, None, torch.float32, torch.device("cpu"), 64)


def test_a_trunk_that_mixes_neighbours_is_found_out() -> None:
    with torch.inference_mode():
        assert leaks_between_sequences(Accumulating())


def test_a_trunk_that_mixes_neighbours_runs_one_sequence_at_a_time(caplog) -> None:
    with caplog.at_level(logging.WARNING, logger="surefoot"):
        forward = TrunkForward("recurrent", checkpoint_of(Accumulating()))
    alone = forward.hidden_states([[3, 4]], [[1]])
    assert torch.equal(forward.hidden_states([[5, 6], [3, 4]], [[], [1]]), alone)
    assert "recurrent is scored one sequence at a time" in caplog.text


def test_a_trunk_without_hidden_states_is_damage() -> None:
    class Headed(Accumulating):
        def forward(self, input_ids: torch.Tensor) -> SimpleNamespace:
            return SimpleNamespace(logits=self.embed(input_ids))

    with pytest.raises(CheckpointDamaged, match="no hidden states"):
        TrunkForward("headed", checkpoint_of(Headed()))
