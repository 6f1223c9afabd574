"""The only reader of the environment and of the configuration file; every room receives plain arguments.

Order: command line, then `SUREFOOT_*` variables (nested ones with two underscores, `SUREFOOT_GENERATOR__ENGINE`),
then the TOML file named by `--config` or `SUREFOOT_CONFIG`, then the defaults below.
"""

from surefoot.settings.auth import AuthSettings
from surefoot.settings.bounds import GpuSettings, LimitSettings, SchedulerSettings
from surefoot.settings.changes import LIVE, changed_settings, with_live_settings
from surefoot.settings.generators import Example, GeneratorSettings, RemoteGeneratorSettings
from surefoot.settings.models import CandidateSettings, ModelSettings
from surefoot.settings.section import Section
from surefoot.settings.settings import Settings, load_settings
from surefoot.settings.telemetry import TelemetrySettings

__all__ = [
    "LIVE",
    "AuthSettings",
    "CandidateSettings",
    "Example",
    "GeneratorSettings",
    "GpuSettings",
    "LimitSettings",
    "ModelSettings",
    "RemoteGeneratorSettings",
    "SchedulerSettings",
    "Section",
    "Settings",
    "TelemetrySettings",
    "changed_settings",
    "load_settings",
    "with_live_settings",
]
