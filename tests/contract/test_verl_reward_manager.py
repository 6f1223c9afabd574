"""The manager on what verl 0.9.1 calls it with; `make test-long` runs verl itself.

verl is too large to be installed for this: its two names are stood in for, with the attributes that the manager reads.
"""

import asyncio
import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest
import torch

PROBLEM, RESPONSE = "2 + 3?", "2 + 3 = 5.\nSo 5."
NAME = "surefoot_client.trainers.verl_reward_loop"
BASE = "verl.experimental.reward_loop.reward_manager.base"
PADDING = [ord("!")] * 2


class RewardManagerBase:
    """What verl's own keeps."""

    def __init__(self, config: Any, tokenizer: Any, compute_score: Any) -> None:
        self.config, self.tokenizer, self.compute_score = config, tokenizer, compute_score
        self.loop = asyncio.get_running_loop()


class CharacterTokenizer:
    def decode(self, token_ids: torch.Tensor, *, skip_special_tokens: bool) -> str:
        assert skip_special_tokens
        return "".join(map(chr, token_ids.tolist()))


@pytest.fixture
def manager_class(monkeypatch) -> Any:
    parts = BASE.split(".")
    for length in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:length]), ModuleType(parts[length - 1]))
    sys.modules["verl"].DataProto = list
    sys.modules[BASE].RewardManagerBase = RewardManagerBase
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    yield importlib.import_module(NAME).SurefootRewardManager
    sys.modules.pop(NAME)


def trajectory(response: str) -> list[SimpleNamespace]:
    """Two outputs, of which the last counts; its padding must not be read."""
    responses = torch.tensor([*map(ord, response), *PADDING])
    mask = torch.tensor([1] * (3 + len(response)) + [0] * len(PADDING))
    turns = [{"role": "system", "content": "Think."}, {"role": "user", "content": PROBLEM}]
    last = SimpleNamespace(
        batch={"responses": responses, "attention_mask": mask}, non_tensor_batch={"raw_prompt": turns}
    )
    return [SimpleNamespace(), last]


def rewarded(manager_class: Any, settings: dict[str, Any] | None, response: str = RESPONSE) -> dict[str, Any]:
    async def run() -> dict[str, Any]:
        config = SimpleNamespace(reward={} if settings is None else {"surefoot": settings})
        manager = manager_class(
            config=config, tokenizer=CharacterTokenizer(), compute_score=None, reward_router_address=None
        )
        return await manager.run_single(trajectory(response))

    return asyncio.run(run())


@pytest.mark.parametrize("form", [str, lambda url: [url]], ids=["one address", "several"])
def test_the_reward_is_the_servers_score_of_the_last_response(serve_http, manager_class, form) -> None:
    url = serve_http().url
    native = httpx.post(f"{url}/score", json={"items": [{"problem": PROBLEM, "solution": RESPONSE}]}).json()
    score = native["results"][0]["score"]
    found = rewarded(manager_class, {"servers": form(url)})
    assert found["reward_score"] == found["reward_extra_info"]["score"] == score
    assert list(found["reward_extra_info"]) == ["score", "num_steps", "no_error"]


def test_what_nothing_can_score_gets_the_configured_reward(serve_http, manager_class) -> None:
    found = rewarded(manager_class, {"servers": serve_http().url, "unscorable_reward": -1.0}, response="")
    assert found["reward_score"] == -1.0


def test_a_setting_that_does_not_exist_is_refused(manager_class) -> None:
    with pytest.raises(TypeError, match="colour"):
        rewarded(manager_class, {"colour": "red"})
