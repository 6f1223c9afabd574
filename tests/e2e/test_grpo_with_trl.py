"""A real GRPO run of TRL on a live server, which is killed between two rewards and again within one."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

EXAMPLE = Path(__file__).parents[2] / "clients/python/examples/grpo_trl.py"
CONFIG = '[generator]\nengine = "none"\n'
NUM_STEPS, NUM_COMPLETIONS = 6, 4
# TRL imports vLLM where it finds it, for a quarter of a minute, though nothing here samples with it.
PROGRAM = "import runpy, sys; sys.modules['vllm'] = None; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
RUN_ENDS_S = 240.0


@dataclass(frozen=True)
class GrpoRun:
    """The trainer's own table of every step's completions, the server at its end, and how many steps it had
    finished when that server came back."""

    rows: list[dict[str, Any]]
    url: str
    num_steps_when_killed: list[int]


def tables(out: Path) -> list[Path]:
    return sorted(out.glob("completions/*.parquet"))


def wait_until(process: subprocess.Popen[bytes], condition, log: Path) -> None:
    deadline = time.monotonic() + RUN_ENDS_S
    while not condition():
        assert process.poll() is None, log.read_text(errors="replace")[-4000:]
        assert time.monotonic() < deadline, log.read_text(errors="replace")[-4000:]
        time.sleep(0.005)


def start_run(url: str, out: Path, log: Path) -> subprocess.Popen[bytes]:
    options = {"--server": url, "--steps": NUM_STEPS, "--batch-size": NUM_COMPLETIONS, "--out": out}
    options |= {"--num-generations": NUM_COMPLETIONS, "--max-tokens": 8}
    words = [str(word) for option in options.items() for word in option]
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(EXAMPLE), *words],
            stdout=output,
            stderr=output,
            env=os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "default"},
        )


@pytest.fixture(scope="module")
def run(start_fake_for_module, tmp_path_factory: pytest.TempPathFactory) -> GrpoRun:
    import pandas as pd

    scratch = tmp_path_factory.mktemp("grpo")
    out, log = scratch / "out", scratch / "run.log"
    server = start_fake_for_module(CONFIG, 0.0)
    port = httpx.URL(server.url).port
    process = start_run(server.url, out, log)
    killed: list[int] = []
    try:
        wait_until(process, lambda: len(tables(out)) >= 2, log)
        server.process.kill()
        server.process.wait()
        # Between two rewards: the next one meets nobody at the port.
        time.sleep(1.0)
        killed.append(len(tables(out)))
        server = start_fake_for_module(CONFIG, float("inf"), port)
        # Within one: the server has read the request and never answers it.
        wait_until(process, server.has_work, log)
        killed.append(len(tables(out)))
        server.process.kill()
        server.process.wait()
        server = start_fake_for_module(CONFIG, 0.0, port)
        assert process.wait(RUN_ENDS_S) == 0, log.read_text(errors="replace")[-4000:]
    finally:
        process.kill()
        process.wait()
    rows = [row for table in tables(out) for row in pd.read_parquet(table).to_dict("records")]
    return GrpoRun(rows, server.url, killed)


def test_the_server_was_away_in_mid_run(run) -> None:
    assert all(2 <= num_steps < NUM_STEPS for num_steps in run.num_steps_when_killed)


def test_the_run_finishes_and_no_reward_is_lost(run) -> None:
    of_step = [row["step"] for row in run.rows]
    assert of_step == [step for step in range(1, NUM_STEPS + 1) for _ in range(NUM_COMPLETIONS)]


def test_every_reward_is_the_servers_score_of_that_completion(run) -> None:
    items = [{"problem": problem_of(row), "solution": row["completion"][0]["content"]} for row in run.rows]
    results = httpx.post(f"{run.url}/score", json={"items": items}, timeout=60).json()["results"]
    # The trainer keeps rewards in single precision.
    assert [row["surefoot"] for row in run.rows] == pytest.approx([result["score"] for result in results], rel=1e-6)


def test_the_rewards_differ(run) -> None:
    assert len({row["surefoot"] for row in run.rows}) > NUM_STEPS


def test_the_trainer_learns_from_them(run) -> None:
    group = run.rows[:NUM_COMPLETIONS]
    mean = sum(row["surefoot"] for row in group) / NUM_COMPLETIONS
    assert [row["advantage"] > 0 for row in group] == [row["surefoot"] > mean for row in group]


def test_the_log_tells_the_steps_of_each_completion(run) -> None:
    assert all(len(row["surefoot_steps"].split()) >= 1 for row in run.rows)


def problem_of(row: dict[str, Any]) -> str:
    [problem] = [turn["content"] for turn in row["prompt"] if turn["role"] == "user"]
    return str(problem)
