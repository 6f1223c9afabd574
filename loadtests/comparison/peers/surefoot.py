"""surefoot over HTTP: every group one request to `POST /score` with its texts.

The server has its defaults, but for the bound in time of its queue: a whole workload is asked for at once, and none of
it is to be refused.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import httpx

from loadtests.comparison.http_groups import answer_over_http
from loadtests.comparison.peer import Group, Scores, options
from loadtests.servers.processes import free_port
from loadtests.servers.surefoot_server import read_scorer, score_body

QUEUE = """
[scheduler]
max_queue_s = 0
"""
CONFIG = """
port = {port}
dtype = "{dtype}"
device = "{device}"
max_input_tokens = 4096
"""


def main() -> None:
    """Start the server and answer."""
    given, port = options(), free_port()
    with tempfile.TemporaryDirectory(prefix="surefoot-loadtest-") as scratch:
        config = Path(scratch) / "surefoot.toml"
        settings = CONFIG.format(port=port, dtype=given.dtype, device=given.device)
        config.write_text(settings + read_scorer(Path(given.causal)) + QUEUE, encoding="utf-8")
        command = [sys.executable, "-m", "surefoot", "serve", "--config", str(config)]
        environment = {"OMP_NUM_THREADS": str(given.threads)}
        answer_over_http(command, environment, port, "/ready", _ask, forward_metric="surefoot_forward_seconds_sum")


async def _ask(client: httpx.AsyncClient, group: Group) -> Scores:
    body = score_body(group["problem"], (candidate["steps"] for candidate in group["candidates"]))
    response = await client.post("/score", json=body)
    response.raise_for_status()
    return [[step["score"] for step in result["steps"]] for result in response.json()["results"]]


if __name__ == "__main__":
    main()
