"""What deploy/ asks of Prometheus is what the service exposes; with promtool the rules are tested for themselves."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from exercised_metrics import ADDED_BY_PROMETHEUS, exposed, grouping_labels, names_and_labels

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy/prometheus"
RULES = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "rules.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RULE_TESTS = yaml.safe_load((PROMETHEUS / "rules_test.yml").read_text(encoding="utf-8"))["tests"]
DASHBOARD = json.loads((ROOT / "deploy/grafana/surefoot.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = {
    **{rule.get("alert", rule.get("record")): rule["expr"] for rule in RULES},
    **{f"{panel['title']} {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]},
}
NEEDS_PROMTOOL = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


@pytest.fixture
def series(monkeypatch) -> dict[str, set[str]]:
    """All that a query may name, with its labels: exposed, recorded, or Prometheus' own."""
    known = {name: labels for family in exposed(monkeypatch).values() for name, labels in family.series.items()}
    recorded = {rule["record"]: grouping_labels(rule["expr"]) or {"gpu"} for rule in RULES if "record" in rule}
    return {"up": set()} | known | recorded


def promtool(*arguments: str) -> str:
    """What it says; fails unless it is content."""
    done = subprocess.run(["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_expression_asks_for_series_that_exist(series, name) -> None:
    selectors = list(names_and_labels(EXPRESSIONS[name]))
    assert selectors
    assert {metric for metric, _ in selectors} <= set(series)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_expression_asks_for_labels_that_exist(series, name) -> None:
    selectors = list(names_and_labels(EXPRESSIONS[name]))
    known = set().union(*(series[metric] for metric, _ in selectors)) | ADDED_BY_PROMETHEUS
    assert grouping_labels(EXPRESSIONS[name]) <= known
    assert [
        (metric, labels) for metric, labels in selectors if not labels <= series[metric] | ADDED_BY_PROMETHEUS
    ] == []


def test_a_misspelt_metric_is_found() -> None:
    expression = 'sum by (jobb) (rate(surefoot_request_total{rout="/score"}[5m])) / up'
    assert list(names_and_labels(expression)) == [("surefoot_request_total", {"rout"}), ("up", set())]
    assert grouping_labels(expression) == {"jobb"}


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_is_seen_to_fire(alert) -> None:
    fired = [
        check
        for case in RULE_TESTS
        for check in case.get("alert_rule_test", [])
        if check["alertname"] == alert and check["exp_alerts"]
    ]
    assert len(fired) == 1


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_is_seen_not_to_fire_on_series_that_it_reads(series, alert) -> None:
    [healthy] = [case for case in RULE_TESTS if case["name"] == "nothing fires on a healthy service"]
    assert [c["exp_alerts"] for c in healthy["alert_rule_test"] if c["alertname"] == alert] == [[], [], []]
    given = {re.split(r"\{", entry["series"])[0] for entry in healthy["input_series"]}
    recorded = {rule["record"]: rule["expr"] for rule in RULES if "record" in rule}
    read = {
        metric
        for name, _ in names_and_labels(ALERTS[alert]["expr"])
        for metric, _ in names_and_labels(recorded.get(name, name))
    }
    assert read <= given


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_a_paragraph_on_what_to_do(alert) -> None:
    path, _, anchor = ALERTS[alert]["annotations"]["runbook"].partition("#")
    assert f"### {alert}\n" in (ROOT / path).read_text(encoding="utf-8")
    assert anchor == alert.lower()


def test_every_metric_is_on_the_dashboard(monkeypatch) -> None:
    shown = {metric for panel in PANELS for t in panel["targets"] for metric, _ in names_and_labels(t["expr"])}
    assert [family.name for family in exposed(monkeypatch).values() if not shown & set(family.series)] == []


def test_panels_do_not_lie_on_one_another() -> None:
    places = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24


def test_panels_have_an_id_each() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


@NEEDS_PROMTOOL
def test_promtool_finds_no_fault_in_the_rules() -> None:
    assert f"{len(RULES)} rules found" in promtool("check", "rules", "rules.yml")


@NEEDS_PROMTOOL
def test_promtool_finds_no_fault_in_the_example_of_a_configuration() -> None:
    assert "SUCCESS" in promtool("check", "config", "prometheus.yml")


@NEEDS_PROMTOOL
def test_every_alert_fires_when_it_should_and_only_then() -> None:
    assert "SUCCESS" in promtool("test", "rules", "rules_test.yml")


@NEEDS_PROMTOOL
def test_promtool_finds_no_fault_in_the_metrics(monkeypatch) -> None:
    text = "".join(
        f"# HELP {family.shown_name} {family.help}\n# TYPE {family.shown_name} {family.type}\n"
        for family in exposed(monkeypatch).values()
    )
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
