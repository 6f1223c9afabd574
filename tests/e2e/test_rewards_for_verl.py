"""verl's own reward worker with the client's adapters on a live server."""

from pathlib import Path

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


@pytest.mark.parametrize(
    ("overrides", "extra_info"),
    [
        (lambda url: custom_function("compute_score", url), True),
        (lambda url: custom_function("compute_score_blocking", url), True),
        (reward_manager, False),
    ],
    ids=["awaited function", "blocking function", "reward manager"],
)
def test_every_reward_is_the_servers_score(environment, tiny, url, scores, overrides, extra_info) -> None:
    rows = [row | {"extra_info": {"question": row["problem"]} if extra_info else {}} for row in ROWS]
    policy = f"actor_rollout_ref.model.path={tiny('qwen2')}"
    answers = environment.run(PROGRAM, {"overrides": [policy, *overrides(url)], "rows": rows})
    assert [answer["reward_score"] for answer in answers] == scores
    assert {tuple(answer["reward_extra_info"]) for answer in answers} == {("score", "num_steps", "no_error")}
