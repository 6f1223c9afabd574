"""The adapters that come with the package: what makes the embedded base a process model, an outcome model, a generator.

Each directory holds a model card with the data, the command and the figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

ShippedRole = Literal["process", "outcome", "generator"]

SHIPPED = "embedded"
"""How settings name the shipped adapter, as they name the base."""

_DIRECTORIES: Mapping[ShippedRole, str] = MappingProxyType(
    {"process": "prm", "outcome": "orm", "generator": "generator"}
)


def adapter_directory(name: str, role: ShippedRole) -> Path:
    """The directory of the adapter that settings name so: the shipped one of that role, or one's own."""
    if name != SHIPPED:
        return Path(name).expanduser()
    return Path(__file__).parent / "adapters" / _DIRECTORIES[role]
