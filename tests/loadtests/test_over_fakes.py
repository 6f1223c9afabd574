"""One drill and one scenario of k6, small, over servers on the fakes."""

import json
import math

import pytest
from loadtests.drills.network import bad_network
from loadtests.servers.surefoot_server import fake_server
from loadtests.traffic.bench import Bench, sound
from loadtests.traffic.k6 import read_summary, run_k6
from loadtests.traffic.report import write_report
from loadtests.traffic.scenarios import steady

NUM_ITEMS = 1_000


def test_a_bad_network_loses_and_doubles_nothing() -> None:
    drilled = bad_network(NUM_ITEMS)
    assert drilled.failures == []
    assert drilled.counts.answered == NUM_ITEMS


@pytest.fixture(scope="module")
def bench():
    """A server that is far quicker than what is sent: nothing but what is counted is looked at."""
    with fake_server("") as server:
        yield Bench(server, seconds=3.0, capacity=10.0)


def test_k6_and_its_thresholds(bench) -> None:
    wanted = {"accepted_p99_ms": 30_000.0, "refused_p95_ms": None}
    found = run_k6(bench.url, bench.bodies, 5.0, 3.0, least_answered=10, **wanted)
    assert (found.is_met, found.broken, found.refused) == (True, 0, 0)
    assert 14 <= found.answered <= 16
    assert 0 < found.accepted_p99_ms < 30_000
    crossed = run_k6(bench.url, bench.bodies, 5.0, 1.0, least_answered=1_000, **wanted)
    assert (crossed.is_met, crossed.broken) == (False, 0)


def test_a_scenario_measures_what_others_are_compared_with_and_is_reported(bench, tmp_path) -> None:
    result = steady(bench)
    assert bench.p99_s > 0
    assert [check.measured for check in sound(result.outcomes)[:2]] == ["0", "0"]
    text = write_report(tmp_path, [result], {"command": "…"})
    assert f"| 80% of the capacity | {len(result.outcomes)} | {len(result.outcomes)} |" in text
    assert {file.name for file in tmp_path.iterdir()} == {
        "report.md", "results.json", "latency.png", "latency.svg", "rates.png", "rates.svg",
    }  # fmt: skip
    stored = json.loads((tmp_path / "results.json").read_text())
    assert len(stored["scenarios"][0]["requests"]) == len(result.outcomes)


def test_what_k6_never_counted_is_none() -> None:
    found = read_summary({"answered": {"values": {"count": 3}}}, is_met=True)
    assert (found.answered, found.refused) == (3, 0)
    assert math.isnan(found.refused_p95_ms)
