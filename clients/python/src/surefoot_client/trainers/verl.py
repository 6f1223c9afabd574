"""Rewards for verl, as its custom reward function.

    reward.custom_reward_function.path=pkg://surefoot_client.trainers.verl
    reward.custom_reward_function.name=compute_score
    +reward.custom_reward_function.reward_kwargs.servers=http://reward-host:8080

`compute_score_blocking` is the same for the reward managers that cannot await. Both find the problem in the data set's
`extra_info`; for data without it there is the manager of `surefoot_client.trainers.verl_reward_loop`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from surefoot_client.inputs import Aggregation
from surefoot_client.trainers.background import in_background, wait_for
from surefoot_client.trainers.rewards import DEFAULT_SERVER, RewardRule, Servers, client_of, details, score_completions


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, Any] | None = None,
    *,
    servers: Servers = DEFAULT_SERVER,
    model: str | None = None,
    aggregation: Aggregation | None = None,
    problem_key: str = "question",
    unscorable_reward: float | None = None,
    **others: object,
) -> dict[str, float]:
    """The score of one solution; for verl's metrics `num_steps` and `no_error` (1.0 or 0.0), meant for process models.

    `extra_info[problem_key]` is the problem. Keyword arguments come from `reward_kwargs`. verl knows no completion
    without a reward: a failure raises `ItemsFailed`, except that `unscorable_reward`, where it is given, is the reward
    of what nothing can score, such as an empty completion.
    """
    del data_source, ground_truth, others
    item = {"problem": _problem(extra_info, problem_key), "solution": solution_str}
    rule = RewardRule(model=model, aggregation=aggregation, unscorable_reward=unscorable_reward)
    return await in_background(score_with_details(item, servers, rule))


def compute_score_blocking(
    data_source: str,
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, Any] | None = None,
    **options: Any,
) -> dict[str, float]:
    """`compute_score` for callers that block, such as the reward manager `remote`."""
    return wait_for(compute_score(data_source, solution_str, ground_truth, extra_info, **options))


async def score_with_details(item: Mapping[str, object], servers: Servers, rule: RewardRule) -> dict[str, float]:
    """What verl reads of one item's outcome; to be run in the background."""
    [outcome] = await score_completions(client_of(servers), [item], rule)
    [reward] = rule.rewards([outcome])
    # This rule raises where there is no reward.
    return {"score": cast("float", reward), **details(outcome)}


def _problem(extra_info: Mapping[str, Any] | None, key: str) -> str:
    problem = (extra_info or {}).get(key)
    if not isinstance(problem, str):
        raise TypeError(f"extra_info has no text {key!r}; name the problem's key as problem_key in reward_kwargs")
    return problem
