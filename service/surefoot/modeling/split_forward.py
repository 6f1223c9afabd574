"""A forward pass in two parts: what the lower layers of a trunk give can be kept where only upper ones change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from surefoot.forest import separate_trees
from surefoot.modeling.forest_layout import ForestLayout
from surefoot.modeling.forest_store import ForestStore
from surefoot.modeling.packed_forward import packed_hidden_states, packed_pass, wanted_places


def layer_inputs(trunk: torch.nn.Module, sequences: Sequence[Sequence[int]], layer: int) -> list[torch.Tensor]:
    """What the layer at that place is given for each sequence, [tokens, hidden] in the trunk's type.

    One packed pass, of the layers below alone.
    """
    found: list[torch.Tensor] = []

    def stop(_module: torch.nn.Module, args: tuple[torch.Tensor, ...], named: dict[str, torch.Tensor]) -> None:
        found.append((args[0] if args else named["hidden_states"])[0])
        raise _ReachedLayer

    trunk_: Any = trunk
    hook = trunk_.layers[layer].register_forward_pre_hook(stop, with_kwargs=True)
    try:
        packed_hidden_states(trunk, sequences, [[] for _ in sequences], share_prefixes=False)
    except _ReachedLayer:
        pass
    finally:
        hook.remove()
    return list(found[0].split([len(sequence) for sequence in sequences]))


def packed_hidden_states_above(
    trunk: torch.nn.Module, layer: int, inputs: Sequence[torch.Tensor], positions: Sequence[Sequence[int]]
) -> torch.Tensor:
    """Last hidden states at the wanted positions, [sum of positions, hidden], of what `layer_inputs` gave for each
    sequence, by the layers from `layer` on."""
    device = next(trunk.parameters()).device
    flat = torch.cat([part.to(device) for part in inputs])
    store = ForestStore(separate_trees([range(len(part)) for part in inputs]))
    with _beginning_at(trunk, layer):
        hidden = packed_pass(trunk, store, ForestLayout(store), flat)
    return hidden[wanted_places(store, positions, hidden)]


def can_be_split(trunk: torch.nn.Module, layer: int) -> bool:
    """Whether both parts together are the whole: not where embeddings are scaled on their way in, as Gemma's are, or
    where the layers are kept under another name."""
    with torch.inference_mode():
        try:
            whole = packed_hidden_states(trunk, [[3, 4, 5]], [[0, 1, 2]]).float()
            parts = packed_hidden_states_above(trunk, layer, layer_inputs(trunk, [[3, 4, 5]], layer), [[0, 1, 2]])
        except (AttributeError, TypeError, IndexError):
            return False
    return bool((whole - parts.float()).abs().max() <= 1e-3 * whole.abs().max())


class _ReachedLayer(Exception):
    """The pass has come as far as it should."""


@contextmanager
def _beginning_at(trunk: Any, layer: int) -> Iterator[None]:
    layers = trunk.layers
    trunk.layers = layers[layer:]
    try:
        yield
    finally:
        trunk.layers = layers
