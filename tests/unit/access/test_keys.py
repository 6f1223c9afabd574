"""What is kept of a key, what cannot be a record, and which record a presented key finds."""

from datetime import timedelta

import pytest

from keys_in_file import TODAY, YESTERDAY
from surefoot.access import KeyRecord, digest_of, new_key, new_record
from surefoot.access.keys import PREFIX, matching


def record(key: str, name: str = "alice", **fields: object) -> KeyRecord:
    return new_record(key, name, ["score"], fields.get("expires"), TODAY)


def test_no_two_keys_are_equal() -> None:
    assert len({new_key() for _ in range(1000)}) == 1000


def test_a_key_shows_what_it_is_and_fits_a_header() -> None:
    key = new_key()
    assert key.startswith(PREFIX)
    assert all("!" <= character <= "~" for character in key)


def test_a_key_holds_256_random_bits() -> None:
    assert len(new_key().removeprefix(PREFIX)) == 43  # of 6 bits each


def test_a_record_holds_the_hash_and_not_the_key() -> None:
    key = new_key()
    made = record(key)
    assert made.sha256 == digest_of(key.encode())
    assert key not in str(made)


def test_a_record_that_is_printed_hides_its_hash() -> None:
    made = record(new_key())
    assert made.sha256 not in repr(made)


def test_the_id_tells_nothing_of_the_key() -> None:
    key = new_key()
    assert record(key).id != record(key).id


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_key_finds_its_own_record(place) -> None:
    keys = [new_key() for _ in range(3)]
    records = [record(key) for key in keys]
    assert matching(keys[place].encode(), records, TODAY) is records[place]


@pytest.mark.parametrize("other", [b"", b"sf-", b"\xff\x00", b"x" * 100_000])
def test_another_key_finds_none(other) -> None:
    assert matching(other, [record(new_key())], TODAY) is None


def test_the_hash_is_no_key() -> None:
    made = record(new_key())
    assert matching(made.sha256.encode(), [made], TODAY) is None


@pytest.mark.parametrize(("expires", "is_good"), [(TODAY, True), (YESTERDAY, False), (TODAY + timedelta(1), True)])
def test_a_key_is_good_to_the_end_of_its_last_day(expires, is_good) -> None:
    key = new_key()
    assert (matching(key.encode(), [record(key, expires=expires)], TODAY) is not None) is is_good


def test_every_record_is_compared_in_constant_time(monkeypatch) -> None:
    compared = []
    monkeypatch.setattr("surefoot.access.keys.hmac.compare_digest", lambda a, b: compared.append(b) or a == b)
    keys = [new_key() for _ in range(3)]
    records = [record(key) for key in keys]
    matching(keys[0].encode(), records, TODAY)
    assert compared == [kept.sha256 for kept in records]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "ABCDEF01"),
        ("id", "abc"),
        ("name", ""),
        ("name", "two words"),
        ("name", "line\n"),
        ("name", "0badcafe"),
        ("sha256", "0" * 63),
        ("sha256", "Z" * 64),
        ("scopes", frozenset()),
        ("scopes", frozenset({"score", "secretscope"})),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(field, value) -> None:
    fields = {"id": "0badcafe", "name": "alice", "sha256": "0" * 64, "scopes": frozenset({"score"})}
    with pytest.raises(ValueError, match=f"^{field}: ") as caught:
        KeyRecord(**{**fields, field: value})
    assert not value or str(value) not in str(caught.value)
