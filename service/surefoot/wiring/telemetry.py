"""Where the service's measurements go."""

from __future__ import annotations

from surefoot.errors import SettingsInvalid
from surefoot.metrics import PrometheusTelemetry
from surefoot.settings import TelemetrySettings


def build_telemetry(settings: TelemetrySettings) -> PrometheusTelemetry:
    """Prometheus', and spans beside it where a collector is configured. Raises `SettingsInvalid` without the libraries
    for that."""
    windows = settings.drift_reference, settings.drift_recent
    if settings.otlp_endpoint is None:
        return PrometheusTelemetry(*windows)
    try:
        from surefoot.metrics.traces import TracingTelemetry, otlp_exporter
    except ImportError as cause:
        raise SettingsInvalid(
            "telemetry.otlp_endpoint is set, but OpenTelemetry is not installed: pip install 'surefoot[otel]', "
            "or leave it out",
            param="telemetry.otlp_endpoint",
        ) from cause
    return TracingTelemetry(otlp_exporter(settings.otlp_endpoint), *windows)
