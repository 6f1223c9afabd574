"""What a configuration that is read again changes at once, and what it leaves for a restart."""

import pytest

from surefoot.settings import LIVE, Settings, changed_settings, with_live_settings


@pytest.fixture
def before(clean_environment) -> Settings:
    return Settings()


def test_equal_settings_have_no_changes(before) -> None:
    assert changed_settings(before, Settings()) == []


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"log_level": "debug"}, ["log_level"]),
        ({"limits": {"max_items": 5, "max_steps": 6}}, ["limits.max_items", "limits.max_steps"]),
        ({"scheduler": {"max_queue_items": 7}}, ["scheduler"]),
        ({"models": [{"name": "only", "profile": "embedded-prm"}]}, ["models"]),
    ],
)
def test_changes_are_named(before, given, names) -> None:
    assert changed_settings(before, Settings(**given)) == names


def test_what_is_live_is_taken_over(before) -> None:
    after = Settings(log_level="debug", limits={"max_items": 5})
    assert with_live_settings(before, after) == after


def test_what_is_not_live_is_left(before) -> None:
    after = Settings(port=1, device="cpu", limits={"max_steps": 5}, scheduler={"max_queue_items": 7})
    assert with_live_settings(before, after) == before


def test_what_was_left_is_still_named_the_next_time(before) -> None:
    after = Settings(port=1, log_level="debug", limits={"max_steps": 5})
    assert changed_settings(with_live_settings(before, after), after) == ["port", "limits.max_steps"]


def test_a_live_setting_is_one_that_can_be_named() -> None:
    assert {name.partition(".")[0] for name in LIVE} == {"log_level", "limits"}
