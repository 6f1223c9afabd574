"""A reward manager for verl's reward loop: it reads the problem from the prompt's messages, so any data set will do.

    reward.reward_manager.source=importlib
    reward.reward_manager.name=SurefootRewardManager
    reward.reward_manager.module.path=pkg://surefoot_client.trainers.verl_reward_loop
    +reward.surefoot.servers=http://reward-host:8080

Only verl imports this module: the class has to be one of its own.
"""

from __future__ import annotations

from typing import Any

from verl import DataProto
from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase

from surefoot_client.trainers.background import in_background
from surefoot_client.trainers.conversations import item_of
from surefoot_client.trainers.rewards import DEFAULT_SERVER, RewardRule
from surefoot_client.trainers.verl import score_with_details


class SurefootRewardManager(RewardManagerBase):  # type: ignore[misc]  # verl has no types
    """Gives each response the score of a reward model.

    `config.reward.surefoot` may hold `servers`, `model`, `aggregation` and `unscorable_reward`, which mean what they
    do in `compute_score`. Raises `ItemsFailed` for a response without a reward.
    """

    def __init__(self, config: Any, tokenizer: Any, compute_score: object = None, **others: object) -> None:
        del others  # a router and a tokenizer of verl's own reward model
        super().__init__(config, tokenizer, compute_score)
        settings: dict[str, Any] = dict(config.reward.get("surefoot") or {})
        servers = settings.pop("servers", DEFAULT_SERVER)
        self._servers = servers if isinstance(servers, str) else tuple(servers)
        self._rule = RewardRule(**settings)

    async def run_single(self, data: DataProto) -> dict[str, Any]:
        """Of one trajectory, whose last output is the response: `{"reward_score", "reward_extra_info"}`."""
        sample = data[-1]
        responses = sample.batch["responses"]
        num_tokens = int(sample.batch["attention_mask"][-responses.shape[-1] :].sum())
        response = await self.loop.run_in_executor(
            None, lambda: self.tokenizer.decode(responses[:num_tokens], skip_special_tokens=True)
        )
        item = item_of(list(sample.non_tensor_batch["raw_prompt"]), response)
        scored = await in_background(score_with_details(item, self._servers, self._rule))
        return {"reward_score": scored["score"], "reward_extra_info": scored}
