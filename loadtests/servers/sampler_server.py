"""`python -m loadtests.servers.sampler_server PORT`: an OpenAI-compatible server that says one thing, slowly."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from loadtests.servers.processes import wait_until_up

MODEL = "one-answer"
TEXT = "2 + 3 = 5.\nThe answer is 5."
TAKES_S = 0.3


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        time.sleep(TAKES_S)
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": TEXT}}
        usage = {"prompt_tokens": 8, "completion_tokens": 12, "total_tokens": 20}
        self._answer({"id": "1", "object": "chat.completion", "model": MODEL, "choices": [choice], "usage": usage})

    def log_message(self, *_: Any) -> None:
        """Nothing: a drill asks thousands of times."""

    def _answer(self, said: dict[str, Any]) -> None:
        content = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def sampler_server(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is one, on that port of 127.0.0.1; ended behind."""
    with subprocess.Popen([sys.executable, "-m", "loadtests.servers.sampler_server", str(port)]) as process:  # noqa: S603
        try:
            wait_until_up(process, f"http://127.0.0.1:{port}/v1/models")
            yield process
        finally:
            process.kill()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Handler).serve_forever()
