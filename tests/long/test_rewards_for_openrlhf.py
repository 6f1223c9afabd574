"""OpenRLHF's own executor on a live server: by the client's reward function, and by the server's address alone."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from trainer_environment import TrainerEnvironment, trainer_environment

PROGRAM = Path(__file__).with_name("openrlhf_program.py")
REWARDS = """
from surefoot_client.trainers.openrlhf import reward_function


def problem_of(prompt, label):
    return prompt.split("user\\n")[1].split("<|im_end|>")[0]


reward_func = reward_function("{url}"{options})
"""
TEMPLATE = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
PAIRS = [(f"2 + {number}?", f"2 + {number} = {number + 2}.\nSo {number + 2}.") for number in range(6)]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> TrainerEnvironment:
    return trainer_environment(
        tmp_path_factory.mktemp("openrlhf") / "venv", "openrlhf==0.11.2", ["pylatexenc==2.11", "aiohttp"]
    )


@pytest.fixture(scope="module")
def url(start_fake_for_module) -> str:
    return start_fake_for_module("", 0.0).url


@pytest.fixture(scope="module")
def scores(url: str) -> list[float]:
    items = [{"problem": problem, "solution": solution} for problem, solution in PAIRS]
    return [result["score"] for result in httpx.post(f"{url}/score", json={"items": items}).json()["results"]]


def rows(form: str) -> list[dict[str, str]]:
    return [{"prompt": form.format(problem), "response": solution, "label": "5"} for problem, solution in PAIRS]


@pytest.fixture(scope="module")
def answers(environment, tiny, url: str, tmp_path_factory) -> dict[str, list[dict[str, Any]]]:
    """Of all forms in one process, because OpenRLHF takes long to start."""
    scratch, tokenizer = tmp_path_factory.mktemp("rewards"), str(tiny("qwen2"))

    def file(name: str, options: str) -> str:
        path = scratch / f"{name}.py"
        path.write_text(REWARDS.format(url=url, options=options))
        return str(path)

    remote_urls = {
        "function, plain": file("plain", ""),
        "function, rendered": file("rendered", ", problem_of=problem_of"),
        "address, plain": f"{url}/get_reward",
        "address, rendered": f"{url}/get_reward",
    }
    tasks = {
        name: {"remote_url": remote, "tokenizer": tokenizer, "rows": rows("{}" if "plain" in name else TEMPLATE)}
        for name, remote in remote_urls.items()
    }
    return environment.run(PROGRAM, tasks)


@pytest.mark.parametrize("form", ["function, plain", "function, rendered", "address, plain", "address, rendered"])
def test_every_reward_is_the_servers_score(answers, scores, form: str) -> None:
    # The function's are tensors, in single precision.
    assert [answer["reward"] for answer in answers[form]] == [pytest.approx([score]) for score in scores]


def test_the_functions_log_holds_a_number_for_each_sample(answers) -> None:
    assert [answer["extra_logs"]["num_steps"] for answer in answers["function, plain"]] == [[2.0]] * len(PAIRS)
