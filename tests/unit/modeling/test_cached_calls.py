"""Whatever was asked before, and whatever had to go since, hidden states are those of ordinary passes."""

import copy
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from plain_numbers import ADAPTERS, TOLERANCE, Call, allowed_difference, histories
from surefoot.forest import count_unique_tokens, shared_prefix
from surefoot.modeling.adapters import Adapter, LowRank
from surefoot.modeling.checkpoint import Checkpoint, load_checkpoint
from surefoot.modeling.packed_attention import PACKED_ATTENTION
from surefoot.modeling.trunk_forward import TrunkForward

BYTES_A_TOKEN = {"float32": 768, "bfloat16": 384}
"""Of the tiny models: keys and values of two heads of 16 in two layers, and 64 hidden values."""
# Less than most histories have, next to nothing, and more than any has.
BUDGETS = st.sampled_from([60, 1, 10_000, 120])


def small_adapter(name: str) -> Adapter:
    random = torch.Generator().manual_seed(len(name) + ord(name[0]))
    down, up = (torch.randn(*shape, generator=random) * 0.1 for shape in ((2, 64), (96, 2)))
    return Adapter(name, None, {f"model.layers.{layer}.mlp.up_proj": LowRank(down, up, 1.0) for layer in (0, 1)})


def opened(checkpoint: Checkpoint, *, tokens: int = 0, dtype: str = "float32") -> tuple[TrunkForward, Checkpoint]:
    """A forward whose cache is empty, on a copy of the weights: adapters change the layers that they are applied to."""
    model = copy.deepcopy(checkpoint.model)
    own = replace(checkpoint, model=model, trunk=model.get_decoder())
    forward = TrunkForward("tiny", own, prefix_cache_bytes=tokens * BYTES_A_TOKEN[dtype])
    for name in ADAPTERS:
        forward.add_adapter(name, small_adapter(name))
    return forward, own


@dataclass
class Remembered:
    """What a cache may know, and what a roomy one has to."""

    budget: int
    tried: dict[str | None, list[list[int]]] = field(default_factory=dict)
    done: dict[str | None, list[list[int]]] = field(default_factory=dict)

    def check(self, call: Call, known: Sequence[int]) -> None:
        for ids, count in zip(call.sequences, known, strict=True):
            assert count <= self._shared(self.tried, call.adapter, ids)
            assert self.budget < 10_000 or count >= self._shared(self.done, call.adapter, ids)
        kept = [ids[:count] for ids, count in zip(call.sequences, known, strict=True)]
        assert count_unique_tokens(kept) <= self.budget

    def add(self, call: Call, *, done: bool) -> None:
        self.tried.setdefault(call.adapter, []).extend(call.sequences)
        if done:
            self.done.setdefault(call.adapter, []).extend(call.sequences)

    @staticmethod
    def _shared(by_adapter: dict[str | None, list[list[int]]], adapter: str | None, ids: list[int]) -> int:
        return max((shared_prefix(ids, other) for other in by_adapter.get(adapter, [])), default=0)


def no_memory(*_: object) -> None:
    raise RuntimeError("no memory")


def answers(
    forward: TrunkForward, own: Checkpoint, calls: Sequence[Call]
) -> list[tuple[Call, torch.Tensor, list[int]]]:
    """What each call gave, of those that were not made to fail in the midst of their pass."""
    found = []
    for call in calls:
        hook = own.trunk.layers[1].register_forward_pre_hook(no_memory) if call.fails else None
        # One that is known altogether needs no pass, and fails in none.
        with suppress(RuntimeError if call.fails else ()):
            found.append((call, *forward.cached_hidden_states(call.sequences, call.positions, adapter=call.adapter)))
        if hook is not None:
            hook.remove()
    return found


def check_remembered(calls: Sequence[Call], given: Sequence[tuple[Call, torch.Tensor, list[int]]], budget: int) -> None:
    known_by_call = {id(call): known for call, _, known in given}
    remembered = Remembered(budget)
    for call in calls:
        if id(call) in known_by_call:
            remembered.check(call, known_by_call[id(call)])
        remembered.add(call, done=id(call) in known_by_call)


@pytest.fixture(scope="module")
def checkpoints(tiny) -> Callable[[str, str], Checkpoint]:
    """Loaded once; the tests compute with copies."""
    loaded: dict[tuple[str, str], Checkpoint] = {}

    def of(family: str, dtype: str) -> Checkpoint:
        if (family, dtype) not in loaded:
            loaded[family, dtype] = load_checkpoint(
                tiny(family), "causal_lm", dtype=dtype, device="cpu", attention=PACKED_ATTENTION
            )
        return loaded[family, dtype]

    return of


@pytest.fixture(scope="module")
def ordinary(checkpoints) -> Callable[[str], tuple[TrunkForward, TrunkForward]]:
    """What there is to be compared with, in fp32 and in fp64."""
    made: dict[str, tuple[TrunkForward, TrunkForward]] = {}

    def of(family: str) -> tuple[TrunkForward, TrunkForward]:
        if family not in made:
            plain, _ = opened(checkpoints(family, "float32"))
            exact, own = opened(checkpoints(family, "float32"))
            own.model.double()
            made[family] = plain, exact
        return made[family]

    return of


@pytest.mark.parametrize("family", ["qwen2", "mistral", "gemma3"])
@given(calls=histories(), budget=BUDGETS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_gives_the_plain_numbers(
    checkpoints, ordinary, family: str, calls: list[Call], budget: int
) -> None:
    """Mistral's and Gemma's windows are shorter than the sequences become."""
    checkpoint = checkpoints(family, "float32")
    given_answers = answers(*opened(checkpoint, tokens=budget), calls)
    check_remembered(calls, given_answers, budget)
    plain, exact = ordinary(family)
    for call, found, _ in given_answers:
        wanted = call.sequences, call.positions
        expected = plain.plain_hidden_states(*wanted, adapter=call.adapter)
        assert found.shape == expected.shape
        if len(expected):
            allowed = allowed_difference(family, expected, exact.plain_hidden_states(*wanted, adapter=call.adapter))
            assert float((found - expected).abs().max()) <= allowed


@given(calls=histories(), budget=BUDGETS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_gives_the_bits_of_each_alone_in_bf16(checkpoints, calls: list[Call], budget: int) -> None:
    checkpoint = checkpoints("llama", "bfloat16")
    caching, own = opened(checkpoint, tokens=budget, dtype="bfloat16")
    # Not every machine's products can.
    assume(caching.gives_same_bits())
    alone, _ = opened(checkpoint)
    for call, found, known in answers(caching, own, calls):
        each = [
            alone.hidden_states([ids], [positions], adapter=call.adapter)
            for ids, positions in zip(call.sequences, call.positions, strict=True)
        ]
        assert torch.equal(found, torch.cat(each))
        kept = [ids[:count] for ids, count in zip(call.sequences, known, strict=True)]
        assert count_unique_tokens(kept) <= budget


@pytest.mark.parametrize(("budget", "most"), [(60, 60), (10_000, 100)])
def test_what_does_not_fit_the_budget_is_forgotten(checkpoints, budget: int, most: int) -> None:
    forward, _ = opened(checkpoints("llama", "float32"), tokens=budget)
    sequences = [list(range(50)), list(range(100, 150))]
    known = [forward.cached_hidden_states([ids], [[49]])[1][0] for ids in (*sequences, *sequences)]
    assert known[:2] == [0, 0]
    assert 0 <= sum(forward.cached_hidden_states(sequences, [[49], [49]])[1]) <= most
    assert budget < 10_000 or known[2:] == [50, 50]


def test_what_a_pass_reads_is_not_given_away_meanwhile(checkpoints, ordinary) -> None:
    """What is new to the second call has room only where what it knows already lies."""
    forward, _ = opened(checkpoints("qwen2", "float32"), tokens=60)
    known, new = list(range(40)), list(range(100, 150))
    forward.cached_hidden_states([known], [[39]])
    wanted = [known, new, [*known, 7]], [range(40), range(50), range(41)]
    found, _ = forward.cached_hidden_states(*wanted)
    assert float((found - ordinary("qwen2")[0].plain_hidden_states(*wanted)).abs().max()) <= TOLERANCE
