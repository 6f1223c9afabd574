"""Settings read nothing from the environment of whoever runs the tests."""

import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("SUREFOOT_", "XDG_CACHE_HOME")):
            monkeypatch.delenv(name)
