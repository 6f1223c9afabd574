"""The one thing that the clients read from the environment."""

from __future__ import annotations

import os

API_KEY = "SUREFOOT_API_KEY"
"""The variable that holds the key where none is given."""


def key_from_environment() -> str | None:
    """The key in `SUREFOOT_API_KEY`; `None` where it is not set, or empty."""
    return os.environ.get(API_KEY, "").strip() or None
