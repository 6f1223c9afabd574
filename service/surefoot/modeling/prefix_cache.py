"""Keys, values and last hidden states of prefixes that were computed before, within a budget of memory.

A radix tree per adapter: a node is a run of tokens with what a pass computed for them. Hidden states are kept beside
keys and values because earlier steps are read again, at positions that no later pass computes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from surefoot.forest import shared_prefix


@dataclass(slots=True, eq=False)
class States:
    """What one pass computed for a run of tokens: `key_values` [layers, 2, key heads, tokens, dim] and `hidden`
    [tokens, hidden]."""

    key_values: torch.Tensor
    hidden: torch.Tensor

    def __getitem__(self, tokens: slice) -> States:
        return States(self.key_values[:, :, :, tokens], self.hidden[tokens])

    @property
    def num_tokens(self) -> int:
        return len(self.hidden)

    @property
    def num_bytes(self) -> int:
        return int(self.key_values.nbytes + self.hidden.nbytes)

    @staticmethod
    def joined(pieces: Sequence[States]) -> States | None:
        """One after the other; `None` of none."""
        if not pieces:
            return None
        key_values = torch.cat([piece.key_values for piece in pieces], dim=3)
        return States(key_values, torch.cat([piece.hidden for piece in pieces]))

    def copy(self) -> States:
        """Memory of its own: a part of a pass would keep the whole pass's."""
        return States(self.key_values.clone(), self.hidden.clone())


@dataclass(slots=True, eq=False)
class _Node:
    parent: _Node | None
    token_ids: tuple[int, ...] = ()
    states: States | None = None
    children: dict[int, _Node] = field(default_factory=dict)


class PrefixCache:
    """Finds the longest known beginning of a sequence; the least recently used tokens go first.

    Belongs to one thread at a time. `budget_bytes` bounds the tensors that are kept; what does not fit is not kept.
    """

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._roots: dict[str | None, _Node] = {}
        # Oldest first. A node stands behind all of its children, so that the first one never has any.
        self._by_use: OrderedDict[_Node, None] = OrderedDict()
        self._num_bytes = 0

    @property
    def num_bytes(self) -> int:
        """Bytes of the tensors that are kept."""
        return self._num_bytes

    def known(self, adapter: str | None, token_ids: Sequence[int]) -> list[States]:
        """States of the longest known beginning of `token_ids`, in pieces from its first token on."""
        pieces, path = [], []
        node, depth = self._roots.get(adapter), 0
        while node is not None and depth < len(token_ids):
            child = node.children.get(token_ids[depth])
            if child is None or child.states is None:
                break
            shared = shared_prefix(child.token_ids, tuple(token_ids[depth : depth + len(child.token_ids)]))
            pieces.append(child.states[:shared])
            path.append(child)
            depth += shared
            node = child if shared == len(child.token_ids) else None
        self._used(path)
        return pieces

    def keep(self, adapter: str | None, token_ids: Sequence[int], states: States, *, start: int) -> None:
        """Keep what was computed for `token_ids` from `start` on; what is before it should be known by now.

        Where some of it is known already, or what comes before was dropped meanwhile, only what fits on is kept.
        """
        node, depth, path = self._roots.setdefault(adapter, _Node(None)), 0, []
        while depth < len(token_ids) and (child := node.children.get(token_ids[depth])) is not None:
            shared = shared_prefix(child.token_ids, tuple(token_ids[depth : depth + len(child.token_ids)]))
            node = child if shared == len(child.token_ids) else self._split(child, shared)
            path.append(node)
            depth += shared
        if start <= depth < len(token_ids) and self._make_room(states[depth - start :].num_bytes, path):
            added = _Node(node, tuple(token_ids[depth:]), states[depth - start :].copy())
            node.children[token_ids[depth]] = added
            self._num_bytes += _bytes_of(added)
            path.append(added)
        self._used(path)

    def _split(self, node: _Node, length: int) -> _Node:
        """Part a node after `length` of its tokens; the upper part, which goes on in the lower one."""
        states, parent = node.states, node.parent
        if states is None or parent is None:
            raise ValueError("a root holds no tokens")
        upper = _Node(parent, node.token_ids[:length], states[:length].copy())
        parent.children[upper.token_ids[0]] = upper
        node.parent, node.token_ids, node.states = upper, node.token_ids[length:], states[length:].copy()
        upper.children[node.token_ids[0]] = node
        self._by_use[upper] = None
        return upper

    def _used(self, path: Sequence[_Node]) -> None:
        for node in reversed(path):
            self._by_use[node] = None
            self._by_use.move_to_end(node)

    def _make_room(self, num_bytes: int, path: Sequence[_Node]) -> bool:
        """Whether so much more fits, once the oldest are gone that are not needed for it."""
        self._used(path)
        needed = set(path)
        while self._num_bytes + num_bytes > self._budget:
            oldest = next(iter(self._by_use), None)
            if oldest is None or oldest in needed or num_bytes > self._budget:
                return False
            self._remove(oldest)
        return True

    def _remove(self, node: _Node) -> None:
        del self._by_use[node]
        self._num_bytes -= _bytes_of(node)
        if node.parent is not None:
            del node.parent.children[node.token_ids[0]]


def _bytes_of(node: _Node) -> int:
    return 0 if node.states is None else node.states.num_bytes
