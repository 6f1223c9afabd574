"""docs/metrics.md tells every metric as it is exposed."""

import re
from pathlib import Path

from exercised_metrics import exposed

DOCUMENT = (Path(__file__).parents[2] / "docs/metrics.md").read_text(encoding="utf-8")


def test_the_tables_hold_every_metric_as_it_is_exposed(monkeypatch) -> None:
    told = re.findall(r"^\| `(surefoot_\w+)` \| (\w+) \| (.*?) \| (.*) \|$", DOCUMENT, re.MULTILINE)
    real = {
        (family.shown_name, family.type, ", ".join(f"`{label}`" for label in family.labels) or "-", family.help)
        for family in exposed(monkeypatch).values()
    }
    assert set(told) == real
