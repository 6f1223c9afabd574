"""Prometheus behind the Telemetry port: what serving costs, and what the rewards look like."""

from surefoot.metrics.engines import EngineHealth
from surefoot.metrics.telemetry import PrometheusTelemetry

__all__ = ["EngineHealth", "PrometheusTelemetry"]
