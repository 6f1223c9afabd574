"""Slopes and their ratio, and what a report says of them."""

import math

import pytest

from surefoot.training.label_efficiency import (
    Measure,
    Point,
    efficiency,
    headline,
    report_json,
    report_markdown,
    slope,
)
from surefoot.training.label_plot import draw_measures


def line(measure: Measure, gain: float, start: float = 0.5) -> list[Point]:
    """Rounds whose measure rises by `gain` with the logarithm of the labels."""
    return [Point(number, 100 * number, {measure: start + gain * math.log(100 * number)}) for number in (1, 2, 3, 4)]


def test_a_slope_is_that_against_the_logarithm() -> None:
    assert slope(line("f1", 0.05), "f1") == pytest.approx(0.05)


def test_a_slope_is_the_least_squares_one() -> None:
    points = [Point(1, 1, {"f1": 0.0}), Point(2, 10, {"f1": 1.0}), Point(3, 100, {"f1": 0.5})]
    assert slope(points, "f1") == pytest.approx(0.25 / math.log(10))


def test_one_number_of_labels_has_no_slope() -> None:
    assert slope(line("f1", 0.05)[:1], "f1") is None


def test_data_efficiency_is_the_ratio_of_slopes() -> None:
    lines = {"convincing": line("f1", 0.052), "uniform": line("f1", 0.02)}
    assert efficiency(lines, "f1") == pytest.approx(2.6)
    assert "2.60 times" in headline(lines)


def test_a_loss_that_falls_faster_is_the_more_efficient() -> None:
    assert efficiency({"convincing": line("loss", -0.2), "uniform": line("loss", -0.1)}, "loss") == pytest.approx(2)


@pytest.mark.parametrize("gain", [0.0, -0.1])
def test_there_is_no_ratio_where_a_uniform_choice_gains_nothing(gain: float) -> None:
    assert efficiency({"convincing": line("f1", 0.1), "uniform": line("f1", gain, 1)}, "f1") is None


def test_a_measure_that_is_missing_is_told_as_missing() -> None:
    lines = {"uniform": [Point(1, 10, {"loss": 0.25})]}
    assert "| uniform | 1 | 10 | – | – | 0.2500 |" in report_markdown(lines, {}, None)


def test_the_report_has_slopes_ratios_and_points() -> None:
    lines = {"convincing": line("f1", 0.04), "uniform": line("f1", 0.02)}
    report = report_json(lines, {"seed": 1})
    assert report["data_efficiency"]["f1"] == pytest.approx(2)
    assert report["slopes"]["uniform"]["auroc"] is None
    assert [point["num_labels"] for point in report["rounds"]["convincing"]] == [100, 200, 300, 400]


def test_the_plot_of_both_lines_is_the_same_each_time(tmp_path) -> None:
    lines = {"convincing": line("f1", 0.04), "uniform": line("f1", 0.02)}
    paths = [tmp_path / name for name in ("a.svg", "b.svg")]
    for path in paths:
        draw_measures(lines, [path])
    assert paths[0].read_bytes() == paths[1].read_bytes()
