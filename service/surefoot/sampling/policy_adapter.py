"""A generator's low-rank adapter: read and held against its base before any weights are loaded."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from surefoot.domain import Message
from surefoot.modeling.adapters import FACTS, Adapter, read_adapter

PREFACE = "preface"
"""Under this name the facts of a trained generator hold the turns that stood before each problem."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PolicyAdapter:
    """An adapter as it was read, and the directory in peft's format that it was read from."""

    directory: Path
    values: Adapter

    @property
    def max_rank(self) -> int:
        """The largest rank among its layers."""
        return max(int(low_rank.down.shape[0]) for low_rank in self.values.layers.values())


def read_policy_adapter(directory: Path, base_id: str) -> PolicyAdapter:
    """The adapter in `directory` for the base of that id. Raises `AdapterInvalid` and `AdapterMismatch`."""
    adapter = read_adapter(directory)
    adapter.check_base(base_id)
    return PolicyAdapter(directory, adapter)


def preface_facts(preface: Sequence[Message]) -> dict[str, object]:
    """What a trained generator's `surefoot.json` says of the turns before each problem."""
    return {PREFACE: [asdict(turn) for turn in preface]}


def warn_of_other_preface(name: str, directory: Path, preface: Sequence[Message]) -> None:
    """Log where the generator of that name is shown other turns than its adapter was trained with.

    An adapter that was made elsewhere says nothing of them. Expects a directory that `read_policy_adapter` has read.
    """
    facts = directory / FACTS
    trained = json.loads(facts.read_text(encoding="utf-8")).get(PREFACE) if facts.is_file() else None
    if trained is not None and trained != preface_facts(preface)[PREFACE]:
        log.warning(
            "generator %s is shown other instructions or examples than its adapter was trained with (%s in %s): "
            "its solutions may lose their form",
            name,
            PREFACE,
            facts,
        )
