"""The option of `/score` that gives rewards beside scores, and what it says of them in the answer."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from surefoot.api.schemas.common import Request, Response
from surefoot.domain import GroupScore, ScoreTask
from surefoot.reward_treatment import Scaling, treat

Finite = Annotated[float, Field(allow_inf_nan=False)]


def _in_order(cap: tuple[float, float]) -> tuple[float, float]:
    if not cap[0] < cap[1]:
        raise ValueError("give the lowest reward, then a higher one")
    return cap


# JSON has lists only, which a strict tuple refuses.
Cap = Annotated[tuple[Finite, Finite], Field(strict=False), AfterValidator(_in_order)]


class RewardOptions(Request):
    """What is done to scores before they are rewards: capped first, then scaled."""

    cap: Cap | None = Field(None, description="Lowest and highest reward; scores outside become these.")
    scaling: Scaling = Field(
        "none",
        description="To mean 0 and standard deviation 1: within each `group` of items with the same problem, or over "
        "the request (`batch`). A group whose scores are all equal gets 0.",
    )


class RewardsOut(Response):
    """What was done: options as they were given, and the rewards after capping and before scaling."""

    cap: tuple[float, float] | None
    scaling: Scaling
    num_rewards: int
    num_capped: int
    mean: float
    std: float
    num_flat_groups: int


def add_rewards(
    answer: dict[str, Any], options: RewardOptions | None, tasks: list[ScoreTask], group: GroupScore
) -> None:
    """Put `reward` beside each score of the answer, and `rewards` beside its results.

    Where checks were combined it is the checked score that is treated. A failed item gets no reward.
    """
    if options is None:
        return
    scores = [None if isinstance(result, Exception) else (result.checked or result).score for result in group.results]
    treated = treat(scores, [(task.context, task.problem) for task in tasks], options.cap, options.scaling)
    for result, reward in zip(answer["results"], treated.rewards, strict=True):
        if reward is not None:
            result["reward"] = reward
    answer["rewards"] = RewardsOut(
        cap=options.cap,
        scaling=options.scaling,
        num_rewards=sum(reward is not None for reward in treated.rewards),
        num_capped=treated.num_capped,
        mean=treated.mean,
        std=treated.std,
        num_flat_groups=treated.num_flat_groups,
    ).model_dump()
