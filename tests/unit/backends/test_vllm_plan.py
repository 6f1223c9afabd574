"""How vLLM's pooling reads a profile, and what it refuses before anything is started."""

from __future__ import annotations

from typing import Any

import pytest

from surefoot.backends.vllm_plan import (
    SERVED,
    UNSERVED,
    CheckpointFacts,
    PoolingPlan,
    num_columns,
    plan_pooling,
    reads_last_token,
    row_indices,
)
from surefoot.domain import RenderedInput
from surefoot.errors import BackendFailed, SettingsInvalid
from surefoot.profiles import HeadSpec, Profile, builtin_names, load_profile
from surefoot.readout import READERS

LLAMA = CheckpointFacts("LlamaForCausalLM")
SCORE = HeadSpec(weights="score")


def changed(name: str, part: str, **changes: Any) -> Profile:
    """A built-in profile with values of its readout or its rendering changed."""
    profile = load_profile(name)
    form = profile.model_dump()
    return Profile.model_validate(form | {part: form[part] | changes})


def refusal(name: str | Profile, facts: CheckpointFacts) -> str:
    profile = load_profile(name) if isinstance(name, str) else name
    with pytest.raises(SettingsInvalid) as caught:
        plan_pooling(profile, facts, ("+", "-"))
    assert caught.value.param == "backend"
    return caught.value.message


def test_every_readout_is_served_or_refused_with_a_reason() -> None:
    assert set(READERS) == SERVED | set(UNSERVED)
    assert not set(UNSERVED) & SERVED


@pytest.mark.parametrize("name", [name for name in builtin_names() if load_profile(name).readout.method in UNSERVED])
def test_a_refusal_names_the_readout_and_the_way_out(name: str) -> None:
    profile = load_profile(name)
    message = refusal(profile, LLAMA)
    assert repr(profile.readout.method) in message
    assert 'backend = "transformers"' in message


def test_a_contrast_reads_the_words_rows_positive_first() -> None:
    plan = plan_pooling(load_profile("math-shepherd"), CheckpointFacts("MistralForCausalLM"), ("▁+", "▁-"))
    overrides = {"classifier_from_token": ["▁+", "▁-"], "method": "no_post_processing", "num_labels": 2}
    assert plan == PoolingPlan("each_token", 2, "classify", overrides)


def test_the_mass_of_the_vocabulary_is_refused() -> None:
    assert "'vocabulary'" in refusal(changed("math-shepherd", "readout", normalise="vocabulary"), LLAMA)


@pytest.mark.parametrize("bend", ["logit_scale", "final_logit_softcapping", "lm_head.bias"])
def test_a_contrast_of_bent_logits_is_refused(bend: str) -> None:
    assert bend in refusal("math-shepherd", CheckpointFacts("Gemma2ForCausalLM", bent_logits=bend))


def test_a_contrast_needs_a_language_model() -> None:
    assert "Qwen2Model" in refusal("math-shepherd", CheckpointFacts("Qwen2Model"))


@pytest.mark.parametrize(
    ("name", "facts", "expected"),
    [
        ("trl-prm", CheckpointFacts("Qwen2ForTokenClassification"), ("each_token", 2, SCORE)),
        ("pure-prm", CheckpointFacts("Qwen2ForTokenClassification"), ("each_token", 2, SCORE)),
        ("prm800k", CheckpointFacts("LlamaForTokenClassification", num_labels=3), ("each_token", 3, SCORE)),
        (
            "qwen2.5-math-prm",
            CheckpointFacts("Qwen2ForProcessRewardModel"),
            ("each_token", 2, HeadSpec(weights="score", layers="mlp_relu")),
        ),
        (
            "qwen2.5-math-rm",
            CheckpointFacts("Qwen2ForRewardModel"),
            ("each_token", 1, HeadSpec(weights="score", layers="mlp_relu")),
        ),
        (
            "sequence-classification",
            CheckpointFacts("LlamaForSequenceClassification", num_labels=1),
            ("last_token", 1, SCORE),
        ),
        (
            "internlm2-reward",
            CheckpointFacts("InternLM2ForRewardModel", allows_remote_code=True),
            ("each_token", 1, HeadSpec(weights="v_head")),
        ),
    ],
)
def test_heads_are_read_by_the_class_that_has_them(
    name: str, facts: CheckpointFacts, expected: tuple[str, int, HeadSpec]
) -> None:
    plan = plan_pooling(load_profile(name), facts)
    assert (plan.mode, plan.num_columns, plan.head) == expected
    assert (plan.convert, plan.overrides) == ("auto", {})


def test_internlm2_needs_its_own_configuration_code() -> None:
    assert 'allow = ["remote_code"]' in refusal("internlm2-reward", CheckpointFacts("InternLM2ForRewardModel"))


def test_a_head_under_another_name_is_refused() -> None:
    facts = CheckpointFacts("LlamaForSequenceClassification", num_labels=1)
    profile = changed("sequence-classification", "readout", head={"weights": "value_head"})
    assert "'value_head'" in refusal(profile, facts)


def test_another_number_of_labels_is_refused() -> None:
    message = refusal("trl-prm", CheckpointFacts("Qwen2ForTokenClassification", num_labels=3))
    assert "gives 3 values at a position and the profile reads 2" in message


def test_a_class_that_vllm_reads_no_head_of_is_refused() -> None:
    assert "ReasonEval_7B" in refusal("reasoneval-7b", CheckpointFacts("ReasonEval_7B"))


def test_an_outcome_read_before_the_end_is_pooled_at_every_token() -> None:
    rendering = {"method": "final_verdict", "turn": "{problem}{solution}", "verdict": "Yes"}
    profile = load_profile("sequence-classification")
    profile = Profile.model_validate(profile.model_dump() | {"rendering": rendering})
    assert not reads_last_token(profile)
    assert plan_pooling(profile, CheckpointFacts("LlamaForSequenceClassification", num_labels=1)).mode == "each_token"


@pytest.mark.parametrize(("name", "expected"), [("prm800k", 3), ("trl-prm", 2), ("qwen2.5-math-rm", 1)])
def test_columns_are_those_of_the_readout(name: str, expected: int) -> None:
    assert num_columns(load_profile(name)) == expected


def test_rows_are_chosen_by_position() -> None:
    assert row_indices("each_token", 5, RenderedInput((1, 2, 3, 4, 5), (1, 4))) == [1, 4]


@pytest.mark.parametrize("num_rows", [0, 1, 4, 6])
def test_rows_that_are_not_one_a_token_are_refused(num_rows: int) -> None:
    with pytest.raises(BackendFailed, match=f"gave {num_rows} rows for 5 tokens"):
        row_indices("each_token", num_rows, RenderedInput((1, 2, 3, 4, 5), (1, 4)))


@pytest.mark.parametrize(("num_rows", "positions"), [(1, (3,)), (1, (2, 4)), (2, (4,)), (0, (4,))])
def test_the_last_row_stands_for_the_last_token_alone(num_rows: int, positions: tuple[int, ...]) -> None:
    with pytest.raises(BackendFailed, match="where the last of 5 tokens is read"):
        row_indices("last_token", num_rows, RenderedInput((1, 2, 3, 4, 5), positions))


def test_the_last_token_has_one_row() -> None:
    assert row_indices("last_token", 1, RenderedInput((1, 2, 3), (2,))) == [0]
