"""A configuration file that is read again under a running service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from surefoot.api.service import Limits
from surefoot.errors import SettingsInvalid
from surefoot.registry import Registry
from surefoot.settings import LIVE, Settings, changed_settings, with_live_settings

log = logging.getLogger(__name__)


def request_limits(settings: Settings) -> Limits:
    """The bounds on one request that are set."""
    return Limits(**settings.limits.model_dump())


class Configuration:
    """The settings that hold; `reread` takes over what may change, and names what waits for a restart."""

    def __init__(
        self,
        settings: Settings,
        read: Callable[[], Settings],
        registry: Registry,
        set_limits: Callable[[Limits], None],
    ) -> None:
        self._settings = settings
        self._read = read
        self._registry = registry
        self._set_limits = set_limits

    async def reread(self) -> None:
        """Read the settings and the adapters' files again. Settings that cannot be read change nothing at all."""
        try:
            after = await asyncio.to_thread(self._read)
        except (SettingsInvalid, OSError) as error:
            said = error.message if isinstance(error, SettingsInvalid) else error.strerror
            log.error("nothing is changed: %s", said)  # noqa: TRY400  the message says it all
            return
        changed = changed_settings(self._settings, after)
        fixed = [name for name in changed if name not in LIVE]
        self._settings = with_live_settings(self._settings, after)
        self._set_limits(request_limits(self._settings))
        logging.getLogger().setLevel(self._settings.log_level.upper())
        if changed:
            log.warning(
                "settings read again: %s changed; %s until a restart as before",
                ", ".join(name for name in changed if name in LIVE) or "nothing",
                ", ".join(fixed) or "nothing",
            )
        else:
            log.warning("settings read again: nothing has changed")
        await self._registry.reload_all()
