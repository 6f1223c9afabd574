"""Profiles by name and by path, and errors that name the file and the key."""

import pytest

from surefoot.errors import ProfileInvalid
from surefoot.profiles import builtin_names, load_profile
from surefoot.profiles.library import profile_text

GOOD = """
name = "mine"
title = "Mine"
kind = "process"
scale = "probability"

[rendering]
method = "separated_steps"

[readout]
method = "token_classification"
"""


@pytest.fixture
def write(tmp_path):
    def to_file(text: str) -> str:
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return to_file


def test_the_builtin_profiles_are_these() -> None:
    assert builtin_names() == [
        "embedded-orm",
        "embedded-prm",
        "er-prm",
        "eurus-prm",
        "implicit-prm",
        "internlm2-reward",
        "math-shepherd",
        "openrlhf",
        "prm800k",
        "pure-prm",
        "qwen2.5-math-prm",
        "qwen2.5-math-rm",
        "reasoneval-34b",
        "reasoneval-7b",
        "rlhflow-orm",
        "rlhflow-prm",
        "sequence-classification",
        "skywork-o1-open-prm",
        "thinkprm",
        "trl-prm",
    ]


@pytest.mark.parametrize("name", builtin_names())
def test_every_builtin_loads_under_its_name(name) -> None:
    assert load_profile(name).name == name


@pytest.mark.parametrize("name", builtin_names())
def test_every_builtin_says_what_it_is_in_a_comment(name) -> None:
    assert profile_text(name).startswith("# ")


@pytest.mark.parametrize("name", [name for name in builtin_names() if not name.startswith("embedded-")])
def test_every_published_family_names_its_reference(name) -> None:
    assert (load_profile(name).reference or "").startswith("https://")


def test_a_backslash_in_a_system_message_is_a_backslash() -> None:
    assert "\\boxed{}" in (load_profile("qwen2.5-math-prm").rendering.system or "")


def test_a_path_is_read(write) -> None:
    assert load_profile(write(GOOD)).name == "mine"


def test_a_file_that_is_missing_is_named(tmp_path) -> None:
    with pytest.raises(ProfileInvalid, match=r"none\.toml does not exist"):
        load_profile(str(tmp_path / "none.toml"))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ProfileInvalid, match="embedded-orm, embedded-prm"):
        load_profile("other")


def test_a_file_that_is_no_toml_is_named(write) -> None:
    with pytest.raises(ProfileInvalid, match=r"mine\.toml is not valid TOML"):
        load_profile(write("name = "))


def test_a_key_at_fault_is_named(write) -> None:
    with pytest.raises(ProfileInvalid, match=r"mine\.toml: thresold: Extra inputs"):
        load_profile(write("thresold = 0.5\n" + GOOD))


def test_a_key_inside_a_table_is_named_by_its_path(write) -> None:
    with pytest.raises(ProfileInvalid, match=r"readout\.token_classification\.temperature"):
        load_profile(write(GOOD + "temperature = 0.0\n"))


def test_parts_that_do_not_fit_are_explained(write) -> None:
    with pytest.raises(ProfileInvalid, match=r"the profile: .*does not fit kind 'outcome'"):
        load_profile(write(GOOD.replace('"process"', '"outcome"')))
