"""The keys file: read as it was written, replaced whole, and refused without a word of what is in it."""

import json
import threading

import pytest

from keys_in_file import TODAY
from surefoot.access import add_key, new_key, new_record, read_keys, revoke_keys
from surefoot.access.key_file import parse_keys
from surefoot.errors import KeysFileInvalid

GOOD = {"id": "0badcafe", "name": "alice", "sha256": "0" * 64, "scopes": ["score"]}
OTHER = {**GOOD, "id": "1badcafe", "sha256": "1" * 64}


def content(*entries: object) -> bytes:
    return json.dumps({"keys": entries}).encode()


def test_records_are_read_as_they_were_added(keys_in_file) -> None:
    made = [new_record(new_key(), name, ["score", "sample"], TODAY, TODAY) for name in ("alice", "bob")]
    for record in made:
        add_key(keys_in_file.path, record)
    assert list(read_keys(keys_in_file.path).records) == made


def test_no_key_is_in_the_file(keys_in_file) -> None:
    key = keys_in_file.new("alice", "score")
    assert key.removeprefix("sf-") not in keys_in_file.path.read_text()


def test_only_its_owner_may_read_it(keys_in_file) -> None:
    keys_in_file.new("alice", "score")
    assert keys_in_file.path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_others_could_read_is_closed_by_the_next_key(keys_in_file) -> None:
    keys_in_file.new("alice", "score")
    keys_in_file.path.chmod(0o644)
    keys_in_file.new("bob", "score")
    assert keys_in_file.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("mode", "is_exposed"), [(0o600, False), (0o640, False), (0o644, True), (0o660, True)])
def test_whom_its_mode_lets_in_is_known(keys_in_file, mode, is_exposed) -> None:
    keys_in_file.new("alice", "score")
    keys_in_file.path.chmod(mode)
    assert read_keys(keys_in_file.path).is_exposed is is_exposed


def test_it_stays_its_owners(keys_in_file, monkeypatch) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr("surefoot.access.key_file.os.fchown", lambda _, *owner: given.append(owner))
    keys_in_file.new("alice", "score")
    before = keys_in_file.path.stat()
    keys_in_file.new("bob", "score")
    assert given == [(before.st_uid, before.st_gid)]


def test_a_link_stays_a_link(keys_in_file, tmp_path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(keys_in_file.path)
    add_key(link, new_record(new_key(), "alice", ["score"], None, TODAY))
    assert link.is_symlink()
    assert len(read_keys(keys_in_file.path).records) == 1


def test_nothing_is_left_beside_it(keys_in_file) -> None:
    keys_in_file.new("alice", "score")
    keys_in_file.revoke("alice")
    assert list(keys_in_file.path.parent.iterdir()) == [keys_in_file.path]


def test_keys_made_at_once_are_all_kept(keys_in_file) -> None:
    threads = [threading.Thread(target=keys_in_file.new, args=(f"caller{n}", "score")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_keys(keys_in_file.path).records) == 8


def test_a_name_revokes_all_its_keys(keys_in_file) -> None:
    for name in ("alice", "bob", "alice"):
        keys_in_file.new(name, "score")
    assert len(revoke_keys(keys_in_file.path, "alice")) == 2
    assert [record.name for record in read_keys(keys_in_file.path).records] == ["bob"]


def test_an_id_revokes_one(keys_in_file) -> None:
    for _ in range(2):
        keys_in_file.new("alice", "score")
    first, second = read_keys(keys_in_file.path).records
    assert revoke_keys(keys_in_file.path, first.id) == (first,)
    assert read_keys(keys_in_file.path).records == (second,)


def test_revoking_nothing_leaves_the_file_alone(keys_in_file) -> None:
    keys_in_file.new("alice", "score")
    before = read_keys(keys_in_file.path).state
    assert revoke_keys(keys_in_file.path, "bob") == ()
    assert read_keys(keys_in_file.path).state == before


def test_a_broken_file_is_not_written_over(keys_in_file) -> None:
    keys_in_file.path.write_text("{")
    with pytest.raises(KeysFileInvalid):
        keys_in_file.new("alice", "score")
    assert keys_in_file.path.read_text() == "{"


@pytest.mark.parametrize("call", [read_keys, lambda path: revoke_keys(path, "alice")], ids=["read", "revoke"])
def test_an_absent_file_says_how_to_make_one(keys_in_file, call) -> None:
    with pytest.raises(KeysFileInvalid, match="surefoot keys new"):
        call(keys_in_file.path)


def test_a_directory_that_is_not_there_is_said(tmp_path) -> None:
    with pytest.raises(KeysFileInvalid, match="cannot be written: No such file"):
        add_key(tmp_path / "none" / "keys.json", new_record(new_key(), "alice", ["score"], None, TODAY))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"zebra", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "want"),
        (b'{"keys": {}}', "want"),
        (b'{"keys": [], "zebra": 1}', "want"),
        (content(GOOD, "zebra"), r"keys\[1\]: want the fields"),
        (content({**GOOD, "expire": "2030-01-01"}), r"keys\[0\]: want the fields"),
        (content({"id": "0badcafe"}), r"keys\[0\]: want the fields"),
        (content({**GOOD, "scopes": "score"}), r"keys\[0\]: want texts"),
        (content({**GOOD, "scopes": [["zebra"]]}), r"keys\[0\]: want texts"),
        (content({**GOOD, "sha256": 5}), r"keys\[0\]: want texts"),
        (content({**GOOD, "scopes": ["zebra"]}), r"keys\[0\]\.scopes: "),
        (content({**GOOD, "scopes": []}), r"keys\[0\]\.scopes: "),
        (content({**GOOD, "sha256": "zebra"}), r"keys\[0\]\.sha256: "),
        (content({**GOOD, "expires": "zebra"}), r"keys\[0\]\.expires: "),
        (content({**GOOD, "expires": 20300101}), r"keys\[0\]\.expires: "),
        (content(GOOD, {**OTHER, "id": GOOD["id"]}), "same id"),
        (content(GOOD, {**OTHER, "sha256": GOOD["sha256"]}), "same sha256"),
    ],
)
def test_a_fault_is_said_by_its_place_alone(text, said) -> None:
    with pytest.raises(KeysFileInvalid, match=said) as caught:
        parse_keys(text)
    assert "zebra" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_fields_that_may_be_left_out_may_be_null() -> None:
    [record] = parse_keys(content({**GOOD, "expires": None}))
    assert (record.created, record.expires) == (None, None)
