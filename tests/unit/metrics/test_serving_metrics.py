"""What Prometheus scrapes: one registry a replica, names and labels that dashboards rely on."""

import pytest

from surefoot.domain import Usage
from surefoot.metrics import PrometheusTelemetry


def test_requests_are_counted_by_route_and_status(telemetry, value) -> None:
    for status in (200, 200, 422):
        telemetry.request_finished("/score", status, 0.1)
    assert value("requests_total", route="/score", status="200") == 2


def test_latency_is_observed_in_seconds(telemetry, value) -> None:
    telemetry.request_finished("/score", 200, 0.25)
    assert value("request_seconds_sum", route="/score") == 0.25


def test_errors_are_counted_by_code(telemetry, value) -> None:
    telemetry.error("no_steps")
    assert value("errors_total", code="no_steps") == 1


def test_the_queue_shows_its_last_state(telemetry, value) -> None:
    telemetry.queue_changed("lm", 5, 700)
    telemetry.queue_changed("lm", 2, 300)
    shown = [value(f"queue_{what}", backend="lm") for what in ("requests", "tokens")]
    assert shown == [2, 300]


@pytest.mark.parametrize(
    ("name", "total"),
    [("batch_items", 3), ("batch_tokens", 90), ("forward_seconds", 0.5), ("queue_seconds", 0.75)],
)
def test_a_batch_is_observed(telemetry, value, name, total) -> None:
    telemetry.batch_forwarded("lm", 3, 90, [0.25, 0.25, 0.25], 0.5)
    assert value(f"{name}_sum", backend="lm") == total


def test_every_input_of_a_batch_waited_for_itself(telemetry, value) -> None:
    telemetry.batch_forwarded("lm", 3, 90, [0.25, 0.25, 0.25], 0.5)
    assert value("queue_seconds_count", backend="lm") == 3


def test_scored_tokens_are_counted_by_model(telemetry, value) -> None:
    telemetry.group_scored("prm", Usage(100, 60, 30))
    telemetry.group_scored("prm", Usage(10, 10))
    counted = [value(f"{what}_tokens_total", model="prm") for what in ("prompt", "unique", "cached")]
    assert counted == [110, 70, 30]


@pytest.mark.parametrize(
    ("name", "total"),
    [("sampled_candidates_total", 4), ("sampled_tokens_total", 400), ("sample_seconds_sum", 2.0)],
)
def test_sampling_is_measured_by_generator(telemetry, value, name, total) -> None:
    telemetry.candidates_sampled("default", 4, 400, 2.0)
    assert value(f"{name}", generator="default") == total


def test_failed_sampling_is_counted(telemetry, value) -> None:
    telemetry.sampler_failed("default")
    assert value("sampler_failures_total", generator="default") == 1


def test_tokenising_is_timed_by_model(telemetry, value) -> None:
    telemetry.group_prepared("prm", 0.25)
    assert value("tokenise_seconds_sum", model="prm") == 0.25


def test_refusals_are_counted_by_reason(telemetry, value) -> None:
    telemetry.admission_refused("lm", "queue_full")
    assert value("admission_refusals_total", backend="lm", reason="queue_full") == 1


def test_hits_are_counted_by_cache(telemetry, value) -> None:
    telemetry.cache_hit("lm", "prefixes", 3, 90)
    counted = [value(f"cache_{what}_total", backend="lm", cache="prefixes") for what in ("hits", "hit_tokens")]
    assert counted == [3, 90]


def test_two_replicas_do_not_share_counters(telemetry) -> None:
    PrometheusTelemetry().error("no_steps")
    assert b'code="no_steps"' not in telemetry.render()
