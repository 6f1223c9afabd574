"""The shipped fake: a Backend without weights, whose values depend on nothing but the tokens and the head's name."""

from __future__ import annotations

import hashlib
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from surefoot.domain import Forwarded, ForwardItem, Rows

DEFAULT_NUM_COLUMNS = 2


class FakeBackend:
    """A Backend that hashes: like a causal model, a row depends on the tokens up to its position only.

    An input therefore gets the same rows alone, in any batch, in any process and on any machine. Columns of a head
    are `num_columns[head]`, else 2; values lie in [-4, 4). `batches` records what was forwarded, failed calls
    included, in order. A call lasts `forward_delay_s`, and `token_delay_s` for each token. `forward` belongs to one
    thread; the controls may be called from any.
    """

    def __init__(
        self,
        name: str = "fake",
        *,
        max_input_tokens: int = 4096,
        num_columns: Mapping[str, int] | None = None,
        forward_delay_s: float = 0.0,
        token_delay_s: float = 0.0,
    ) -> None:
        self.name = name
        self.max_input_tokens = max_input_tokens
        self.num_columns = dict(num_columns or {})
        self.forward_delay_s = forward_delay_s
        self.token_delay_s = token_delay_s
        self.batches: list[tuple[ForwardItem, ...]] = []
        self._failures: list[BaseException] = []
        self._is_guilty: Callable[[ForwardItem], bool] | None = None
        self._gate = threading.Event()
        self._gate.set()
        self._hangs = False
        self._closed = False

    def forward(self, batch: Sequence[ForwardItem]) -> list[Forwarded]:
        """Pseudo-logits of each item. Raises what `fail_next` or `fail_items` asked for, RuntimeError once closed."""
        self.batches.append(tuple(batch))
        self._gate.wait()
        delay_s = self.forward_delay_s + self.token_delay_s * sum(item.rendered.num_tokens for item in batch)
        if delay_s > 0:
            time.sleep(delay_s)
        if self._closed:
            raise RuntimeError("the fake backend is closed")
        if self._failures:
            raise self._failures.pop(0)
        if self._is_guilty is not None and any(map(self._is_guilty, batch)):
            raise RuntimeError("the fake backend was told to fail on an item of this batch")
        return [Forwarded(self.plain_rows(item)) for item in batch]

    def fail_next(self, exception: BaseException | None = None) -> None:
        """Make one coming `forward` raise `exception` (default RuntimeError); further calls queue further failures."""
        self._failures.append(exception or RuntimeError("the fake backend was told to fail"))

    def fail_items(self, predicate: Callable[[ForwardItem], bool] | None) -> None:
        """Make every `forward` raise whose batch holds an item that `predicate` is true for; `None` ends that."""
        self._is_guilty = predicate

    def hold(self) -> None:
        """Make `forward` block, after recording its batch, until `release` or `close`."""
        self._gate.clear()

    def hang(self) -> None:
        """As `hold`, but as a pass that is stuck does: only `release` ends it, not `close`."""
        self._hangs = True
        self.hold()

    def release(self) -> None:
        """Let held and coming calls of `forward` go on."""
        self._hangs = False
        self._gate.set()

    def close(self) -> None:
        self._closed = True
        if not self._hangs:
            self._gate.set()

    def plain_rows(self, item: ForwardItem) -> Rows:
        """The rows of one input, whatever `forward` was told to do."""
        num_columns = self.num_columns.get(item.head, DEFAULT_NUM_COLUMNS)
        return tuple(
            tuple(_value(digest, column) for column in range(num_columns))
            for digest in _prefix_digests(item.head, item.rendered.token_ids, item.rendered.readout_positions)
        )


def _prefix_digests(head: str, token_ids: Sequence[int], positions: Sequence[int]) -> list[bytes]:
    """A digest per position, ascending, of the head's name and the tokens up to and including that position."""
    encoded = struct.pack(f"<{len(token_ids)}q", *token_ids)
    running = hashlib.blake2b(head.encode() + b"\0", digest_size=16)
    digests: list[bytes] = []
    read = 0
    for position in positions:
        end = position + 1
        if not max(read, 1) <= end <= len(token_ids):
            raise ValueError(f"readout position {position} is out of order or outside {len(token_ids)} tokens")
        running.update(encoded[8 * read : 8 * end])
        digests.append(running.copy().digest())
        read = end
    return digests


def _value(digest: bytes, column: int) -> float:
    """A value in [-4, 4) with 24 random bits, so that it is exact in fp32."""
    bits = hashlib.blake2b(digest + struct.pack("<q", column), digest_size=3).digest()
    return int.from_bytes(bits, "little") / 2**21 - 4.0
