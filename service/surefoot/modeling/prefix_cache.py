"""Which prefixes are known, and in which slots of a pool their tokens' states lie.

A radix tree per adapter: a node is a run of tokens with a slot for each. A slot holds one token's keys, values and last
hidden state; who reads and writes them is the `StatePool`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from surefoot.forest import shared_prefix


@dataclass(slots=True, eq=False)
class _Node:
    parent: _Node | None
    token_ids: tuple[int, ...] = ()
    slots: tuple[int, ...] = ()
    added_in: int = 0
    used_in: int = 0
    """Numbers of passes."""
    children: dict[int, _Node] = field(default_factory=dict)


class PrefixCache:
    """Finds the longest known beginning of a sequence; the least recently used tokens go first.

    Belongs to one thread at a time.
    """

    def __init__(self, num_slots: int) -> None:
        # The slot that was let go last is taken first: memory that was never touched may stay so.
        self._free = list(range(num_slots - 1, -1, -1))
        self._num_slots = num_slots
        self._roots: dict[str | None, _Node] = {}
        # Oldest first. A node stands behind all of its children, so that the first one never has any.
        self._by_use: OrderedDict[_Node, None] = OrderedDict()
        self._pass = 0

    @property
    def num_tokens(self) -> int:
        """How many tokens are known."""
        return self._num_slots - len(self._free)

    @contextmanager
    def one_pass(self) -> Iterator[None]:
        """What is used within stays until its end, and what is added is forgotten where the pass fails: its slots were
        never written."""
        self._pass += 1
        try:
            yield
        except BaseException:
            for node in [node for node in self._by_use if node.added_in == self._pass]:
                self._remove(node)
            raise

    def known(self, adapter: str | None, token_ids: Sequence[int]) -> list[int]:
        """The slots of the longest known beginning of `token_ids`, from its first token on."""
        found: list[int] = []
        path = []
        node = self._roots.get(adapter)
        while node is not None and (child := self._next(node, token_ids, len(found))) is not None:
            shared = _shared(child, token_ids, len(found))
            found.extend(child.slots[:shared])
            path.append(child)
            node = child if shared == len(child.slots) else None
        self._used(path)
        return found

    def keep(self, adapter: str | None, token_ids: Sequence[int], *, start: int) -> tuple[int, ...]:
        """Slots for the tokens from `start` on, whose states the pass will compute; none where too few can be freed,
        or where what comes before them is not known."""
        node, depth, path = self._roots.setdefault(adapter, _Node(None)), 0, []
        while (child := self._next(node, token_ids, depth)) is not None:
            shared = _shared(child, token_ids, depth)
            node = child if shared == len(child.slots) else self._split(child, shared)
            path.append(node)
            depth += shared
        self._used(path)
        length = len(token_ids) - start
        if depth != start or not length or not self._make_room(length):
            return ()
        slots = tuple(self._free.pop() for _ in range(length))
        added = _Node(node, tuple(token_ids[start:]), slots, added_in=self._pass)
        node.children[token_ids[start]] = added
        self._used([*path, added])
        return slots

    @staticmethod
    def _next(node: _Node, token_ids: Sequence[int], depth: int) -> _Node | None:
        return node.children.get(token_ids[depth]) if depth < len(token_ids) else None

    def _split(self, node: _Node, length: int) -> _Node:
        """Part a node after `length` of its tokens; the upper part, which goes on in the lower one."""
        if node.parent is None:
            raise ValueError("a root holds no tokens")
        upper = _Node(node.parent, node.token_ids[:length], node.slots[:length], node.added_in)
        node.parent.children[upper.token_ids[0]] = upper
        node.parent, node.token_ids, node.slots = upper, node.token_ids[length:], node.slots[length:]
        upper.children[node.token_ids[0]] = node
        return upper

    def _used(self, path: Sequence[_Node]) -> None:
        for node in reversed(path):
            node.used_in = self._pass
            self._by_use[node] = None
            self._by_use.move_to_end(node)

    def _make_room(self, length: int) -> bool:
        """Whether so many slots are free, once the oldest tokens are gone that this pass does not use."""
        while len(self._free) < length:
            oldest = next(iter(self._by_use), None)
            if oldest is None or oldest.used_in == self._pass or length > self._num_slots:
                return False
            self._remove(oldest)
        return True

    def _remove(self, node: _Node) -> None:
        del self._by_use[node]
        self._free.extend(reversed(node.slots))
        if node.parent is not None:
            del node.parent.children[node.token_ids[0]]


def _shared(node: _Node, token_ids: Sequence[int], depth: int) -> int:
    return shared_prefix(node.token_ids, tuple(token_ids[depth : depth + len(node.slots)]))
