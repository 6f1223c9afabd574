"""`surefoot score --engine ray` on a real cluster of this machine: the plain engine's file, whatever is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="pip install 'surefoot[ray]'")

PROGRAM = Path(__file__).parents[1] / "ray_program.py"
LIMIT_S = 600
ROWS = [
    {"problem": f"What is {problem}+1?", "steps": [f"one {candidate}", "two"], "id": f"{problem}-{candidate}"}
    for candidate in range(4)
    for problem in range(20)
]
BAD = ["{", '{"problem": "p"}', '{"problem": " ", "steps": ["a"]}']


@pytest.fixture
def run(tmp_path):
    """Starts the program over IN.jsonl into a file of that name."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "in.jsonl").write_text("".join(f"{line}\n" for line in [*map(json.dumps, ROWS), *BAD]))
    started = []

    def start(name, *options, pass_s=0.0):
        environment = {
            **os.environ,
            "SUREFOOT_TEST_NOTES": str(tmp_path / "notes"),
            "SUREFOOT_TEST_PASS_S": str(pass_s),
        }
        command = [sys.executable, str(PROGRAM), "score", "in.jsonl", "-o", name, "--batch-size", "4", *options]
        started.append(subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture
def expected(run, tmp_path):
    """The file of the plain engine; 3 of its rows are errors."""
    assert run("plain.jsonl").wait(LIMIT_S) == 1
    for note in (tmp_path / "notes").iterdir():
        note.unlink()
    return (tmp_path / "plain.jsonl").read_bytes()


RAY = ("--engine", "ray", "--workers", "2", "--concurrency", "1")


def noted(tmp_path) -> dict[int, set[str]]:
    """What each worker computed, by its process."""
    return {int(note.name): set(note.read_text().splitlines()) for note in (tmp_path / "notes").iterdir()}


def until(condition) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_file_is_that_of_the_plain_engine_byte_for_byte(run, expected, tmp_path) -> None:
    assert run("ray.jsonl", *RAY).wait(LIMIT_S) == 1
    assert (tmp_path / "ray.jsonl").read_bytes() == expected


def test_a_worker_killed_in_mid_run_loses_and_doubles_nothing(run, expected, tmp_path) -> None:
    running = run("ray.jsonl", *RAY, pass_s=0.5)
    until(lambda: noted(tmp_path) and (tmp_path / "ray.jsonl").stat().st_size)
    victim = next(iter(noted(tmp_path)))
    os.kill(victim, signal.SIGKILL)
    assert running.wait(LIMIT_S) == 1
    assert len(noted(tmp_path)) >= 2
    assert (tmp_path / "ray.jsonl").read_bytes() == expected


def test_a_killed_command_goes_on_where_it_stopped_with_either_engine(run, expected, tmp_path) -> None:
    running = run("ray.jsonl", *RAY, "--window", "8", pass_s=0.5)
    until(lambda: (tmp_path / "ray.jsonl").exists() and (tmp_path / "ray.jsonl").stat().st_size)
    running.kill()
    running.wait()
    written = (tmp_path / "ray.jsonl").read_bytes()
    assert expected.startswith(written)
    assert written != expected
    assert run("ray.jsonl").wait(LIMIT_S) == 1
    assert (tmp_path / "ray.jsonl").read_bytes() == expected
