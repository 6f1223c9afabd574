"""What the exposition says of engines: faults from 0 on, and how full caches are."""

from surefoot.domain import CacheUse
from surefoot.metrics import EngineHealth


def test_faults_are_counted_by_engine_and_kind(telemetry, value) -> None:
    engines = {"prm": EngineHealth({"failed_pass": 3, "stuck_pass": 0}, {})}
    telemetry.watch(dict, dict, lambda: engines)
    assert value("engine_faults_total", backend="prm", fault="failed_pass") == 3
    assert value("engine_faults_total", backend="prm", fault="stuck_pass") == 0


def test_what_holds_at_the_scrape_is_told(telemetry, value) -> None:
    engines = {}
    telemetry.watch(dict, dict, lambda: engines)
    engines["prm"] = EngineHealth({"restart": 1}, {})
    assert value("engine_faults_total", backend="prm", fault="restart") == 1


def test_caches_are_told_with_what_they_can_hold(telemetry, value) -> None:
    caches = {"scores": CacheUse(1, 4), "prefixes": CacheUse(5, 10, 50, 100)}
    telemetry.watch(dict, dict, lambda: {"prm": EngineHealth({}, caches)})
    told = [
        value(name, cache=cache) for cache in ("scores", "prefixes") for name in ("cache_entries", "cache_max_entries")
    ]
    assert told == [1, 4, 5, 10]
    assert (value("cache_bytes"), value("cache_max_bytes")) == (50, 100)


def test_a_cache_that_is_off_has_no_series(telemetry, has_series) -> None:
    telemetry.watch(dict, dict, lambda: {"prm": EngineHealth({}, {})})
    assert not has_series("cache_")
