"""What waiting entries get: rows that are remembered, or those of a forward pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from surefoot.domain import CacheName, CacheUse, ForwardItem, ForwardResult, Rows
from surefoot.errors import ItemError
from surefoot.ports import Telemetry
from surefoot.scheduling.admission import updated_speed
from surefoot.scheduling.forward_pass import ForwardPass, checked_results
from surefoot.scheduling.queue import Entry
from surefoot.scheduling.score_cache import Key, ScoreCache, key_of


class Settlement:
    """Settles the entries of one model, remembers what it gave, and tells of it."""

    def __init__(self, model: str, telemetry: Telemetry, clock: Callable[[], float], max_cached_scores: int) -> None:
        self._model = model
        self._telemetry = telemetry
        self._clock = clock
        self._scores = ScoreCache(max_cached_scores) if max_cached_scores else None
        self.tokens_per_s: float | None = None
        """The recent speed; `None` before the first pass."""

    @property
    def cache_use(self) -> CacheUse | None:
        """How full the score cache is; `None` where nothing is remembered."""
        return None if self._scores is None else self._scores.use

    def key_of(self, item: ForwardItem) -> Key | None:
        """What an input's rows are remembered by; `None` where nothing is."""
        return None if self._scores is None else key_of(item)

    def knows(self, entry: Entry) -> bool:
        """Whether such an input was computed, and is remembered."""
        return self._rows_of(entry) is not None

    def settle_known(self, entries: Sequence[Entry]) -> list[Entry]:
        """Settle what is remembered; the entries that wait on."""
        known = []
        for entry in entries:
            rows = None if entry.future.done() else self._rows_of(entry)
            if rows is not None:
                waited_s = self._clock() - entry.view.enqueued_at
                entry.complete(ForwardResult(rows, waited_s, 0.0, entry.view.num_tokens))
                known.append(entry.view.num_tokens)
        self._report_hits("scores", known)
        return [entry for entry in entries if not entry.future.done()]

    def settle(self, alike: Sequence[Sequence[Entry]], forward_pass: ForwardPass) -> None:
        """Settle the entries of each input of a pass."""
        queue_s = [forward_pass.started_at - entries[0].view.enqueued_at for entries in alike]
        outcomes = checked_results(forward_pass, self._model)
        for entries, waited_s, outcome in zip(alike, queue_s, outcomes, strict=True):
            if isinstance(outcome, ItemError):
                for entry in entries:
                    entry.fail(outcome)
                continue
            if self._scores is not None and entries[0].key is not None:
                self._scores.put(entries[0].key, outcome.rows)
            result = ForwardResult(outcome.rows, waited_s, forward_pass.forward_s, outcome.cached_tokens)
            for entry in entries:
                entry.complete(result)
        if forward_pass.failure is None:
            num_tokens, forward_s = forward_pass.num_tokens, forward_pass.forward_s
            self.tokens_per_s = updated_speed(self.tokens_per_s, num_tokens, forward_s)
            self._telemetry.batch_forwarded(self._model, len(alike), num_tokens, queue_s, forward_s)
            self._report_hits("prefixes", [result.cached_tokens for result in forward_pass.results])

    def _rows_of(self, entry: Entry) -> Rows | None:
        return None if self._scores is None or entry.key is None else self._scores.get(entry.key)

    def _report_hits(self, cache: CacheName, known: Sequence[int]) -> None:
        """Tell of inputs by how many of their tokens were known from before."""
        hits = [num_tokens for num_tokens in known if num_tokens]
        if hits:
            self._telemetry.cache_hit(self._model, cache, len(hits), sum(hits))


def alike(batch: Sequence[Entry]) -> list[list[Entry]]:
    """The entries of equal inputs, in the order of the first ones; those without a key are each alone."""
    found: dict[object, list[Entry]] = {}
    for entry in batch:
        found.setdefault(entry.key or entry, []).append(entry)
    return list(found.values())
