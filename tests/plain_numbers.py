"""How near a pass that shares, packs or keeps work must come to ordinary ones, and the inputs that try it hardest."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from hypothesis import strategies as st

TOLERANCE = 1e-5
"""What is promised in fp32."""

STEADY = frozenset({"qwen2", "qwen3", "cohere"})
"""Tiny families whose ordinary fp32 pass stays well within that of fp64 for whatever tokens: nothing excuses more."""

_OTHER_ROUNDINGS = 4.0
_MOST_ROUNDING = 5e-4


def allowed_difference(family: str, plain: torch.Tensor, exact: torch.Tensor) -> float:
    """How far hidden states may be from `plain`, the ordinary pass in fp32, of which `exact` is the one in fp64.

    Random weights make some families' attention so sharp that rounding alone moves it by more than is promised: there
    another order of the same sums is as far from `plain` as that is from `exact`. A search for the worst case found up
    to 2.2 times as far; twice that is still a hundredth of what one token at a wrong place does.
    """
    if family in STEADY:
        return TOLERANCE
    rounding = float((plain - exact).abs().max())
    # Far more is no rounding but another model, which would excuse anything.
    assert rounding <= _MOST_ROUNDING
    return max(TOLERANCE, _OTHER_ROUNDINGS * rounding)


@st.composite
def bushes(draw: st.DrawFn, *, most: int = 7, longest: int = 70) -> list[list[int]]:
    """Sequences that go on from a part of earlier ones, are such a part, repeat them or begin anew."""
    found: list[list[int]] = []
    for _ in range(draw(st.integers(1, most))):
        stem = draw(st.sampled_from(found)) if found else []
        kept = stem[: draw(st.integers(0, len(stem)))]
        # A list of any size would nearly always be too short to leave a window.
        length = draw(st.integers(0 if kept else 1, longest))
        found.append(kept + draw(st.lists(st.integers(0, 255), min_size=length, max_size=length)))
    return found


_STEM = [7 * place * place % 251 for place in range(100)]
ONE_TOKEN = [[5]]
ONE_TOKEN_TWICE_AND_LONGER = [[5], [5, 6], [5], [6]]
BEGINNINGS_OF_ANOTHER = [_STEM[:40], _STEM[:1], _STEM[:39], _STEM[:20]]
REPEATED = [_STEM[:30], _STEM[:30], [*_STEM[:30], 9], [*_STEM[:30], 9]]
PARTED_BEHIND_WINDOWS = [[*_STEM, 1, 2, 3], [*_STEM, 4], _STEM[:60], [*_STEM[:60], *_STEM[:60]]]

ADAPTERS = ("one", "two")


@dataclass(frozen=True)
class Call:
    """One call of a trunk that keeps what it computes."""

    sequences: list[list[int]]
    positions: list[list[int]]
    adapter: str | None
    fails: bool


@st.composite
def histories(draw: st.DrawFn) -> list[Call]:
    """Calls whose sequences are of one bush: they repeat, begin and go on from what came before."""
    bush = draw(bushes(most=6, longest=50))
    return [draw(_calls(bush)) for _ in range(draw(st.integers(3, 6)))]


@st.composite
def _calls(draw: st.DrawFn, bush: list[list[int]]) -> Call:
    sequences = draw(st.lists(st.sampled_from(bush), min_size=1, max_size=4))
    every = st.integers(0, 3).map(bool)
    # Some positions only, now and then: any token that a cache got wrong is to be seen.
    positions = [
        list(range(len(ids))) if draw(every) else sorted(draw(st.sets(st.integers(0, len(ids) - 1), max_size=6)))
        for ids in sequences
    ]
    adapter = draw(st.sampled_from([None, None, *ADAPTERS]))
    return Call(sequences, positions, adapter, fails=draw(st.integers(0, 5)) == 0)
