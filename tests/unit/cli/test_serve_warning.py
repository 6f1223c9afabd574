"""`surefoot serve` warns of a service that strangers reach without a key."""

import logging

import pytest

from surefoot.cli.serve import is_loopback, warn_if_open
from surefoot.settings import Settings


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
def test_an_open_service_on_the_network_is_warned_of(caplog, host, keys_file, is_warned) -> None:
    with caplog.at_level(logging.WARNING, logger="surefoot.cli.serve"):
        warn_if_open(Settings(host=host, auth={"keys_file": keys_file}))
    assert ("no API keys are configured" in caplog.text) is is_warned
