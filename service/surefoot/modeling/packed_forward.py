"""One forward pass over many sequences without padding, each distinct prefix of them once.

The tokens of a prefix forest lie end to end in one row: linear layers and norms see every token once, position ids are
its depths in the forest, and attention is computed by `packed_attention`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from surefoot.forest import grow_forest, separate_trees
from surefoot.modeling.chunked_attention import BLOCK
from surefoot.modeling.forest_layout import ForestLayout
from surefoot.modeling.forest_store import ForestStore, kept_slots, known_slots
from surefoot.modeling.state_pool import KeyValue, StatePool
from surefoot.modeling.transfer import on_device


def packed_hidden_states(
    trunk: torch.nn.Module,
    sequences: Sequence[Sequence[int]],
    positions: Sequence[Sequence[int]],
    *,
    share_prefixes: bool = True,
) -> torch.Tensor:
    """Last hidden states at the wanted positions of all sequences, [sum of positions, hidden], in order.

    `trunk` is a decoder of transformers whose attention is `PACKED_ATTENTION`.
    """
    block = exact_block(trunk)
    plan = grow_forest if share_prefixes else separate_trees
    store = ForestStore(plan(sequences, block=block))
    hidden = packed_pass(trunk, store, ForestLayout(store))
    return hidden[wanted_places(store, positions, hidden)]


def cached_hidden_states(
    trunk: torch.nn.Module,
    sequences: Sequence[Sequence[int]],
    positions: Sequence[Sequence[int]],
    pool: StatePool,
    adapter: str | None,
) -> tuple[torch.Tensor, list[int]]:
    """The same, where beginnings that the pool knows are not computed again, and what is computed is kept in it; and
    how many tokens of each sequence were known. `adapter` names the values that it is computed with."""
    forest = grow_forest(sequences, block=exact_block(trunk))
    with pool.prefixes.one_pass():
        num_known, known = known_slots(pool.prefixes, adapter, forest)
        store = ForestStore(forest, num_known)
        states = pool.through(known, kept_slots(pool.prefixes, adapter, store))
        layout = ForestLayout(store, states)
        hidden = states.joined_hidden(packed_pass(trunk, store, layout) if layout.branches else None)
    counts = [store.num_known_of(number, len(sequence)) for number, sequence in enumerate(sequences)]
    return hidden[wanted_places(store, positions, hidden)], counts


def new_pool(trunk: torch.nn.Module, budget_bytes: int) -> StatePool:
    """An empty pool for what passes of `trunk` compute; their shapes are seen in a pass of one token."""
    layout = _Noted(ForestStore(grow_forest([[0]])))
    hidden = packed_pass(trunk, layout.store, layout)
    return StatePool(budget_bytes, layout.noted, hidden)


class _Noted(ForestLayout):
    """Remembers each layer's keys and values."""

    def __init__(self, store: ForestStore) -> None:
        super().__init__(store)
        self.store = store
        self.noted: list[KeyValue] = []

    def stored(self, key: torch.Tensor, value: torch.Tensor) -> KeyValue:
        self.noted.append((key, value))
        return key, value


def exact_block(trunk: torch.nn.Module) -> int:
    """The block behind whose last whole one `trunk` computes a sequence's tokens to bits of their own."""
    parameter = next(trunk.parameters())
    return BLOCK if parameter.is_cpu and parameter.dtype != torch.float32 else 1


def packed_pass(
    trunk: torch.nn.Module, store: ForestStore, layout: ForestLayout, embeddings: torch.Tensor | None = None
) -> torch.Tensor:
    """The last hidden states of the tokens that a store has to compute, [tokens, hidden].

    `embeddings`, [tokens, hidden], stand for the token ids where they are given.
    """
    device = next(trunk.parameters()).device
    if embeddings is None:
        given = {"input_ids": on_device(store.token_ids(), device).unsqueeze(0)}
    else:
        given = {"inputs_embeds": embeddings.unsqueeze(0)}
    depths = on_device(store.depths(), device).unsqueeze(0)
    found = trunk(**given, position_ids=depths, use_cache=False, forest_layout=layout)
    hidden: torch.Tensor = found.last_hidden_state[0]
    return hidden


def wanted_places(store: ForestStore, positions: Sequence[Sequence[int]], like: torch.Tensor) -> torch.Tensor:
    """Where in the store the wanted positions of all sequences lie, on the device of `like`."""
    places = [place for number, some in enumerate(positions) for place in store.places(number, some)]
    return on_device(places, like.device)


def leaks_between_sequences(trunk: torch.nn.Module) -> bool:
    """Whether packed neighbours move a sequence's hidden states, as they do where layers other than attention mix
    tokens (state spaces, convolutions, linear attention), which do not know where a sequence ends."""
    alone = packed_hidden_states(trunk, [[3, 4]], [[0, 1]]).float()
    # In this order: what leaks comes from what lies before.
    behind = packed_hidden_states(trunk, [[5, 6, 7], [3, 4]], [[], [0, 1]], share_prefixes=False).float()
    # Far above what bf16 rounds otherwise in a longer pass, far below what another context does.
    return bool((alone - behind).abs().max() > 0.05 * alone.abs().max())


def same_bits_in_company(trunk: torch.nn.Module) -> bool:
    """Whether sequences of several lengths give, in one pass with others of their beginning, the bits that they give
    alone."""
    size = trunk.config.vocab_size
    long = [(7 * place * place + 3 * place) % size for place in range(300)]
    sequences = [[*long[:shared], *((token + 1) % size for token in long[shared:length])] for shared, length in _TRIAL]
    positions = [range(len(sequence)) for sequence in sequences]
    together = packed_hidden_states(trunk, sequences, positions).split([len(sequence) for sequence in sequences])
    return all(
        torch.equal(packed_hidden_states(trunk, [sequence], [range(len(sequence))]), part)
        for sequence, part in zip(sequences, together, strict=True)
    )


_TRIAL = ((0, 5), (0, 33), (64, 120), (100, 131), (200, 260), (200, 300), (128, 200))
"""Shared beginnings and lengths: within, at and across the blocks of the kernels."""


def rotates_by_longest(config: Any) -> bool:
    """Whether rotary positions depend on the longest sequence of a pass (LongRoPE), so that neighbours would matter."""
    given = getattr(config, "rope_parameters", None) or {}
    per_layer_type = [part for part in given.values() if isinstance(part, dict)]
    return any(part.get("rope_type") == "longrope" for part in per_layer_type or [given])


def plain_hidden_states(
    trunk: torch.nn.Module, sequences: Sequence[Sequence[int]], positions: Sequence[Sequence[int]]
) -> torch.Tensor:
    """The same by one ordinary forward pass per sequence, for models whose attention cannot be packed."""
    device = next(trunk.parameters()).device
    parts = []
    for sequence, wanted in zip(sequences, positions, strict=True):
        hidden = trunk(input_ids=on_device(list(sequence), device).unsqueeze(0), use_cache=False).last_hidden_state[0]
        parts.append(hidden[on_device(list(wanted), device)])
    return torch.cat(parts)
