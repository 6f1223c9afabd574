"""`surefoot serve` warns of a service that strangers reach without a key."""

import logging

import pytest

from surefoot.cli.serve import is_loopback
from surefoot.wiring.fake_service import FakeParts, build_fake_service


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.org", False),
    ],
)
def test_only_this_machine_reaches_a_loopback_address(host, is_local) -> None:
    assert is_loopback(host) is is_local


@pytest.mark.parametrize(
    ("host", "keys_file", "is_warned"),
    [("0.0.0.0", None, True), ("127.0.0.1", None, False), ("0.0.0.0", "keys.json", False)],
)
def test_an_open_service_on_the_network_is_warned_of(
    program, monkeypatch, caplog, tmp_path, host, keys_file, is_warned
) -> None:
    monkeypatch.setattr("surefoot.wiring.build_service", lambda _: build_fake_service(FakeParts()).service)
    monkeypatch.setattr("surefoot.cli.serve.run_server", lambda _service, _settings, listener, _read: listener.close())
    config = tmp_path / "surefoot.toml"
    config.write_text("" if keys_file is None else f'[auth]\nkeys_file = "{keys_file}"\n')
    with caplog.at_level(logging.WARNING, logger="surefoot.cli.serve"):
        ended = program("serve", "--host", host, "--port", "0", "-c", config)
    assert ended.exit_code == 0, ended.output
    assert ("no API keys are configured" in caplog.text) is is_warned
