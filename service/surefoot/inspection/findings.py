"""What checkpoints of reward models look like, and which built-in profiles read each sort.

The first finding that holds is the checkpoint's, so the particular stand before the general. Where the weights cannot
be seen, the class that config.json names stands for the head that it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from surefoot.inspection.contents import Contents

Finding = Literal[
    "process_mlp_head",
    "outcome_mlp_head",
    "summary_value_head",
    "reward_token_head",
    "three_class_step_head",
    "two_class_tokens",
    "three_class_tokens",
    "regression_head",
    "sequence_classifier",
    "language_model",
]


@dataclass(frozen=True, slots=True)
class Rule:
    """`profiles` maps a built-in profile to the sentence that says when it is the right one.

    `question` is what nothing in a checkpoint of this sort answers; there is none where one profile reads them all.
    """

    seen: str
    holds: Callable[[Contents], bool]
    profiles: Mapping[str, str]
    question: str | None = None


def finding_of(contents: Contents) -> Finding | None:
    """The first finding that holds."""
    return next((name for name, rule in RULES.items() if rule.holds(contents)), None)


def _head(weights: str, layers: str, rows: int, *, classes: tuple[str, ...]) -> Callable[[Contents], bool]:
    """That head is there; or one of these classes, whose names may begin with any family's, where no head is seen."""

    def holds(contents: Contents) -> bool:
        if contents.tensors is None:
            return _is_a(contents, *classes)
        return any((head.weights, head.layers, head.rows) == (weights, layers, rows) for head in contents.heads)

    return holds


def _is_a(contents: Contents, *classes: str) -> bool:
    return any(name.endswith(classes) for name in contents.architectures)


def _classifies_tokens(num_classes: int) -> Callable[[Contents], bool]:
    def holds(contents: Contents) -> bool:
        seen = {head.rows for head in contents.heads} if contents.tensors is not None else {contents.num_labels or 2}
        return _is_a(contents, "ForTokenClassification") and num_classes in seen

    return holds


def _is_regression(contents: Contents) -> bool:
    """A bias-free row beside the settings that its trainer writes into config.json."""
    one_row = any(head.layers == "linear" and head.rows == 1 for head in contents.heads)
    is_named = "RewardModel" in contents.architectures or _is_a(contents, "ForSequenceRegression")
    is_marked = is_named or "value_head_prefix" in contents.config
    return is_marked and (one_row or contents.tensors is None)


def _classifies_sequences(contents: Contents) -> bool:
    one_row = any((head.weights, head.layers, head.rows) == ("score", "linear", 1) for head in contents.heads)
    if contents.tensors is None:
        return _is_a(contents, "ForSequenceClassification") and contents.num_labels in (1, None)
    return one_row and not _is_a(contents, "ForTokenClassification")


RULES: Mapping[Finding, Rule] = {
    "process_mlp_head": Rule(
        "a two-layer head score.0, score.2 with two rows",
        _head("score", "mlp_relu", 2, classes=("ForProcessRewardModel",)),
        {"qwen2.5-math-prm": "Qwen2.5-Math-PRM and what was trained on from it: a tag after each step."},
    ),
    "outcome_mlp_head": Rule(
        "a two-layer head score.0, score.2 with one row",
        _head("score", "mlp_relu", 1, classes=("Qwen2ForRewardModel",)),
        {"qwen2.5-math-rm": "Qwen2.5-Math-RM and what was trained on from it: one value for the whole solution."},
    ),
    "summary_value_head": Rule(
        "a value head v_head.summary",
        _head("v_head.summary", "linear", 1, classes=("ForPrmModel",)),
        {"skywork-o1-open-prm": "Skywork-o1-Open-PRM: a value at the end of each line."},
    ),
    "reward_token_head": Rule(
        "a value head v_head",
        _head("v_head", "linear", 1, classes=("InternLM2ForRewardModel",)),
        {"internlm2-reward": "internlm2-reward: one value at the reward token after the conversation."},
    ),
    "three_class_step_head": Rule(
        "a head score_head with three rows",
        _head("score_head", "linear", 3, classes=("ReasonEval_7B", "ReasonEval_34B")),
        {
            "reasoneval-7b": "ReasonEval-7B (Mistral): read one token before each step's last, as its script does.",
            "reasoneval-34b": "ReasonEval-34B (Llama), and your own of this kind: read at each step's last token.",
        },
        "at which token of a step it is read; the two published models differ in it",
    ),
    "two_class_tokens": Rule(
        "a token classifier with two classes",
        _classifies_tokens(2),
        {
            "trl-prm": "Trained with TRL's PRMTrainer: a separator after each step, a line end by default, and "
            "probabilities.",
            "pure-prm": "PURE-PRM-7B and models of its recipe: a blank line after each step, and scores from -1 to 1.",
        },
        "which separator stood after each step in training; it is stored nowhere in the checkpoint (with another "
        "separator than these, copy the nearer profile and change rendering.separator)",
    ),
    "three_class_tokens": Rule(
        "a token classifier with three classes",
        _classifies_tokens(3),
        {"prm800k": "Trained on PRM800K's ratings: columns negative, neutral, positive, a line end a step."},
        "the order of the classes, and which separator stood after each step in training; neither is stored in the "
        "checkpoint",
    ),
    "regression_head": Rule(
        "a one-row head as OpenRLHF writes it",
        _is_regression,
        {"openrlhf": "Trained with OpenRLHF: one value at the end of the text."},
    ),
    "sequence_classifier": Rule(
        "a sequence classifier with one label",
        _classifies_sequences,
        {
            "sequence-classification": "Skywork-Reward, AceMath-RM, FsfairX and most outcome models: the conversation "
            "as the chat template writes it, one value at its end."
        },
    ),
    "language_model": Rule(
        "a language model without a head of its own",
        lambda contents: _is_a(contents, "ForCausalLM", "LMHeadModel"),
        {
            "math-shepherd": "Math-Shepherd and descendants on Mistral's vocabulary: plain text, the tag ки after "
            "each step.",
            "er-prm": "ER-PRM (llama3.1-math-prm): as Math-Shepherd, on Llama 3.1's vocabulary.",
            "rlhflow-prm": "RLHFlow's PRMs: a chat, each step a user's turn that the assistant answers with + or -.",
            "rlhflow-orm": "RLHFlow's ORMs: one user's turn with everything, answered with + or -.",
            "eurus-prm": "EurusPRM-Stage1 and -Stage2: log-ratios against a reference model, read as their cards read.",
            "implicit-prm": "Other implicit process rewards: the same log-ratios, read at each step's end.",
            "thinkprm": "ThinkPRM: writes a critique, then its verdict; slow, one generation a solution.",
            "embedded-prm": "No reward model at all: any instruct model, asked Yes or No after each step. Untrained.",
            "embedded-orm": "No reward model at all: any instruct model, asked Yes or No at the end. Untrained.",
        },
        "how it was trained to answer; checkpoints of these families look alike, so its model card must say",
    ),
}
