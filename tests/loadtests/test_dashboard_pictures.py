"""The dashboard's panels as they are asked for and drawn, without a Prometheus."""

import json
import math

import numpy as np
import pytest
from loadtests.dashboard_panels import DASHBOARD, Panel, Query, dashboard_rows
from loadtests.dashboard_pictures import UNITS, buckets_of, draw_row
from matplotlib.image import imread

BEGIN, END = 1000.0, 1060.0
PANELS = [panel for row in dashboard_rows("30s").values() for panel in row]


def values(*numbers: float) -> list[tuple[float, str]]:
    return [(BEGIN + 10 * place, str(number)) for place, number in enumerate(numbers)]


def test_every_panel_is_in_a_row() -> None:
    titles = [panel["title"] for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]]
    rows = dashboard_rows("30s")
    assert sorted(titles) == sorted([*rows, *(panel.title for row in rows.values() for panel in row)])


def test_no_variable_is_left_in_a_query() -> None:
    queries = [query.expression for panel in PANELS for query in panel.queries]
    assert len(queries) > len(PANELS)
    assert [query for query in queries if "$" in query] == []


def test_every_unit_of_the_dashboard_can_be_written() -> None:
    assert {panel.unit for panel in PANELS} <= set(UNITS)


def test_a_series_is_named_by_its_labels() -> None:
    assert Query("up", "p95 {{route}} {{ no_such }}").name_of({"route": "/score"}) == "p95 /score "


@pytest.mark.parametrize(
    ("unit", "value", "written"),
    [("s", 0.25, "250 ms"), ("s", 2.0, "2 s"), ("bytes", 3 * 2**20, "3 MiB"), ("percentunit", 0.5, "50 %")],
)
def test_values_are_written_in_their_unit(unit, value, written) -> None:
    assert UNITS[unit].write(value) == written


def test_a_bucket_holds_what_the_one_below_does_not() -> None:
    series = {"0.1": values(1, 2), "0.5": values(1, 5), "+Inf": values(1, 5)}
    asked = [{"metric": {"le": bound}, "values": points} for bound, points in series.items()]
    times, bounds, counts = buckets_of(Query("x", ""), lambda _: asked, BEGIN)
    assert (times.tolist(), bounds, counts.tolist()) == ([0, 10], [0.1, 0.5], [[1, 2], [0, 3]])


def test_what_is_beyond_every_bound_is_shown_where_there_is_any() -> None:
    asked = [{"metric": {"le": "0.1"}, "values": values(1)}, {"metric": {"le": "+Inf"}, "values": values(4)}]
    _, bounds, counts = buckets_of(Query("x", ""), lambda _: asked, BEGIN)
    assert (bounds, counts.tolist()) == ([0.1, math.inf], [[1], [3]])


def test_a_row_is_drawn_with_full_and_empty_panels_and_a_heatmap(tmp_path) -> None:
    answers = {
        "full": [{"metric": {"model": "prm"}, "values": values(0.1, float("nan"), 0.3)}],
        "nought": [{"metric": {"model": "prm"}, "values": values(0, 0)}],
        "empty": [],
        "spread": [{"metric": {"le": bound}, "values": values(1, 3)} for bound in ("0.5", "+Inf")],
    }
    panels = [
        *(Panel(name, "timeseries", "short", (Query(name, "{{model}}"),)) for name in ("full", "nought", "empty")),
        *(Panel(name, "heatmap", "short", (Query(name, "{{le}}"),)) for name in ("spread", "empty")),
    ]
    path = tmp_path / "row.png"
    draw_row(panels, answers.__getitem__, (BEGIN, END), [path, path.with_suffix(".svg")])
    height, width, _ = imread(path).shape
    assert (height > 300, width > 900) == (True, True)
    assert path.with_suffix(".svg").stat().st_size > 1000
    assert np.unique(imread(path).reshape(-1, 4), axis=0).shape[0] > 10
