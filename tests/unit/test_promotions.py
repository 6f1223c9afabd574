"""Promotions in a file: read at start, kept up, and never a reason to stay with a broken model."""

import json
import logging
from pathlib import Path

import pytest

from surefoot.errors import SettingsInvalid
from surefoot.promotions import Promotions


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "promotions.json"


def test_without_a_file_nothing_is_kept() -> None:
    promotions = Promotions(None)
    promotions.keep("prm", "v2")
    assert promotions.label("prm") is None


def test_the_next_process_finds_what_was_kept(file) -> None:
    Promotions(file).keep("prm", "v2")
    assert Promotions(file).label("prm") == "v2"


def test_what_was_taken_back_is_kept_no_more(file) -> None:
    promotions = Promotions(file)
    promotions.keep("prm", "v2")
    promotions.keep("orm", "v3")
    promotions.keep("prm", None)
    assert json.loads(file.read_text()) == {"orm": "v3"}


def test_a_file_that_cannot_be_written_is_told_and_stays_as_it_was(tmp_path, caplog) -> None:
    directory = tmp_path / "state"
    directory.mkdir()
    promotions = Promotions(directory / "promotions.json")
    directory.rmdir()
    with caplog.at_level(logging.ERROR):
        promotions.keep("prm", "v2")
    assert promotions.label("prm") is None
    assert "a restart serves the model of the settings" in caplog.text


@pytest.mark.parametrize("content", ["", "{", "[]", '{"prm": 1}', "\x00"])
def test_a_file_of_something_else_is_refused(file, content) -> None:
    file.write_text(content)
    with pytest.raises(SettingsInvalid, match="JSON object") as raised:
        Promotions(file)
    assert raised.value.param == "promotions_file"


def test_a_directory_that_is_not_there_is_refused_at_start(tmp_path) -> None:
    with pytest.raises(SettingsInvalid, match="create it"):
        Promotions(tmp_path / "nowhere" / "promotions.json")


def test_a_directory_in_its_place_is_refused(file) -> None:
    file.mkdir()
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        Promotions(file)
