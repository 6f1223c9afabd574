"""Servers to sample from: what their settings may hold, and that a key is never shown."""

import pytest

from surefoot.cli.settings_table import describe
from surefoot.errors import SettingsInvalid
from surefoot.settings import RemoteGeneratorSettings, Settings, load_settings

REMOTE = {"name": "far", "url": "http://far.test:8000", "model": "m"}


def remote(**changes: object) -> RemoteGeneratorSettings:
    return RemoteGeneratorSettings(**REMOTE | changes)


def test_there_are_no_remote_generators_by_default() -> None:
    assert load_settings().remote_generators == []


def test_remote_generators_are_read(config) -> None:
    text = "[[remote_generators]]\n" + "\n".join(f'{name} = "{value}"' for name, value in REMOTE.items())
    (found,) = load_settings(config(text)).remote_generators
    assert (found.name, found.url, found.model, found.api) == ("far", "http://far.test:8000", "m", "chat")


@pytest.mark.parametrize("name", ["default", "other"])
def test_two_generators_of_one_name_are_refused(refused, config, name: str) -> None:
    entry = f"[[remote_generators]]\nname = '{name}'\nurl = 'http://a'\nmodel = 'm'\n"
    text = entry if name == "default" else entry * 2
    assert "two generators have the same name" in refused(config=config(text)).message


def test_a_remote_generator_may_take_the_name_of_an_engine_that_is_not_there(config) -> None:
    text = "[generator]\nengine = 'none'\n[[remote_generators]]\nname = 'default'\nurl = 'http://a'\nmodel = 'm'\n"
    assert [found.name for found in load_settings(config(text)).remote_generators] == ["default"]


@pytest.mark.parametrize("url", ["far:8000", "ftp://far", "http://user:hunter2@far", "http://far/?key=hunter2"])
def test_an_url_with_anything_but_an_address_is_refused_without_repeating_it(refused, config, url: str) -> None:
    error = refused(config=config(f"[[remote_generators]]\nname = 'far'\nurl = '{url}'\nmodel = 'm'"))
    assert error.param == "remote_generators.0.url"
    assert "hunter2" not in error.message


def test_the_key_comes_from_the_named_variable(monkeypatch) -> None:
    monkeypatch.setenv("FAR_KEY", " sk-1 ")
    assert remote(api_key_env="FAR_KEY").api_key() == "sk-1"


def test_without_a_named_variable_there_is_no_key() -> None:
    assert remote().api_key() is None


@pytest.mark.parametrize("value", [None, "", "hunter2\nx-header: y", "hunter2é"])
def test_an_unusable_key_is_refused_without_repeating_it(monkeypatch, value: str | None) -> None:
    if value is not None:
        monkeypatch.setenv("FAR_KEY", value)
    with pytest.raises(SettingsInvalid, match="far: no usable key in the variable FAR_KEY") as caught:
        remote(api_key_env="FAR_KEY").api_key()
    assert "hunter2" not in caught.value.message


def test_shown_settings_do_not_hold_the_key(monkeypatch) -> None:
    monkeypatch.setenv("FAR_KEY", "hunter2")
    shown = describe(Settings(remote_generators=[remote(api_key_env="FAR_KEY")]))
    assert "hunter2" not in str(shown)
