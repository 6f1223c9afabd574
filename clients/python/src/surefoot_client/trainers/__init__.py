"""Reward functions in the form that RL trainers call them in: one module for each trainer, which imports none of them.

    from surefoot_client.trainers.trl import grpo_reward

A failure raises or, where a trainer knows completions without a reward, becomes `None`: never 0.0 and never NaN.
"""

from surefoot_client.trainers.rewards import OnFailure

__all__ = ["OnFailure"]
