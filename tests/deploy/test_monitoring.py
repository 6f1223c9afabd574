"""Prometheus finds the scorers, the rules are those of deploy/prometheus, the autoscaler's metric exists."""

from __future__ import annotations

import re

import pytest
import yaml

from deploy.rendering import KUBERNETES, ROOT, Rendered, matches, render
from exercised_metrics import exposed
from surefoot.settings import SchedulerSettings

RULES = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text(encoding="utf-8"))
ADAPTER = yaml.safe_load((KUBERNETES / "prometheus-adapter.yaml").read_text(encoding="utf-8"))


def test_the_rules_are_written_once(gpu: Rendered) -> None:
    """Run deploy/kubernetes/monitoring/make-prometheus-rule where this fails."""
    assert gpu.one("PrometheusRule", "surefoot")["spec"] == RULES


def test_the_service_monitor_finds_one_service_and_its_port(gpu: Rendered) -> None:
    """Two would have every replica scraped twice, and every rate doubled."""
    spec = gpu.one("ServiceMonitor", "surefoot")["spec"]
    found = [each for each in gpu.of("Service") if matches(spec["selector"]["matchLabels"], each["metadata"]["labels"])]
    assert [each["metadata"]["name"] for each in found] == ["surefoot"]
    [endpoint] = spec["endpoints"]
    assert endpoint["port"] in {port["name"] for port in found[0]["spec"]["ports"]}
    # The alert on a target that is down names the job.
    [down] = [rule for group in RULES["groups"] for rule in group["rules"] if rule.get("alert") == "SurefootDown"]
    assert f'job="{found[0]["metadata"]["labels"][spec["jobLabel"]]}"' in down["expr"]


def test_the_service_monitor_asks_a_route_that_exists(gpu: Rendered) -> None:
    [endpoint] = gpu.one("ServiceMonitor", "surefoot")["spec"]["endpoints"]
    routes = (ROOT / "docs/openapi.json").read_text(encoding="utf-8")
    assert f'"{endpoint["path"]}"' in routes


def test_monitoring_beside_an_overlay_is_the_same_as_in_one(gpu: Rendered) -> None:
    alone = render(KUBERNETES / "monitoring")
    assert sorted(alone.objects, key=str) == sorted(gpu.of("ServiceMonitor", "PrometheusRule"), key=str)


def test_the_autoscaler_asks_for_a_metric_that_the_adapter_makes_of_ours(
    rendered: Rendered, monkeypatch: pytest.MonkeyPatch
) -> None:
    [scaler] = rendered.of("HorizontalPodAutoscaler")
    [wanted] = [metric["pods"]["metric"]["name"] for metric in scaler["spec"]["metrics"]]
    [rule] = ADAPTER["rules"]["custom"]
    assert rule["name"]["as"] == wanted
    series = rule["seriesQuery"].partition("{")[0]
    assert re.search(rule["name"]["matches"], series)
    known = {name for family in exposed(monkeypatch).values() for name in family.series}
    assert series in known
    assert rule["resources"]["overrides"].keys() == {"namespace", "pod"}


def test_the_autoscaler_acts_before_the_queue_refuses(rendered: Rendered) -> None:
    [scaler] = rendered.of("HorizontalPodAutoscaler")
    [metric] = scaler["spec"]["metrics"]
    target = int(metric["pods"]["target"]["averageValue"])
    # Above what a few passes hold, so that batching alone is no reason; far below where requests are refused.
    assert 3 * 4096 <= target <= SchedulerSettings().max_queue_tokens / 10
