"""An engine: what computes on a loaded checkpoint, and what names its scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from surefoot.domain import CacheUse, ForwardItem, Rows
from surefoot.ports import Backend, Tokenizer
from surefoot.profiles import Profile

if TYPE_CHECKING:
    from surefoot.modeling.identity import EngineIdentity

EngineKey = tuple[str, ...]
"""Models with equal keys share an engine."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Several models may share an engine: `add_model` says how a profile reads it, by the name in `ForwardItem.head`.

    `add_adapter` has the inputs of that name read with the adapter in a directory, and gives the identity of scores
    that are; `None` where the engine applies none. Raises `AdapterInvalid` or `AdapterMismatch`. `remove_model` lets go
    of a name and its adapter, in any thread and also while a pass runs; engines without adapters keep their names.
    `plain_rows` gives an input's rows by one ordinary forward pass in this process, where there is one. Served passes
    wait for it, so it is for the time before serving. `keeps_prefixes` says that an input which goes on from an earlier
    one costs its new tokens only; `prefix_use` how full that cache is. `num_restarts` counts new processes of an engine
    that died.
    """

    identity: EngineIdentity
    tokenizer: Tokenizer
    backend: Backend
    add_model: Callable[[str, Profile], None]
    plain_rows: Callable[[ForwardItem], Rows] | None
    add_adapter: Callable[[str, Path], EngineIdentity] | None = None
    remove_model: Callable[[str], None] = lambda _name: None
    keeps_prefixes: bool = False
    prefix_use: Callable[[], CacheUse | None] = lambda: None
    num_restarts: Callable[[], int] = lambda: 0
