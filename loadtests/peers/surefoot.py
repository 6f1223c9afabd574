"""surefoot over HTTP: every group one request to `POST /score` with its texts; the shipped adapter, the defaults."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import httpx

from loadtests.http_groups import family_of, score_over_http, wait_until_up
from loadtests.peer import Group, Scores, answer_runs, options

CONFIG = """
port = {port}
dtype = "{dtype}"
device = "{device}"
max_input_tokens = 4096

[[models]]
name = "prm"
profile = "embedded-prm"

[generator]
engine = "none"
"""


def main() -> None:
    """Start the server and answer."""
    import socket

    given = options()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="surefoot-loadtest-") as scratch:
        config = Path(scratch) / "surefoot.toml"
        config.write_text(CONFIG.format(port=port, dtype=given.dtype, device=given.device), encoding="utf-8")
        command = [sys.executable, "-m", "surefoot", "serve", "--config", str(config)]
        environment = os.environ | {"OMP_NUM_THREADS": str(given.threads)}
        with subprocess.Popen(command, stdout=sys.stderr, env=environment) as server:  # noqa: S603
            url = f"http://127.0.0.1:{port}"
            wait_until_up(server, f"{url}/ready")

            def score(wave: Sequence[Group], concurrency: int) -> tuple[list[Scores], list[float]]:
                return score_over_http(_ask, url, wave, concurrency)

            try:
                answer_runs(score, lambda: family_of(server))
            finally:
                server.terminate()


async def _ask(client: httpx.AsyncClient, group: Group) -> Scores:
    items = [{"problem": group["problem"], "steps": candidate["steps"]} for candidate in group["candidates"]]
    response = await client.post("/score", json={"model": "prm", "items": items})
    response.raise_for_status()
    return [[step["score"] for step in result["steps"]] for result in response.json()["results"]]


if __name__ == "__main__":
    main()
