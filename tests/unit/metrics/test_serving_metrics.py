"""What Prometheus scrapes: one registry a replica, names and labels that dashboards rely on."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from surefoot.domain import Usage
from surefoot.metrics import PrometheusTelemetry


@pytest.fixture
def telemetry() -> PrometheusTelemetry:
    return PrometheusTelemetry()


def value(telemetry: PrometheusTelemetry, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(telemetry.render().decode())
    [found] = [
        sample.value
        for family in families
        for sample in family.samples
        if (sample.name, sample.labels) == (name, labels)
    ]
    return found


def test_requests_are_counted_by_route_and_status(telemetry) -> None:
    for status in (200, 200, 422):
        telemetry.request_finished("/score", status, 0.1)
    assert value(telemetry, "surefoot_requests_total", route="/score", status="200") == 2


def test_latency_is_observed_in_seconds(telemetry) -> None:
    telemetry.request_finished("/score", 200, 0.25)
    assert value(telemetry, "surefoot_request_seconds_sum", route="/score") == 0.25


def test_errors_are_counted_by_code(telemetry) -> None:
    telemetry.error("no_steps")
    assert value(telemetry, "surefoot_errors_total", code="no_steps") == 1


def test_the_queue_shows_its_last_state(telemetry) -> None:
    telemetry.queue_changed("lm", 5, 700)
    telemetry.queue_changed("lm", 2, 300)
    shown = [value(telemetry, f"surefoot_queue_{what}", backend="lm") for what in ("requests", "tokens")]
    assert shown == [2, 300]


@pytest.mark.parametrize(
    ("name", "total"),
    [("batch_items", 3), ("batch_tokens", 90), ("forward_seconds", 0.5), ("queue_seconds", 0.75)],
)
def test_a_batch_is_observed(telemetry, name, total) -> None:
    telemetry.batch_forwarded("lm", 3, 90, [0.25, 0.25, 0.25], 0.5)
    assert value(telemetry, f"surefoot_{name}_sum", backend="lm") == total


def test_every_input_of_a_batch_waited_for_itself(telemetry) -> None:
    telemetry.batch_forwarded("lm", 3, 90, [0.25, 0.25, 0.25], 0.5)
    assert value(telemetry, "surefoot_queue_seconds_count", backend="lm") == 3


def test_scored_tokens_are_counted_by_model(telemetry) -> None:
    telemetry.group_scored("prm", Usage(100, 60, 30))
    telemetry.group_scored("prm", Usage(10, 10))
    counted = [
        value(telemetry, f"surefoot_{what}_tokens_total", model="prm") for what in ("prompt", "unique", "cached")
    ]
    assert counted == [110, 70, 30]


@pytest.mark.parametrize(
    ("name", "total"),
    [("sampled_candidates_total", 4), ("sampled_tokens_total", 400), ("sample_seconds_sum", 2.0)],
)
def test_sampling_is_measured_by_generator(telemetry, name, total) -> None:
    telemetry.candidates_sampled("default", 4, 400, 2.0)
    assert value(telemetry, f"surefoot_{name}", generator="default") == total


def test_failed_sampling_is_counted(telemetry) -> None:
    telemetry.sampler_failed("default")
    assert value(telemetry, "surefoot_sampler_failures_total", generator="default") == 1


def test_two_replicas_do_not_share_counters(telemetry) -> None:
    PrometheusTelemetry().error("no_steps")
    assert b'code="no_steps"' not in telemetry.render()
