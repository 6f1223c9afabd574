"""A real Prometheus scrapes a real server: every panel and every rule of deploy/ is answered."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from loadtests.pictures.dashboard_panels import dashboard_rows
from loadtests.servers.prometheus_server import Prometheus

from surefoot_client import SurefootClient

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")

CONFIG = """
[[models]]
name = "prm"
profile = "embedded-prm"

[[models]]
name = "orm"
profile = "embedded-orm"

[generator]
engine = "none"
"""
PROBLEMS = ("Two bags of 3 apples and one of 4. How many apples?", "Lea has 6 apples and buys 4. How many apples?")
CANDIDATES = [
    "2 * 3 = 6\n6 + 4 = 10\nThe answer is 10.",
    "2 * 3 = 5\nThe answer is 9.",
    "2 + 3 = 5\n5 + 4 = 9\n9 + 1 = 10\nThe answer is 10.",
]
SHOWS_DATA = {
    "Requests by route",
    "Share of 5xx",
    "End to end",
    "Waiting in the queue",
    "Tokenising",
    "Forward pass",
    "Inputs waiting",
    "Tokens a pass",
    "Share of unique tokens",
    "Share known from before",
    "Inputs known by a cache",
    "Caches filled",
    "Models that are ready",
    "Engine faults",
    "Time since the start",
    "Step scores",
    "Solution scores",
    "Distribution of solution scores",
    "Variance within a group",
    "Score against length",
    "Share saturated",
    "Steps of a solution",
    "Groups whose bests differ",
    "Agreement of both models",
    "Memory of the process",
    "Memory of known prefixes",
}


def targets() -> list[tuple[str, str]]:
    """Title and expression of every query of the dashboard, its variables filled in."""
    panels = [panel for row in dashboard_rows("30s").values() for panel in row]
    return [(panel.title, query.expression) for panel in panels for query in panel.queries]


@pytest.fixture(scope="module")
def prometheus(launch_for_module: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One that has scraped a server before, during and after some work."""
    server = launch_for_module(CONFIG)
    server.wait_for_url()
    server.wait_until_ready()
    running = Prometheus(tmp_path_factory.mktemp("prometheus"), server.url)
    try:
        with SurefootClient(server.url, timeout_s=120) as client:
            # The first work brings series to life, of which only what follows is an increase.
            _work(client, PROBLEMS[0])
            running.wait_for('count_over_time(surefoot_compared_groups_total{process="prm"}[1m]) > 2')
            _work(client, PROBLEMS[1])
        running.wait_for("increase(surefoot_compared_groups_total[30s]) > 0")
        yield running
    finally:
        running.close()


def _work(client: SurefootClient, problem: str) -> None:
    """Both models are compared, and what the second request asks is known from the first."""
    client.rerank(problem, CANDIDATES, strategy="process_outcome")
    client.score([{"problem": problem, "solution": text} for text in CANDIDATES])


@pytest.mark.parametrize(("title", "expression"), targets())
def test_every_panel_is_answered(prometheus: Prometheus, title: str, expression: str) -> None:
    result = prometheus.query(expression)
    if title in SHOWS_DATA:
        assert result, expression
        assert not all(math.isnan(float(series["value"][1])) for series in result), expression


def test_no_panel_that_shows_data_is_misnamed() -> None:
    assert {title for title, _ in targets()} >= SHOWS_DATA


def test_every_rule_is_evaluated_without_an_error(prometheus: Prometheus) -> None:
    rules = [rule for group in prometheus.get("/rules")["groups"] for rule in group["rules"]]
    assert {(rule["health"], rule.get("lastError", "")) for rule in rules} == {("ok", "")}


def test_nothing_fires_over_a_healthy_server(prometheus: Prometheus) -> None:
    assert [alert for alert in prometheus.get("/alerts")["alerts"] if alert["state"] == "firing"] == []


def test_series_are_few(prometheus: Prometheus) -> None:
    """A thousand series a replica are nothing to Prometheus; a label with users' text would soon be more."""
    [series] = prometheus.query('count({__name__=~"surefoot_.+"})')
    assert float(series["value"][1]) < 1000


def test_no_series_holds_a_text_of_a_user(prometheus: Prometheus) -> None:
    found = prometheus.query('{__name__=~"surefoot_.+"}')
    values = {value for series in found for value in series["metric"].values()}
    assert [value for value in values if re.search(r"apples|answer|\d \+ \d", value)] == []
