"""Measurements go to Prometheus, and to a collector of spans where one is configured."""

import sys

import pytest

from surefoot.errors import SettingsInvalid
from surefoot.metrics import PrometheusTelemetry
from surefoot.metrics.traces import TracingTelemetry
from surefoot.settings import Settings, TelemetrySettings, load_settings
from surefoot.wiring.telemetry import build_telemetry

ENDPOINT = "http://127.0.0.1:4318/v1/traces"


def test_no_spans_are_made_unless_asked_for() -> None:
    assert type(build_telemetry(Settings().telemetry)) is PrometheusTelemetry


def test_an_endpoint_has_spans_made() -> None:
    telemetry = build_telemetry(TelemetrySettings(otlp_endpoint=ENDPOINT))
    telemetry.close()
    assert isinstance(telemetry, TracingTelemetry)


def test_without_the_library_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.delitem(sys.modules, "surefoot.metrics.traces")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsInvalid, match=r"pip install 'surefoot\[otel\]'") as refused:
        build_telemetry(TelemetrySettings(otlp_endpoint=ENDPOINT))
    assert refused.value.param == "telemetry.otlp_endpoint"


@pytest.mark.parametrize("endpoint", ["localhost:4318", "http://localhost:4318", "ftp://a/b", "http:///v1/traces"])
def test_an_endpoint_is_a_whole_address(endpoint) -> None:
    with pytest.raises(SettingsInvalid, match=r"telemetry\.otlp_endpoint"):
        load_settings(telemetry={"otlp_endpoint": endpoint})
