"""Sequences packed end to end give the hidden states that each gives alone."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
import torch
import transformers
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import plain_numbers
from plain_numbers import TOLERANCE, allowed_difference, bushes
from surefoot.modeling.packed_attention import PACKED_ATTENTION, UnsupportedAttention
from surefoot.modeling.packed_forward import packed_hidden_states, plain_hidden_states, rotates_by_longest

FAMILIES = {
    "llama": {},
    "qwen2": {},
    "mistral": {},
    "granite": {},
    "cohere": {},
    "qwen3": {},
    "gemma3": {},
    # Windows in one layer of two, in a family that rounds little.
    "qwen2 with windows": {"use_sliding_window": True, "sliding_window": 24, "max_window_layers": 1},
}


@dataclass(frozen=True)
class Trunks:
    """A family's trunk as packed passes need it, with transformers' own attention, and that in fp64."""

    family: str
    packed: torch.nn.Module
    plain: torch.nn.Module
    exact: torch.nn.Module


def open_trunk(directory, attention: str):
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, attn_implementation=attention)
    return model.eval().get_decoder()


@pytest.fixture(scope="module")
def trunks(tiny):
    """Those of a family, opened once."""
    opened: dict[str, Trunks] = {}

    def of(name: str) -> Trunks:
        if name not in opened:
            family = name.split()[0]
            directory = tiny(family, **FAMILIES[name])
            plain, exact = open_trunk(directory, "sdpa"), open_trunk(directory, "sdpa").double()
            opened[name] = Trunks(family, open_trunk(directory, PACKED_ATTENTION), plain, exact)
        return opened[name]

    return of


def sequences_of(lengths: Sequence[int]) -> list[list[int]]:
    random = torch.Generator().manual_seed(sum(lengths))
    return [torch.randint(0, 256, (length,), generator=random).tolist() for length in lengths]


def every_position(lengths: Sequence[int]) -> list[range]:
    return [range(length) for length in lengths]


def one_pass_each(trunk: torch.nn.Module, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
    return torch.cat([trunk(input_ids=torch.tensor([ids]), use_cache=False).last_hidden_state[0] for ids in sequences])


@torch.inference_mode()
def difference(trunks: Trunks, sequences: Sequence[Sequence[int]]) -> tuple[float, float]:
    """Of packed hidden states from those of one ordinary pass per sequence, and how much of that is allowed."""
    expected = one_pass_each(trunks.plain, sequences)
    found = packed_hidden_states(trunks.packed, sequences, every_position([len(ids) for ids in sequences]))
    assert found.shape == expected.shape
    allowed = allowed_difference(trunks.family, expected, one_pass_each(trunks.exact, sequences))
    return float((found - expected).abs().max()), allowed


def assert_plain_numbers(trunks: Trunks, sequences: Sequence[Sequence[int]]) -> None:
    found, allowed = difference(trunks, sequences)
    assert found <= allowed


@pytest.mark.parametrize("family", ["llama", "qwen2", "mistral", "granite", "cohere"])
@given(lengths=st.lists(st.integers(1, 90), min_size=1, max_size=6))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_packed_equals_plain_at_every_position(trunks, family: str, lengths: list[int]) -> None:
    assert_plain_numbers(trunks(family), sequences_of(lengths))


@pytest.mark.parametrize("family", FAMILIES)
@given(sequences=bushes())
@example(sequences=plain_numbers.ONE_TOKEN)
@example(sequences=plain_numbers.ONE_TOKEN_TWICE_AND_LONGER)
@example(sequences=plain_numbers.BEGINNINGS_OF_ANOTHER)
@example(sequences=plain_numbers.REPEATED)
@example(sequences=plain_numbers.PARTED_BEHIND_WINDOWS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_shared_prefixes_give_the_plain_numbers(trunks, family: str, sequences: list[list[int]]) -> None:
    assert_plain_numbers(trunks(family), sequences)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("place", [3, 70, -1])
def test_one_token_at_a_wrong_position_is_no_rounding(trunks, family: str, place: int) -> None:
    """What is allowed must not hide it."""
    opened = trunks(family)

    def shifted(_: torch.nn.Module, given: tuple, named: dict) -> tuple[tuple, dict]:
        positions = named["position_ids"].clone()
        positions[0, place] += 1
        return given, named | {"position_ids": positions}

    hook = opened.packed.register_forward_pre_hook(shifted, with_kwargs=True)
    try:
        found, allowed = difference(opened, plain_numbers.PARTED_BEHIND_WINDOWS)
    finally:
        hook.remove()
    assert found > 100 * allowed


@pytest.mark.parametrize("lengths", [[1], [1, 1, 1], [1, 60], [60, 1]])
def test_single_tokens_pack(trunks, lengths: list[int]) -> None:
    assert_plain_numbers(trunks("llama"), sequences_of(lengths))


@pytest.mark.parametrize("lengths", [[47, 48, 49], [48], [200, 3]])
def test_sliding_window_is_kept_within_each_sequence(trunks, lengths: list[int]) -> None:
    assert_plain_numbers(trunks("mistral"), sequences_of(lengths))


@pytest.mark.parametrize("window", [47, 49, 4096])
def test_sliding_window_matters_at_these_lengths(tiny, trunks, window: int) -> None:
    """One token more or less is already seen."""
    other = open_trunk(tiny("mistral", sliding_window=window), "sdpa")
    found, allowed = difference(
        replace(trunks("mistral"), plain=other, exact=copy.deepcopy(other).double()), [*sequences_of([200])]
    )
    assert found > 100 * allowed


def test_only_wanted_positions_are_given_in_order(trunks) -> None:
    packed = trunks("llama").packed
    sequences = sequences_of([7, 3, 12])
    with torch.inference_mode():
        everything = packed_hidden_states(packed, sequences, every_position([7, 3, 12]))
        wanted = packed_hidden_states(packed, sequences, [[2, 6], [], [0, 11]])
    assert torch.equal(wanted, everything[[2, 6, 10, 21]])


def test_neighbours_do_not_leak_into_a_sequence(trunks) -> None:
    packed = trunks("llama").packed
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
