"""Wire types of the admin routes."""

from __future__ import annotations

from surefoot.api.schemas.common import Response


class ReloadResponse(Response):
    """What a reload did."""

    name: str
    fingerprint: str
    """Of the scores from now on, as `/v1/models` shows it."""
    previous_fingerprint: str
    changed: bool
    """False where the files are those that were served already."""
