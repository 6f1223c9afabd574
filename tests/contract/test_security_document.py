"""SECURITY.md names code and settings that exist."""

import re
from pathlib import Path

import pytest

from surefoot.settings import ModelSettings, RemoteGeneratorSettings, Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
ROOMS = sorted(set(re.findall(r"`([a-z_/]+(?:\.py|/))`", TEXT)))
SETTINGS = sorted(set(re.findall(r"`((?:auth|caches|limits)\.[a-z_]+)", TEXT)))
LINKS = sorted(set(re.findall(r"\]\(([^)#]+)", TEXT)))


def test_there_is_something_to_check() -> None:
    assert len(ROOMS) > 15
    assert len(SETTINGS) > 3
    assert len(LINKS) > 1


@pytest.mark.parametrize("room", ROOMS)
def test_the_code_that_is_named_exists(room: str) -> None:
    assert (ROOT / "service/surefoot" / room).exists()


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_settings_that_are_named_exist(setting: str) -> None:
    section, name = setting.split(".")
    assert name in type(getattr(Settings(), section)).model_fields


@pytest.mark.parametrize("link", LINKS)
def test_the_pages_that_are_linked_exist(link: str) -> None:
    assert (ROOT / link).is_file()


def test_permissions_and_bounds_of_single_entries_exist() -> None:
    assert "allow" in ModelSettings.model_fields
    assert {"api_key_env", "timeout_s"} <= set(RemoteGeneratorSettings.model_fields)
