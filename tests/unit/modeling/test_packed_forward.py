"""Sequences packed end to end give the hidden states that each gives alone."""

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surefoot.forest import separate_trees
from surefoot.modeling.forest_layout import ForestLayout
from surefoot.modeling.forest_store import ForestStore
from surefoot.modeling.packed_attention import PACKED_ATTENTION, UnsupportedAttention, packed_attention
from surefoot.modeling.packed_forward import packed_hidden_states, plain_hidden_states, rotates_by_longest

TOLERANCE = 2e-5
FAMILIES = ["llama", "qwen2", "mistral", "granite", "cohere"]


def open_trunk(directory, attention: str):
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, attn_implementation=attention)
    return model.eval().get_decoder()


@pytest.fixture(scope="module")
def trunks(tiny):
    """The packed and the plain trunk of a family, opened once."""
    opened = {}

    def both(family: str):
        if family not in opened:
            opened[family] = open_trunk(tiny(family), PACKED_ATTENTION), open_trunk(tiny(family), "sdpa")
        return opened[family]

    return both


def sequences_of(lengths: Sequence[int]) -> list[list[int]]:
    random = torch.Generator().manual_seed(sum(lengths))
    return [torch.randint(0, 256, (length,), generator=random).tolist() for length in lengths]


def layout_of(lengths: Sequence[int]) -> ForestLayout:
    return ForestLayout(ForestStore(separate_trees([range(length) for length in lengths])))


def every_position(lengths: Sequence[int]) -> list[range]:
    return [range(length) for length in lengths]


def largest_difference(trunks, lengths: Sequence[int]) -> float:
    return largest_difference_of(trunks, sequences_of(lengths))


@torch.inference_mode()
def largest_difference_of(trunks, sequences: Sequence[Sequence[int]]) -> float:
    """Of packed from plain hidden states, where the plain ones come from one ordinary pass per sequence."""
    packed, plain = trunks
    expected = torch.cat(
        [plain(input_ids=torch.tensor([ids]), use_cache=False).last_hidden_state[0] for ids in sequences]
    )
    found = packed_hidden_states(packed, sequences, every_position([len(ids) for ids in sequences]))
    assert found.shape == expected.shape
    return float((found - expected).abs().max())


@pytest.mark.parametrize("family", FAMILIES)
@given(lengths=st.lists(st.integers(1, 90), min_size=1, max_size=6))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_packed_equals_plain_at_every_position(trunks, family: str, lengths: list[int]) -> None:
    assert largest_difference(trunks(family), lengths) <= TOLERANCE


@st.composite
def bushes(draw) -> list[list[int]]:
    """Sequences that branch off earlier ones, repeat them or begin anew."""
    found: list[list[int]] = []
    for _ in range(draw(st.integers(1, 7))):
        stem = draw(st.sampled_from(found)) if found else []
        kept = stem[: draw(st.integers(0, len(stem)))]
        grown = kept + draw(st.lists(st.integers(0, 255), min_size=0 if kept else 1, max_size=70))
        found.append(grown)
    return found


@pytest.mark.parametrize("family", [*FAMILIES, "qwen3", "gemma3"])
@given(sequences=bushes())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_shared_prefixes_give_the_plain_numbers(trunks, family: str, sequences: list[list[int]]) -> None:
    assert largest_difference_of(trunks(family), sequences) <= TOLERANCE


@pytest.mark.parametrize("lengths", [[1], [1, 1, 1], [1, 60], [60, 1]])
def test_single_tokens_pack(trunks, lengths: list[int]) -> None:
    assert largest_difference(trunks("llama"), lengths) <= TOLERANCE


@pytest.mark.parametrize("lengths", [[47, 48, 49], [48], [200, 3]])
def test_sliding_window_is_kept_within_each_sequence(trunks, lengths: list[int]) -> None:
    assert largest_difference(trunks("mistral"), lengths) <= TOLERANCE


def test_sliding_window_matters_at_these_lengths(tiny, trunks) -> None:
    wide = open_trunk(tiny("mistral", sliding_window=4096), "sdpa")
    assert largest_difference((trunks("mistral")[0], wide), [200]) > 100 * TOLERANCE


def test_only_wanted_positions_are_given_in_order(trunks) -> None:
    packed, _ = trunks("llama")
    sequences = sequences_of([7, 3, 12])
    with torch.inference_mode():
        everything = packed_hidden_states(packed, sequences, every_position([7, 3, 12]))
        wanted = packed_hidden_states(packed, sequences, [[2, 6], [], [0, 11]])
    assert torch.equal(wanted, everything[[2, 6, 10, 21]])


def test_neighbours_do_not_leak_into_a_sequence(trunks) -> None:
    packed, _ = trunks("llama")
    first, others = sequences_of([20])[0], sequences_of([30, 40])
    with torch.inference_mode():
        before = packed_hidden_states(packed, [first, others[0]], [range(20), []])
        after = packed_hidden_states(packed, [first, others[1]], [range(20), []])
    assert float((before - after).abs().max()) <= TOLERANCE


def test_plain_path_equals_one_pass_a_sequence(tiny) -> None:
    trunk = open_trunk(tiny("gemma2"), "eager")
    sequences = sequences_of([5, 1, 30])
    with torch.inference_mode():
        expected = [trunk(input_ids=torch.tensor([ids])).last_hidden_state[0, -1] for ids in sequences]
        found = plain_hidden_states(trunk, sequences, [[4], [0], [29]])
    assert torch.allclose(found, torch.stack(expected), atol=TOLERANCE)


def test_soft_caps_are_refused(tiny) -> None:
    packed = open_trunk(tiny("gemma2"), PACKED_ATTENTION)
    with torch.inference_mode(), pytest.raises(UnsupportedAttention, match="softcap"):
        packed_hidden_states(packed, [[0, 0]], [[1]])


@pytest.mark.parametrize(
    "extra", [{"s_aux": torch.ones(2)}, {"attention_mask": torch.ones(1, 1, 3, 3)}, {"dropout": 0.1}]
)
def test_what_would_change_attention_is_refused(extra: dict) -> None:
    query = torch.zeros(1, 2, 3, 4)
    arguments = {"attention_mask": None, "forest_layout": layout_of([3])} | extra
    with pytest.raises(UnsupportedAttention):
        packed_attention(torch.nn.Identity(), query, query, query, **arguments)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (None, False),
        ({"rope_type": "default"}, False),
        ({"rope_type": "longrope"}, True),
        ({"full_attention": {"rope_type": "longrope"}, "sliding_attention": {"rope_type": "default"}}, True),
        ({"full_attention": {"rope_type": "default"}}, False),
    ],
)
def test_rotations_by_the_longest_sequence_are_recognised(parameters, expected: bool) -> None:
    assert rotates_by_longest(SimpleNamespace(rope_parameters=parameters)) is expected


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
