"""A real Prometheus that scrapes one server with the configuration and the rules of deploy/, and is asked over HTTP."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import yaml

from loadtests.servers.processes import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
START_LIMIT_S = 60.0


def configuration(folder: Path, server: str, scrape_s: int) -> Path:
    """The example of deploy/, with this server and at this pace."""
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": f"{scrape_s}s", "evaluation_interval": f"{scrape_s}s"}
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [urlsplit(server).netloc]
    shutil.copy(DEPLOY / "prometheus/rules.yml", folder)
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


class Prometheus:
    """A running one, with its files in `folder`. Needs the program `prometheus`."""

    def __init__(self, folder: Path, server: str, *, scrape_s: int = 1) -> None:
        port = free_port()
        self.log = folder / "prometheus.log"
        command = [
            "prometheus",
            f"--config.file={configuration(folder, server, scrape_s)}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30)

    def get(self, path: str, **parameters: str) -> Any:
        """The data of an answer. Raises `RuntimeError` for one that does not say success, and httpx's error before
        Prometheus is up."""
        response = self.http.get(path, params=parameters)
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            # It reads its log of writes, and says so in plain text.
            response.raise_for_status()
        answer = response.json()
        if answer["status"] != "success":
            raise RuntimeError(f"{path}: {answer}")
        return answer["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Series with their values now."""
        found: list[dict[str, Any]] = self.get("/query", query=expression)["result"]
        return found

    def query_range(self, expression: str, begin: float, end: float, step_s: float) -> list[dict[str, Any]]:
        """Series with their values between two Unix times."""
        times = {"start": f"{begin:.3f}", "end": f"{end:.3f}", "step": f"{step_s:g}"}
        found: list[dict[str, Any]] = self.get("/query_range", query=expression, **times)["result"]
        return found

    def wait_for(self, expression: str) -> None:
        """Until the expression has a result. Raises `RuntimeError` with the end of the log where it gets none."""
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.query(expression):
                    return
            except (httpx.TransportError, httpx.HTTPStatusError):
                pass
            time.sleep(0.5)
        raise RuntimeError(f"no result of {expression}:\n{self.log.read_text(errors='replace')[-4000:]}")

    def close(self) -> None:
        """End it."""
        self.http.close()
        self.process.terminate()
        self.process.wait(30)
