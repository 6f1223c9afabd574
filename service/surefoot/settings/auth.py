"""Who may call."""

from __future__ import annotations

from pathlib import Path

from surefoot.settings.section import Section


class AuthSettings(Section):
    """API keys: `[auth]` in the file."""

    keys_file: Path | None = None
    """The file that `surefoot keys` writes: every request then needs one of its keys, and a change of the file holds
    within a second. Without it whoever reaches the port may call. /health and /ready never ask."""
    metrics_need_key: bool = False
    """/metrics asks for a key too, of any scope; only where there is a `keys_file`."""
