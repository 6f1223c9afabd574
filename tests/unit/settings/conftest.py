"""Configuration files, read where nobody's own settings get in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from surefoot.errors import SettingsInvalid
from surefoot.settings import load_settings


@pytest.fixture(autouse=True)
def _in_a_clean_environment(clean_environment: None) -> None: ...


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "surefoot.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


@pytest.fixture
def refused() -> Callable[..., SettingsInvalid]:
    """The error of settings that cannot be used."""

    def load(**overrides: object) -> SettingsInvalid:
        with pytest.raises(SettingsInvalid) as caught:
            load_settings(**overrides)
        return caught.value

    return load
