"""A running service knows the keys of its file as the file is now, and keeps what it knows when that breaks."""

import logging
from datetime import timedelta

import pytest

from keys_in_file import TODAY
from surefoot.access.key_ring import LOOK_EVERY_S
from surefoot.errors import KeysFileInvalid


def knows(ring, key: str) -> bool:
    return ring.find(key.encode()) is not None


@pytest.fixture
def known(keys_in_file) -> str:
    return keys_in_file.new("alice", "score")


@pytest.fixture
def ring(keys_in_file, known):
    return keys_in_file.ring()


def test_a_new_key_is_good_at_the_next_look(keys_in_file, ring) -> None:
    key = keys_in_file.new("bob", "score")
    keys_in_file.now_s += LOOK_EVERY_S
    assert knows(ring, key)


def test_a_revoked_key_is_refused_at_the_next_look(keys_in_file, ring, known) -> None:
    keys_in_file.revoke("alice")
    keys_in_file.now_s += LOOK_EVERY_S
    assert not knows(ring, known)


def test_both_keys_of_a_rotation_are_good(keys_in_file, ring, known) -> None:
    successor = keys_in_file.new("alice", "score")
    keys_in_file.now_s += LOOK_EVERY_S
    assert [knows(ring, key) for key in (known, successor)] == [True, True]


def test_the_file_is_looked_at_once_a_second_at_most(keys_in_file, ring) -> None:
    key = keys_in_file.new("bob", "score")
    keys_in_file.now_s += LOOK_EVERY_S - 0.01
    assert not knows(ring, key)


def test_a_key_expires_without_any_change_of_the_file(keys_in_file) -> None:
    key = keys_in_file.new("alice", "score", expires=TODAY)
    ring = keys_in_file.ring()
    assert knows(ring, key)
    keys_in_file.today += timedelta(days=1)
    assert not knows(ring, key)


BREAKS = {
    "broken": lambda path: path.write_text('{"keys": zebra'),
    "gone": lambda path: path.unlink(),
    "half written": lambda path: path.write_bytes(path.read_bytes()[:20]),
}


@pytest.mark.parametrize("damage", BREAKS.values(), ids=BREAKS)
def test_a_file_that_breaks_leaves_the_keys_as_they_were(keys_in_file, ring, known, damage) -> None:
    damage(keys_in_file.path)
    keys_in_file.now_s += LOOK_EVERY_S
    assert knows(ring, known)


@pytest.mark.parametrize("damage", BREAKS.values(), ids=BREAKS)
def test_a_broken_file_is_told_once_and_without_its_content(keys_in_file, ring, known, damage, caplog) -> None:
    damage(keys_in_file.path)
    for _ in range(5):
        keys_in_file.now_s += LOOK_EVERY_S
        knows(ring, known)
    [line] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "the keys from before stay good" in line.getMessage()
    assert "zebra" not in caplog.text
    assert keys_in_file.counted == ["keys_file_invalid"]


def test_a_file_that_is_mended_is_read_again(keys_in_file, ring, known) -> None:
    whole = keys_in_file.path.read_bytes()
    keys_in_file.path.write_text("{")
    keys_in_file.now_s += LOOK_EVERY_S
    assert knows(ring, known)
    keys_in_file.path.write_bytes(whole)
    key = keys_in_file.new("bob", "score")
    keys_in_file.now_s += LOOK_EVERY_S
    assert knows(ring, key)


def test_a_file_that_others_may_read_is_warned_of(keys_in_file, known, caplog) -> None:
    keys_in_file.path.chmod(0o644)
    keys_in_file.ring()
    assert "chmod 600" in caplog.text


def test_a_closed_file_is_not_warned_of(keys_in_file, known, caplog) -> None:
    keys_in_file.ring()
    assert caplog.text == ""


def test_a_file_without_a_good_key_is_warned_of(keys_in_file, caplog) -> None:
    keys_in_file.ring()
    assert "every guarded request is refused" in caplog.text


def test_without_a_file_there_is_no_ring(keys_in_file) -> None:
    keys_in_file.path.write_text("{")
    with pytest.raises(KeysFileInvalid):
        keys_in_file.ring()


def test_the_log_holds_no_key_and_no_hash(keys_in_file, ring, known, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    key = keys_in_file.new("bob", "score")
    keys_in_file.now_s += LOOK_EVERY_S
    assert knows(ring, key)
    assert "the keys file has changed: 2 keys now" in caplog.text
    assert not [text for text in (key, known, *_hashes(keys_in_file)) if text in caplog.text]


def _hashes(keys_in_file) -> list[str]:
    from surefoot.access import read_keys

    return [record.sha256 for record in read_keys(keys_in_file.path).records]
