"""verl's own reward worker with the client's adapters on a live server."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from trainer_environment import TrainerEnvironment, trainer_environment

PROGRAM = Path(__file__).with_name("verl_program.py")
VERL = "verl==0.9.1"
NEEDS = ("ray==2.60.0", "tensordict==0.10.0", "hydra-core==1.3.8", "codetiming==1.4.0", "pylatexenc==2.11")
ROWS = [
    {"problem": f"2 + {number}?", "response": f"2 + {number} = {number + 2}.\nSo {number + 2}."} for number in range(6)
]
FUNCTION = "reward.custom_reward_function"
MODULE = "pkg://surefoot_client.trainers"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> TrainerEnvironment:
    return trainer_environment(tmp_path_factory.mktemp("verl") / "venv", VERL, NEEDS)


@pytest.fixture(scope="module")
def url(start_fake_for_module) -> str:
    return start_fake_for_module("", 0.0).url


@pytest.fixture(scope="module")
def scores(url: str) -> list[float]:
    items = [{"problem": row["problem"], "solution": row["response"]} for row in ROWS]
    return [result["score"] for result in httpx.post(f"{url}/score", json={"items": items}).json()["results"]]


def custom_function(name: str, url: str) -> list[str]:
    named = [f"{FUNCTION}.path={MODULE}.verl", f"{FUNCTION}.name={name}"]
    return [*named, f"+{FUNCTION}.reward_kwargs.servers={url}"]


def reward_manager(url: str) -> list[str]:
    manager = "reward.reward_manager"
    named = [f"{manager}.source=importlib", f"{manager}.name=SurefootRewardManager"]
    return [*named, f"{manager}.module.path={MODULE}.verl_reward_loop", f"+reward.surefoot.servers={url}"]


@pytest.fixture(scope="module")
def answers(environment, tiny, url: str) -> dict[str, list[dict[str, Any]]]:
    """Of all forms in one process, because verl and what it imports take long to start."""
    forms = {
        "awaited function": custom_function("compute_score", url),
        "blocking function": custom_function("compute_score_blocking", url),
        "reward manager": reward_manager(url),
    }
    policy = f"actor_rollout_ref.model.path={tiny('qwen2')}"

    def rows(form: str) -> list[dict[str, Any]]:
        # The manager reads the problem from the prompt.
        knows = form != "reward manager"
        return [row | {"extra_info": {"question": row["problem"]} if knows else {}} for row in ROWS]

    return environment.run(
        PROGRAM, {form: {"overrides": [policy, *given], "rows": rows(form)} for form, given in forms.items()}
    )


@pytest.mark.parametrize("form", ["awaited function", "blocking function", "reward manager"])
def test_every_reward_is_the_servers_score(answers, scores, form: str) -> None:
    assert [answer["reward_score"] for answer in answers[form]] == scores


def test_verls_metrics_get_the_same_keys_of_every_response(answers) -> None:
    extras = [answer["reward_extra_info"] for of_form in answers.values() for answer in of_form]
    assert {tuple(extra) for extra in extras} == {("score", "num_steps", "no_error")}
