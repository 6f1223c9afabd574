"""A configuration file read again: good ones hold from then on, bad ones change nothing."""

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from surefoot.api.service import Limits
from surefoot.profiles import load_profile
from surefoot.settings import load_settings
from surefoot.wiring.fake_service import FakeParts, build_fake_service
from surefoot.wiring.reconfigure import Configuration, request_limits


class Running:
    """A configuration over a file, the limits that it has set, and a registry whose prm has an adapter."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.adapters: dict[str, str | Exception] = {"prm": "one"}
        candidates = {"prm": {"v2": load_profile("embedded-prm")}}
        service = build_fake_service(FakeParts(adapters=self.adapters, candidates=candidates)).service
        self.registry, self.succession = service.registry, service.succession
        self.limits: list[Limits] = []
        read = partial(load_settings, file)
        self.configuration = Configuration(read(), read, self.registry, self.limits.append)

    async def reread(self, text: str) -> None:
        self.file.write_text(text)
        await self.configuration.reread()


@pytest.fixture
def root_level() -> Iterator[None]:
    before = logging.getLogger().level
    yield
    logging.getLogger().setLevel(before)


@pytest.fixture
async def running(tmp_path: Path, clean_environment, root_level):
    file = tmp_path / "surefoot.toml"
    file.write_text("port = 1\n")
    opened = Running(file)
    await opened.registry.load_all()
    yield opened
    await opened.registry.close()


async def test_limits_hold_from_then_on(running) -> None:
    await running.reread("port = 1\n[limits]\nmax_items = 5\n")
    assert [limits.max_items for limits in running.limits] == [5]


async def test_the_log_level_holds_from_then_on(running) -> None:
    await running.reread('port = 1\nlog_level = "error"\n')
    assert logging.getLogger().level == logging.ERROR


async def test_what_waits_for_a_restart_is_named_in_one_line(running, caplog: pytest.LogCaptureFixture) -> None:
    await running.reread('port = 2\ndevice = "cpu"\n[limits]\nmax_items = 5\n')
    [said] = [record.message for record in caplog.records if "read again" in record.message]
    assert said == "settings read again: limits.max_items changed; port, device until a restart as before"


@pytest.mark.parametrize("broken", ["port = = 2", "port = 'secret'", "secret = 1", "[limits]\nmax_items = 0\n"])
async def test_a_broken_file_changes_nothing(running, broken) -> None:
    before = logging.getLogger().level
    running.adapters["prm"] = "two"
    await running.reread(f'log_level = "error"\n{broken}')
    assert (running.limits, logging.getLogger().level) == ([], before)
    assert running.registry.get("prm").card.fingerprint.endswith("@one")


async def test_a_broken_file_is_told_without_its_values(running, caplog: pytest.LogCaptureFixture) -> None:
    await running.reread("port = 'secret'\n")
    [said] = [record.message for record in caplog.records]
    assert said.startswith("nothing is changed: setting port: ")
    assert "secret" not in said


async def test_a_file_that_is_gone_changes_nothing(running) -> None:
    running.file.unlink()
    await running.configuration.reread()
    assert running.limits == []


async def test_an_adapter_whose_files_changed_is_served(running) -> None:
    running.adapters["prm"] = "two"
    await running.reread("port = 1\n")
    assert running.registry.get("prm").card.fingerprint.endswith("@two")


async def test_what_was_promoted_stays(running) -> None:
    await running.succession.load("prm", "v2")
    running.succession.promote("prm")
    running.adapters["prm"] = "two"
    await running.reread("port = 1\n[limits]\nmax_items = 5\n")
    assert running.registry.get("prm").card.fingerprint.endswith("@v2")


def test_every_limit_of_a_request_is_a_setting(clean_environment) -> None:
    assert request_limits(load_settings()) == Limits()
