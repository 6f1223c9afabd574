"""A real Prometheus scrapes a real server: every panel and every rule of deploy/ is answered."""

from __future__ import annotations

import json
import math
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from surefoot_client import SurefootClient

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")

DEPLOY = Path(__file__).parents[2] / "deploy"
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
VARIABLES = {"$__rate_interval": "30s", "$job": ".*", "$model": ".*"}
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
    "Models that are ready",
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
}


def targets() -> Iterator[tuple[str, str]]:
    """Title and expression of every query of the dashboard, its variables filled in."""
    for panel in json.loads((DEPLOY / "grafana/surefoot.json").read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for variable, value in VARIABLES.items():
                expression = expression.replace(variable, value)
            yield panel["title"], expression


def configuration(folder: Path, server: str) -> Path:
    """The example of deploy/, with this server, at the pace of a test."""
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [urlsplit(server).netloc]
    shutil.copy(DEPLOY / "prometheus/rules.yml", folder)
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


class Prometheus:
    """A running one, asked over HTTP."""

    def __init__(self, folder: Path, server: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.log = folder / "prometheus.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={configuration(folder, server)}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{port}",
                ],
                stdout=output,
                stderr=output,
            )
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30)

    def get(self, path: str, **parameters: str) -> Any:
        """The data of an answer that says success."""
        answer = self.http.get(path, params=parameters).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        return self.get("/query", query=expression)["result"]

    def wait_for(self, expression: str) -> None:
        """Until the expression has a result."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.query(expression):
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.5)
        pytest.fail(f"no result of {expression}:\n{self.log.read_text(errors='replace')[-4000:]}")

    def close(self) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait(30)


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


@pytest.mark.parametrize(("title", "expression"), list(targets()))
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
