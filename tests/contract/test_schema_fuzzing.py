"""What the OpenAPI document says holds for requests that nobody thought of: schemathesis against a real server."""

import json
import subprocess
import sys
from dataclasses import dataclass

import httpx
import pytest

from surefoot.api.openapi import openapi_text
from surefoot.wiring.fake_service import FakeParts

DOCUMENT = json.loads(openapi_text())
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "allow_header_conformance",
)
"""Not `positive_data_acceptance`: a schema cannot say "problem with steps, or messages", nor which model exists."""
OPTIONS = (
    "--phases=examples,coverage,fuzzing",
    "--max-examples=20",
    # No randomness and no memory of earlier runs: the same requests on every machine.
    "--generation-deterministic",
    "--suppress-health-check=all",
    "--continue-on-failure",
    "--request-timeout=20",
    "--no-color",
)


@dataclass(frozen=True)
class Run:
    """How a run of schemathesis ended, what it printed, and its report."""

    status: int
    said: str
    report: dict


@pytest.fixture(scope="module")
def server(running_http):
    with running_http(FakeParts(admin_routes=True)) as running:
        yield running


@pytest.fixture(scope="module")
def fuzzed(server, tmp_path_factory) -> Run:
    directory = tmp_path_factory.mktemp("fuzzing")
    wanted = (f"{server.url}/openapi.json", f"--checks={','.join(CHECKS)}", "--report-json-path=report.json", *OPTIONS)
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", *wanted],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    said = done.stdout[-20_000:] + done.stderr
    report = directory / "report.json"
    assert report.is_file(), said
    return Run(done.returncode, said, json.loads(report.read_text(encoding="utf-8")))


def test_every_answer_is_one_that_the_document_declares(fuzzed) -> None:
    assert fuzzed.status == 0, fuzzed.said


def test_every_operation_was_asked(fuzzed) -> None:
    operations = sum(len(methods) for methods in DOCUMENT["paths"].values())
    assert (fuzzed.report["operations"]["tested"], fuzzed.report["operations"]["errored"]) == (operations, 0)


def with_examples() -> list[tuple[str, dict]]:
    found = []
    for path, methods in DOCUMENT["paths"].items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {})
        name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        found += [(path, example) for example in DOCUMENT["components"]["schemas"].get(name, {}).get("examples", [])]
    return found


@pytest.mark.parametrize(("path", "example"), with_examples())
def test_every_example_of_the_document_is_served(server, path, example) -> None:
    answer = httpx.post(server.url + path, json=example)
    assert answer.status_code == 200, answer.text


def test_every_native_route_shows_an_example() -> None:
    assert {path for path, _ in with_examples()} >= {"/score", "/rerank", "/sample", "/best_of_n", "/select"}
