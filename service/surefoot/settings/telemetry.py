"""What is measured, and who is told."""

from __future__ import annotations

from pydantic import Field

from surefoot.settings.section import Section


class TelemetrySettings(Section):
    """Drift of the scores, and traces: `[telemetry]` in the file."""

    drift_reference: int = Field(1000, ge=100)
    """Solutions of each model since the start that later ones are compared with: more than what one training step or
    one batch of problems brings, or the reference is about those problems."""
    drift_recent: int = Field(1000, ge=100)
    """Solutions of late that are compared with them: fewer are told sooner, and are noisier."""
    otlp_endpoint: str | None = Field(None, pattern=r"^https?://[^\s/]+/\S*$")
    """Where spans of requests with a sampled `traceparent` are sent by OTLP over HTTP, path included
    (`http://localhost:4318/v1/traces`); needs `surefoot[otel]`. Without it none are made."""
