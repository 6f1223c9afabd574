"""For RL trainers, with NumPy: step scores at the policy's own tokens, results as arrays, and a watch on rewards.

The extra `rl` brings NumPy.
"""

from surefoot_client.rl.hygiene import LengthBias, Scaling, TreatedRewards, length_bias, treat_rewards
from surefoot_client.rl.policy_tokens import PolicyTokenizer, PolicyTokens
from surefoot_client.rl.range_guard import OutOfRange, RangeGuard
from surefoot_client.rl.score_arrays import ScoreArrays, score_array, score_arrays, step_score_array
from surefoot_client.rl.step_tokens import StepTokens, align_steps
from surefoot_client.rl.token_rewards import Placement, placed_rewards, token_rewards

__all__ = [
    "LengthBias",
    "OutOfRange",
    "Placement",
    "PolicyTokenizer",
    "PolicyTokens",
    "RangeGuard",
    "Scaling",
    "ScoreArrays",
    "StepTokens",
    "TreatedRewards",
    "align_steps",
    "length_bias",
    "placed_rewards",
    "score_array",
    "score_arrays",
    "step_score_array",
    "token_rewards",
    "treat_rewards",
]
