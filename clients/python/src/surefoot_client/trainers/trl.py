"""Reward functions for the trainers of TRL: `GRPOTrainer(reward_funcs=grpo_reward("http://…"), …)`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from surefoot_client.bulk import Outcome
from surefoot_client.inputs import Aggregation
from surefoot_client.scores import ItemFailure, ItemResult
from surefoot_client.trainers.background import in_background
from surefoot_client.trainers.conversations import Prompt, item_of
from surefoot_client.trainers.rewards import (
    DEFAULT_SERVER,
    OnFailure,
    RewardRule,
    Servers,
    client_of,
    score_completions,
)

TrlReward = Callable[..., Coroutine[Any, Any, list[float | None]]]


def grpo_reward(
    servers: Servers = DEFAULT_SERVER,
    *,
    model: str | None = None,
    aggregation: Aggregation | None = None,
    problem_column: str | None = None,
    on_failure: OnFailure = "raise",
    unscorable_reward: float | None = None,
    name: str = "surefoot",
    log: bool = True,
    batch_size: int = 32,
    max_concurrent: int = 4,
) -> TrlReward:
    """A reward function, truly a coroutine function, which gives each completion the score of `model`.

    `servers` are addresses of servers, waited for up to half an hour while they are away, or a client, which this
    function then has for itself. `problem_column` names the dataset's column with the problem; without it the problem
    is the prompt's text, or its user turn.

    A completion without a score raises `ItemsFailed` or, with `on_failure="none"`, gets `None`, which TRL leaves out:
    right where this is the only reward function. Beside others TRL adds theirs up as if this one had said 0.
    `unscorable_reward` is the reward of what nothing can score, such as an empty completion.

    `name` is how TRL's logs call it; with `log` they also get the number of steps, where the first error is, and the
    share of completions without a score.
    """
    rule = RewardRule(
        model=model,
        aggregation=aggregation,
        on_failure=on_failure,
        unscorable_reward=unscorable_reward,
        batch_size=batch_size,
        max_concurrent=max_concurrent,
    )

    async def reward(prompts: Sequence[Prompt], completions: Sequence[Prompt], **columns: Any) -> list[float | None]:
        problems = _problems(columns, problem_column, len(prompts))
        items = [item_of(*each) for each in zip(prompts, completions, problems, strict=True)]
        outcomes = await in_background(score_completions(client_of(servers), items, rule))
        rewards = rule.rewards(outcomes)
        if log:
            _log(name, outcomes, columns)
        return rewards

    reward.__name__ = reward.__qualname__ = name
    return reward


def _problems(columns: Mapping[str, Any], column: str | None, num_prompts: int) -> Sequence[str | None]:
    if column is None:
        return [None] * num_prompts
    if column not in columns:
        raise ValueError(f"problem_column: the dataset has no column {column!r}")
    problems: Sequence[str | None] = columns[column]
    return problems


def _log(name: str, outcomes: Sequence[Outcome], columns: Mapping[str, Any]) -> None:
    """Tell TRL, where it asks: its versions hand in `log_extra` and `log_metric`, or one, or neither."""
    if (log_metric := columns.get("log_metric")) is not None and outcomes:
        log_metric(f"{name}/failed", sum(isinstance(outcome, ItemFailure) for outcome in outcomes) / len(outcomes))
        stepwise = [outcome for outcome in outcomes if isinstance(outcome, ItemResult) and outcome.steps]
        if stepwise:
            log_metric(f"{name}/num_steps", sum(len(result.steps) for result in stepwise) / len(stepwise))
            log_metric(f"{name}/no_error", sum(result.first_error is None for result in stepwise) / len(stepwise))
    if (log_extra := columns.get("log_extra")) is not None:
        log_extra(f"{name}_steps", [_step_scores(outcome) for outcome in outcomes])
        log_extra(f"{name}_first_error", [_first_error(outcome) for outcome in outcomes])


def _step_scores(outcome: Outcome) -> str:
    """The step scores to read beside the completion; why there are none where it failed."""
    if isinstance(outcome, ItemFailure):
        return outcome.error.code
    return " ".join(f"{step.score:.2f}" for step in outcome.steps)


def _first_error(outcome: Outcome) -> int | None:
    return outcome.first_error if isinstance(outcome, ItemResult) else None
