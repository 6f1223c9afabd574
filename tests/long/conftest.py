"""Servers for what is too slow for CI."""

from collections.abc import Callable, Iterator

import pytest

from fake_server import FakeServer, starting_fakes


@pytest.fixture(scope="module")
def start_fake_for_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., FakeServer]]:
    """Starts servers over the fakes, which are ended with the module."""
    yield from starting_fakes(tmp_path_factory.mktemp("fakes"))
