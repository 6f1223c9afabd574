"""reward-hub, a client of vLLM's /pooling, on a real server: another port is all that it needs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

NAME = "Qwen/Qwen2.5-Math-PRM-7B"
CONFIG = """
[[models]]
name = "{name}"
profile = "qwen2.5-math-prm"
path = "{path}"
dtype = "float32"

[generator]
engine = "none"
"""
# reward-hub imports vLLM where it finds it, for half a minute, though this class only posts.
CLIENT = """
import json, sys
sys.modules["vllm"] = None
from reward_hub.openai.reward import OpenAIProcessRewardModel
name, port, jobs = json.load(sys.stdin)
model = OpenAIProcessRewardModel(model_name=name, port=port)
for messages, aggregation in jobs:
    results = model.score(messages, return_full_prm_result=True, aggregation_method=aggregation)
    print(json.dumps([result.step_scores for result in results]))
"""


def conversation(number: int) -> tuple[str, list[str]]:
    """A problem and its steps; some steps are more than one line."""
    steps = [f"There are {number} boxes.", f"{number} * 3 = {number * 3},\nas 3 go into each.", f"It is {number * 3}."]
    return f"{number} boxes hold 3 pens each. How many pens?", steps[: number % 3 + 1]


CONVERSATIONS = [conversation(number) for number in range(24)]
PROBLEM, STEPS = CONVERSATIONS[2]


def messages(problem: str, solution: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": problem}, {"role": "assistant", "content": solution}]


@pytest.fixture(scope="module")
def checkpoint(tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny checkpoint where its hub id is a path, so that reward-hub's tokenizer is fetched from nowhere."""
    path = tmp_path_factory.mktemp("reward_hub") / NAME
    path.parent.mkdir()
    path.symlink_to(tiny("qwen2.5-math-prm"))
    return path


@pytest.fixture(scope="module")
def url(launch_for_module, checkpoint: Path) -> str:
    running = launch_for_module(CONFIG.format(name=NAME, path=checkpoint))
    running.wait_for_url()
    running.wait_until_ready()
    return running.url


@pytest.fixture(scope="module")
def read_by_reward_hub(url: str, checkpoint: Path) -> dict[str, list[list[float]]]:
    """Step scores of several calls in one process of its own, which takes long to import what it wants."""
    jobs = {
        "many": ([messages(problem, "\n\n".join(steps)) for problem, steps in CONVERSATIONS], "last"),
        "as one step": ([messages(PROBLEM, "\n\n".join(STEPS))], "model"),
        "blank line at the end": ([messages(PROBLEM, "\n\n".join([*STEPS, ""]))], "last"),
    }
    done = subprocess.run(
        [sys.executable, "-c", CLIENT],
        input=json.dumps([NAME, urlsplit(url).port, list(jobs.values())]),
        cwd=checkpoint.parents[1],
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    printed = done.stdout.splitlines()[-len(jobs) :]
    return {job: json.loads(line) for job, line in zip(jobs, printed, strict=True)}


@pytest.fixture(scope="module")
def native(url: str) -> Callable[[str, list[str]], list[float]]:
    """Step scores of /score, each solution posted alone."""

    def score(problem: str, steps: list[str]) -> list[float]:
        answer = httpx.post(f"{url}/score", json={"model": NAME, "problem": problem, "steps": steps}, timeout=60)
        (result,) = answer.json()["results"]
        return [step["score"] for step in result["steps"]]

    return score


def test_step_scores_of_many_posts_at_once_are_the_native_ones(read_by_reward_hub, native) -> None:
    # Beside others an input may round differently in its last bit.
    alone = [pytest.approx(native(problem, steps), abs=1e-5) for problem, steps in CONVERSATIONS]
    assert read_by_reward_hub["many"] == alone


def test_a_post_alone_has_the_native_score_to_the_last_bit(read_by_reward_hub, native) -> None:
    assert read_by_reward_hub["as one step"] == [native(PROBLEM, ["\n\n".join(STEPS)])]


def test_a_blank_line_at_the_end_is_a_step_to_reward_hub(read_by_reward_hub, native) -> None:
    [scores] = read_by_reward_hub["blank line at the end"]
    # An input of another length rounds differently.
    assert scores[:-1] == pytest.approx(native(PROBLEM, STEPS), abs=1e-5)
    assert len(scores) == len(STEPS) + 1
