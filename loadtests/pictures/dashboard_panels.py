"""What the dashboard of deploy/ shows: its panels by rows, with the variables of their queries filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from loadtests.servers.prometheus_server import DEPLOY

DASHBOARD = DEPLOY / "grafana/surefoot.json"
ANYTHING = ".*"


@dataclass(frozen=True, slots=True)
class Query:
    """An expression, and how its series are named: `{{label}}` stands for a label's value."""

    expression: str
    legend: str

    def name_of(self, labels: Mapping[str, str]) -> str:
        """What the legend calls a series with these labels."""
        return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), self.legend)


@dataclass(frozen=True, slots=True)
class Panel:
    """A diagram: `kind` is Grafana's name of it, `unit` Grafana's name of what its axis counts."""

    title: str
    kind: str
    unit: str
    queries: tuple[Query, ...]


def dashboard_rows(rate_interval: str) -> dict[str, list[Panel]]:
    """The panels of each row by its title, in the order of their places; rates are over an interval such as `30s`."""
    values = {"$__rate_interval": rate_interval, "$job": ANYTHING, "$model": ANYTHING}
    rows: dict[str, list[Panel]] = {}
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    title = ""
    for panel in sorted(panels, key=lambda each: (each["gridPos"]["y"], each["gridPos"]["x"])):
        if panel["type"] == "row":
            title = panel["title"]
            continue
        queries = tuple(Query(_filled(target["expr"], values), target["legendFormat"]) for target in panel["targets"])
        unit = panel["fieldConfig"]["defaults"].get("unit", "short")
        rows.setdefault(title, []).append(Panel(panel["title"], panel["type"], unit, queries))
    return rows


def _filled(expression: str, values: Mapping[str, str]) -> str:
    for variable, value in values.items():
        expression = expression.replace(variable, value)
    return expression
