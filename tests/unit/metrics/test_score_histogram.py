"""Histograms that count at once what others count one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram

from surefoot.metrics.score_histogram import SCORE_BOUNDS, VARIANCE_BOUNDS, ScoreHistogram

BOUNDS = (0.0, 0.25, 0.5, 1.0)


def samples(registry: CollectorRegistry) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


# Halves of powers of two: sums of them are exact in any order.
@given(st.lists(st.lists(st.integers(-8, 16).map(lambda value: value / 8), max_size=8), min_size=1, max_size=3))
def test_it_counts_as_the_library_does(groups) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    histogram = ScoreHistogram("h", "H.", ["model"], ours)
    reference = Histogram("h", "H.", ["model"], buckets=BOUNDS, registry=theirs)
    for group in groups:
        histogram.observe(("m",), np.array(group), BOUNDS)
        for value in group:
            reference.labels("m").observe(value)
    assert samples(ours) == samples(theirs)


def test_series_of_one_family_have_their_own_bounds() -> None:
    registry = CollectorRegistry()
    histogram = ScoreHistogram("h", "H.", ["model"], registry)
    histogram.observe(("a",), [0.5], (1.0,))
    histogram.observe(("b",), [0.5], (0.25,))
    found = samples(registry)
    assert (found["h_bucket", "a", "1.0"], found["h_bucket", "b", "0.25"], found["h_bucket", "b", "+Inf"]) == (1, 0, 1)


def test_a_sum_that_may_fall_is_not_told() -> None:
    registry = CollectorRegistry()
    ScoreHistogram("h", "H.", ["model"], registry).observe(("m",), [-3.0], (-1.0, 1.0))
    assert {name for name, *_ in samples(registry)} == {"h_bucket"}


@pytest.mark.parametrize("bounds", [*SCORE_BOUNDS.values(), *VARIANCE_BOUNDS.values()])
def test_bounds_ascend(bounds) -> None:
    assert list(bounds) == sorted(set(bounds))
