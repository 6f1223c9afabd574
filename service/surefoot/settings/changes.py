"""What of a configuration can be changed under a running service. Pure."""

from __future__ import annotations

from surefoot.settings.bounds import LimitSettings
from surefoot.settings.settings import Settings

# The lines of loaded models hold it.
_FIXED_LIMITS = {"max_steps"}

LIVE = frozenset({"log_level", *(f"limits.{name}" for name in set(LimitSettings.model_fields) - _FIXED_LIMITS)})
"""Settings that hold from the next request on; every other one is read at start alone."""


def changed_settings(before: Settings, after: Settings) -> list[str]:
    """Dotted names, in the order of the settings, of what differs; never its values."""
    names = []
    for name in Settings.model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if isinstance(old, LimitSettings):
            names += [
                f"{name}.{part}" for part in LimitSettings.model_fields if getattr(old, part) != getattr(new, part)
            ]
        elif old != new:
            names.append(name)
    return names


def with_live_settings(before: Settings, after: Settings) -> Settings:
    """`before`, with what of `after` is `LIVE`."""
    fixed = {name: getattr(before.limits, name) for name in _FIXED_LIMITS}
    limits = after.limits.model_copy(update=fixed)
    return before.model_copy(update={"log_level": after.log_level, "limits": limits})
