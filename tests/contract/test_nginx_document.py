"""The nginx lines of docs/operations.md, as they stand there, in a real nginx before servers that answer as told."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from loadtests.servers.nginx_server import documented_block, nginx_before, nginx_program, with_addresses

from surefoot.settings import Settings
from surefoot_client import SurefootClient
from surefoot_client.servers import PROBLEM_HEADER

NEEDS_NGINX = pytest.mark.skipif(nginx_program() is None, reason="nginx is not installed")
NUM_PROBLEMS = 40
RESULT = {"index": 0, "kind": "process", "text": "It is 5.", "score": 0.5}
ANSWER = json.dumps(
    {"id": "1", "model": "prm", "fingerprint": "1", "scale": "probability", "results": [RESULT]}
).encode()


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """nginx may reset connections that it kept open, when it ends: that is no error of a replica's."""


@dataclass
class Replica:
    """Answers POST with `status`; `problems` are the marks of what it was asked, `bodies` their sizes."""

    name: str
    status: int = 200
    problems: list[str] = field(default_factory=list)
    bodies: list[int] = field(default_factory=list)
    url: str = ""

    def serve(self, stack: ExitStack) -> None:
        replica = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                replica.bodies.append(len(body))
                replica.problems.append(self.headers.get(PROBLEM_HEADER, ""))
                self.send_response(replica.status)
                self.send_header("x-replica", replica.name)
                if replica.status != 200:
                    self.send_header("retry-after", "3")
                self.send_header("content-length", str(len(ANSWER)))
                self.end_headers()
                self.wfile.write(ANSWER)

            def log_message(self, *_: object) -> None:
                pass

        server = stack.enter_context(_Quiet(("127.0.0.1", 0), Handler))
        server.daemon_threads = True
        # nginx keeps connections open, whose threads would be waited for.
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        stack.callback(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"


@dataclass
class Proxied:
    url: str
    replicas: list[Replica]
    http: httpx.Client

    def ask(self, mark: str | None) -> httpx.Response:
        return self.http.post(f"{self.url}/score", json={}, headers={} if mark is None else {PROBLEM_HEADER: mark})

    def ask_all(self) -> Counter[tuple[int, str | None]]:
        """Statuses and who gave them, of one question about each problem."""
        answers = [self.ask(f"{number:08x}") for number in range(NUM_PROBLEMS)]
        return Counter((answer.status_code, answer.headers.get("x-replica")) for answer in answers)


@pytest.fixture
def proxied() -> Iterator[Proxied]:
    with ExitStack() as stack:
        replicas = [Replica("0"), Replica("1")]
        for replica in replicas:
            replica.serve(stack)
        http = stack.enter_context(httpx.Client())
        yield Proxied(stack.enter_context(nginx_before([each.url for each in replicas])), replicas, http)


@NEEDS_NGINX
def test_a_problem_has_one_replica_and_both_have_problems(proxied) -> None:
    for _ in range(3):
        proxied.ask_all()
    first, second = (Counter(replica.problems) for replica in proxied.replicas)
    assert set(first) & set(second) == set()
    assert set((first + second).values()) == {3}
    assert min(len(first), len(second)) >= NUM_PROBLEMS / 8


@NEEDS_NGINX
def test_the_header_of_the_client_is_what_is_hashed(proxied) -> None:
    with SurefootClient(proxied.url) as client:
        for _ in range(4):
            client.score([{"problem": "What is 2 + 3?", "solution": "It is 5."}])
    assert sorted(len(replica.problems) for replica in proxied.replicas) == [0, 4]


@NEEDS_NGINX
def test_without_the_header_both_are_asked(proxied) -> None:
    for _ in range(10):
        proxied.ask(None)
    assert [len(replica.problems) for replica in proxied.replicas] == [5, 5]


@NEEDS_NGINX
@pytest.mark.parametrize("status", [429, 503])
def test_what_a_replica_refuses_goes_to_the_other_and_comes_back_at_once(proxied, status) -> None:
    well = proxied.ask_all()
    proxied.replicas[0].status = status
    assert proxied.ask_all() == {(200, "1"): NUM_PROBLEMS}
    proxied.replicas[0].status = 200
    assert proxied.ask_all() == well


@NEEDS_NGINX
def test_replicas_restarted_one_after_the_other_are_no_error(proxied) -> None:
    proxied.replicas[0].status = 503
    proxied.ask_all()
    proxied.replicas[0].status, proxied.replicas[1].status = 200, 503
    assert proxied.ask_all() == {(200, "0"): NUM_PROBLEMS}


@NEEDS_NGINX
def test_the_last_refusal_reaches_the_caller_with_its_time(proxied) -> None:
    for replica in proxied.replicas:
        replica.status = 503
    for _ in range(2):
        answer = proxied.ask("1")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")


@NEEDS_NGINX
def test_a_replica_that_is_gone_costs_no_request(proxied) -> None:
    with ExitStack() as stack:
        gone = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        url = f"http://127.0.0.1:{gone.server_address[1]}"
        gone.server_close()
        there = proxied.replicas[0]
        with_one = Proxied(stack.enter_context(nginx_before([url, there.url])), [there], proxied.http)
        assert with_one.ask_all() == {(200, "0"): NUM_PROBLEMS}


@NEEDS_NGINX
def test_a_body_as_large_as_the_service_takes_comes_through(proxied) -> None:
    most = Settings().limits.max_body_bytes
    answer = proxied.http.post(f"{proxied.url}/score", content=bytes(most))
    assert answer.status_code == 200
    assert [size for replica in proxied.replicas for size in replica.bodies] == [most]


def test_the_service_answers_before_nginx_gives_up() -> None:
    [seconds] = re.findall(r"proxy_read_timeout (\d+)s;", documented_block())
    assert int(seconds) > Settings().limits.request_timeout_s


def test_a_block_that_names_no_replicas_is_not_tested_in_place_of_the_document() -> None:
    block, urls = documented_block(), ["http://127.0.0.1:1", "http://127.0.0.1:2"]
    found = with_addresses(block, 5, urls)
    assert "    server 127.0.0.1:1 max_fails=0;\n    server 127.0.0.1:2 max_fails=0;\n" in found
    assert with_addresses(block, 5, urls, hashes=False) == "".join(
        line for line in found.splitlines(keepends=True) if "hash" not in line
    )
    for missing in ("replica-", "listen 8080", "    hash"):
        with pytest.raises(ValueError, match="must have"):
            with_addresses(block.replace(missing, "other"), 5, urls)
