"""OpenRLHF's own executor on a live server: by the client's reward function, and by the server's address alone."""

from pathlib import Path

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


@pytest.mark.parametrize(
    ("form", "options"), [("{}", ""), (TEMPLATE, ", problem_of=problem_of")], ids=["plain", "rendered"]
)
def test_a_reward_function_gives_the_servers_scores(
    environment, tiny, tmp_path, url, scores, form: str, options: str
) -> None:
    file = tmp_path / "rewards.py"
    file.write_text(REWARDS.format(url=url, options=options))
    answers = environment.run(PROGRAM, {"remote_url": str(file), "tokenizer": str(tiny("qwen2")), "rows": rows(form)})
    # OpenRLHF keeps what the function gives, which is in single precision.
    assert [answer["reward"] for answer in answers] == [pytest.approx([score]) for score in scores]
    assert [answer["extra_logs"]["num_steps"] for answer in answers] == [[2.0]] * len(PAIRS)


@pytest.mark.parametrize("form", ["{}", TEMPLATE], ids=["plain", "rendered"])
def test_the_address_alone_gives_the_servers_scores(environment, tiny, url, scores, form: str) -> None:
    task = {"remote_url": f"{url}/get_reward", "tokenizer": str(tiny("qwen2")), "rows": rows(form)}
    assert [answer["reward"] for answer in environment.run(PROGRAM, task)] == [[score] for score in scores]
