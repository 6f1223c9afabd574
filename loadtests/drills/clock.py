"""The wall clock jumps; deadlines must not notice."""

from __future__ import annotations

import tempfile
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from loadtests.drills.drill import CannotDrill, Drilled, needs
from loadtests.drills.load import Load, until
from loadtests.servers.surefoot_server import fake_server
from loadtests.traffic.outcomes import counted

LIBRARIES = "libfaketimeMT.so.1"
JUMPS = ("+3h", "-3h", "+0")
HELD_S = 2.0
CONFIG = "[limits]\nrequest_timeout_s = 30\nbody_timeout_s = 10\n"


def clock_jump() -> Drilled:
    """Three hours forward, six back, three forward, under requests that have deadlines."""
    needs("faketime")
    library = next(Path("/usr/lib").rglob(LIBRARIES), None)
    if library is None:
        raise CannotDrill(f"not installed: {LIBRARIES} (the package libfaketime)")
    claims = {}
    with tempfile.TemporaryDirectory(prefix="surefoot-drill-") as scratch:
        told = Path(scratch) / "offset"
        told.write_text("+0", encoding="utf-8")
        # Only the wall clock: no jump of a real one moves the monotonic clock either.
        environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(told),
            # Looked for once a second: at each call of the clock it would take most of the server's time.
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        with (
            fake_server(CONFIG, environment=environment) as server,
            Load(server.url, 4) as load,
        ):
            load.until_answered()
            for jump in JUMPS:
                told.write_text(jump, encoding="utf-8")
                hours = float(jump.rstrip("h"))
                until(lambda hours=hours: abs(_hours_ahead(server.url) - hours) < 0.1, f"the server's clock at {jump}")  # type: ignore[misc]
                before = len(load.outcomes)
                time.sleep(HELD_S)
                load.until_answered()
                claims[f"all is scored at {jump}"] = load.num("answered", before) == len(load.outcomes[before:])
            claims["it is ready"] = httpx.get(f"{server.url}/ready", timeout=10).status_code == httpx.codes.OK
    return Drilled(counted(load.outcomes), claims)


def _hours_ahead(url: str) -> float:
    """How far the server's clock is from ours, by what its answers say."""
    said = parsedate_to_datetime(httpx.get(f"{url}/health", timeout=10).headers["date"])
    return (said.timestamp() - time.time()) / 3600
