"""`surefoot keys`: a key is printed once and kept as a hash; listing and revoking never show it."""

import json
from datetime import date

import pytest

from surefoot.access import digest_of, read_keys


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.json"


@pytest.fixture
def keys(program, path):
    """Runs a verb of `surefoot keys` on the test's file; gives what it printed, which must be JSON."""

    def run(*arguments: str) -> object:
        ended = program("keys", *arguments, "--keys-file", path, "--json")
        assert ended.exit_code == 0, ended.output
        return json.loads(ended.stdout)

    return run


def test_a_new_key_alone_is_on_standard_output(program, path) -> None:
    ended = program("keys", "new", "alice", "--scope", "score", "--keys-file", path)
    [record] = read_keys(path).records
    assert digest_of(ended.stdout.strip().encode()) == record.sha256


def test_a_new_key_has_what_was_asked_for(keys) -> None:
    made = keys("new", "alice", "--scope", "sample", "--scope", "score", "--expires", "2999-12-31")
    assert (made["name"], made["scopes"], made["expires"]) == ("alice", ["score", "sample"], "2999-12-31")


def test_keys_are_listed_without_key_or_hash(keys, path, program) -> None:
    key = keys("new", "alice", "--scope", "score")["key"]
    shown = program("keys", "list", "--keys-file", path).stdout + json.dumps(keys("list"))
    assert "alice" in shown
    assert key not in shown
    assert read_keys(path).records[0].sha256 not in shown


def test_an_expired_key_is_listed_as_such(keys, keys_in_file) -> None:
    keys("new", "alice", "--scope", "score")
    keys_in_file.new("bob", "score", expires=date(2020, 1, 1))
    assert [row["state"] for row in keys("list")] == ["good", "expired"]


@pytest.mark.parametrize("by", ["id", "name"])
def test_a_key_is_revoked_by_its_name_or_id(keys, path, by) -> None:
    made = keys("new", "alice", "--scope", "score")
    assert [row["id"] for row in keys("revoke", made[by])["revoked"]] == [made["id"]]
    assert read_keys(path).records == ()


def test_the_file_is_that_of_the_settings(program, path, tmp_path) -> None:
    config = tmp_path / "surefoot.toml"
    config.write_text(f'[auth]\nkeys_file = "{path}"\n')
    assert program("keys", "new", "alice", "--scope", "admin", "-c", config).exit_code == 0
    assert [record.name for record in read_keys(path).records] == ["alice"]


@pytest.mark.parametrize(
    ("arguments", "param"),
    [
        (["new", "alice"], "--scope"),
        (["new", "alice", "--scope", "everything"], "--scope"),
        (["new", "two words", "--scope", "score"], "NAME"),
        (["new", "alice", "--scope", "score", "--expires", "2020-01-01"], "--expires"),
        (["new", "alice", "--scope", "score", "--expires", "soon"], "--expires"),
        (["revoke", "nobody"], "NAME|ID"),
    ],
)
def test_wrong_usage_names_its_option(program, keys, path, arguments, param) -> None:
    keys("new", "carol", "--scope", "score")
    ended = program("keys", *arguments, "--keys-file", path, "--json")
    error = json.loads(ended.stdout)["error"]
    assert (ended.exit_code, error["code"], error["param"]) == (2, "usage_error", param)
    assert [record.name for record in read_keys(path).records] == ["carol"]


def test_without_a_file_it_says_where_to_name_one(program, clean_environment) -> None:
    ended = program("keys", "list", "--json")
    error = json.loads(ended.stdout)["error"]
    assert (ended.exit_code, error["param"]) == (2, "--keys-file")


def test_a_broken_file_is_told_and_left(program, path) -> None:
    path.write_text("zebra")
    ended = program("keys", "new", "alice", "--scope", "score", "--keys-file", path, "--json")
    assert (ended.exit_code, json.loads(ended.stdout)["error"]["code"]) == (2, "keys_file_invalid")
    assert path.read_text() == "zebra"
    assert "zebra" not in ended.output


def test_a_verb_in_this_process_asks_itself_for_no_key(program, tmp_path) -> None:
    config = tmp_path / "surefoot.toml"
    config.write_text('[auth]\nkeys_file = "/nowhere/keys.json"\n')
    ended = program("solve", "What is 2 + 3?", "-n", "1", "-c", config)
    assert ended.exit_code == 0, ended.output
    assert program.settings[0].auth.keys_file is None
