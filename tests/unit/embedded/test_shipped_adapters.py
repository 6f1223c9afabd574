"""The adapters that come with the package: whole, small, of one base, with a card that says how each was made."""

import json
from typing import get_args

import pytest

from surefoot.embedded.shipped_adapters import SHIPPED, ShippedRole, adapter_directory
from surefoot.modeling.adapters import FACTS, WEIGHTS, read_adapter

ROLES = get_args(ShippedRole)
MOST_BYTES = 12 * 10**6


@pytest.mark.parametrize("role", ROLES)
def test_an_adapter_is_whole_and_small(role) -> None:
    directory = adapter_directory(SHIPPED, role)
    assert read_adapter(directory).layers
    assert (directory / WEIGHTS).stat().st_size <= MOST_BYTES


def test_all_are_of_one_base() -> None:
    assert len({read_adapter(adapter_directory(SHIPPED, role)).base_id for role in ROLES}) == 1


def test_no_two_are_the_same() -> None:
    assert len({read_adapter(adapter_directory(SHIPPED, role)).id for role in ROLES}) == len(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_a_card_tells_how_it_was_made(role) -> None:
    directory = adapter_directory(SHIPPED, role)
    facts = json.loads((directory / FACTS).read_text(encoding="utf-8"))
    card = (directory / "README.md").read_text(encoding="utf-8")
    assert facts["command"] in card
    assert all(f"## {part}" in card for part in ("Data", "Training", "Figures", "Limits"))


def test_ones_own_directory_is_itself(tmp_path) -> None:
    assert adapter_directory(str(tmp_path), "process") == tmp_path
