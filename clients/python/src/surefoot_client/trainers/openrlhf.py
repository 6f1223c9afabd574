"""A reward function for OpenRLHF, which waits where `--reward.remote_url http://…` gives up after five tries.

# rewards.py, for --reward.remote_url /path/to/rewards.py
from surefoot_client.trainers.openrlhf import reward_function

reward_func = reward_function("http://reward-host:8080", model="prm")
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

from surefoot_client.inputs import Aggregation
from surefoot_client.trainers.background import wait_for
from surefoot_client.trainers.conversations import refuse_rendered
from surefoot_client.trainers.rewards import DEFAULT_SERVER, RewardRule, Servers, client_of, details, score_completions

_SPECIAL = r"(?:<\|[^<>|]*\|>|<s>|</s>|<bos>|<eos>|<pad>|<start_of_turn>|<end_of_turn>)"
_BEGINNING = re.compile(rf"(?:\s|{_SPECIAL})*")
_END = re.compile(rf"(?:\s*{_SPECIAL})+\s*\Z")

ProblemOf = Callable[[str, Any], str]
OpenRlhfReward = Callable[[Sequence[str], Sequence[str], Sequence[Any]], dict[str, Any]]


def plain_prompt(prompt: str, label: object) -> str:  # noqa: ARG001
    """A prompt as it stands; raises `ValueError` for one that a chat template rendered."""
    refuse_rendered(prompt, "give problem_of, which finds the problem in it")
    return prompt


def reward_function(
    servers: Servers = DEFAULT_SERVER,
    *,
    model: str | None = None,
    aggregation: Aggregation | None = None,
    problem_of: ProblemOf = plain_prompt,
    unscorable_reward: float | None = None,
) -> OpenRlhfReward:
    """What OpenRLHF looks for under the name `reward_func`: a function of queries, prompts and labels.

    A query is prompt and response with all special tokens. `problem_of(prompt, label)` is the problem: the prompt by
    default; with `--data.apply_chat_template` it has to cut it out of the rendered turns.

    A missing reward raises, which OpenRLHF notes in its log before it stops over the reward that it does not have;
    `unscorable_reward` is that of what nothing can score, such as an empty response.
    """
    rule = RewardRule(model=model, aggregation=aggregation, unscorable_reward=unscorable_reward)

    def reward_func(queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any]) -> dict[str, Any]:
        import torch

        items = [
            {"problem": problem_of(prompt, label), "solution": response_of(query, prompt)}
            for query, prompt, label in zip(queries, prompts, labels, strict=True)
        ]
        outcomes = wait_for(score_completions(client_of(servers), items, rule))
        # This rule raises where there is no reward.
        rewards = torch.tensor(cast("list[float]", rule.rewards(outcomes)))
        told = [details(outcome) for outcome in outcomes]
        logs = {key: torch.tensor([each[key] for each in told]) for key in told[0]} if told else {}
        return {"rewards": rewards, "scores": rewards, "extra_logs": logs}

    return reward_func


def response_of(query: str, prompt: str) -> str:
    """What stands in `query` behind `prompt`, without the special tokens at its end.

    Raises `ValueError` where something else than special tokens stands before the prompt, as when it was cut off.
    """
    start = query.find(prompt)
    if start < 0 or not _BEGINNING.fullmatch(query[:start]):
        raise ValueError("the query does not begin with its prompt; was the prompt cut off? see --data.max_len")
    return _END.sub("", query[start + len(prompt) :])
