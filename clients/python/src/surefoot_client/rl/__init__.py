"""For RL trainers, with NumPy: step scores at the policy's own token positions. The extra `rl` brings NumPy."""

from surefoot_client.rl.policy_tokens import PolicyTokenizer, PolicyTokens
from surefoot_client.rl.step_tokens import StepTokens, align_steps
from surefoot_client.rl.token_rewards import Placement, placed_rewards, token_rewards

__all__ = [
    "Placement",
    "PolicyTokenizer",
    "PolicyTokens",
    "StepTokens",
    "align_steps",
    "placed_rewards",
    "token_rewards",
]
