"""Heads read in fp32, and give the logits that the model itself would give."""

import pytest
import torch
import transformers

from surefoot.errors import CheckpointDamaged
from surefoot.modeling.heads import LinearHead, classification_head, contrast_head

WORDS = [7, 200]


def open_model(directory, loader: str = "AutoModelForCausalLM", dtype: torch.dtype = torch.float32):
    return getattr(transformers, loader).from_pretrained(directory, dtype=dtype, attn_implementation="eager").eval()


@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma2", "granite", "cohere"])
def test_contrast_head_gives_the_models_own_logits(tiny, family: str) -> None:
    model, token_ids = open_model(tiny(family)), torch.arange(40)[None]
    with torch.inference_mode():
        expected = model(token_ids).logits[0][:, WORDS]
        hidden = model.get_decoder()(token_ids).last_hidden_state[0]
        found = contrast_head(model, WORDS)(hidden)
    assert torch.allclose(found, expected, atol=1e-5)


def test_contrast_head_follows_the_order_of_the_words(tiny) -> None:
    model = open_model(tiny("llama"))
    assert torch.equal(contrast_head(model, WORDS[::-1]).weight, contrast_head(model, WORDS).weight.flip(0))


@pytest.mark.parametrize("family", ["llama", "granite"])
def test_contrast_head_of_a_bf16_model_computes_in_fp32(tiny, family: str) -> None:
    head = contrast_head(open_model(tiny(family), dtype=torch.bfloat16), WORDS)
    assert head.weight.dtype is torch.float32
    assert head(torch.zeros(1, 64, dtype=torch.bfloat16)).dtype is torch.float32


def test_classification_head_of_a_bf16_model_computes_in_fp32(tiny) -> None:
    model = open_model(tiny("qwen2_tokens"), "AutoModelForTokenClassification", torch.bfloat16)
    head = classification_head(model, 2)
    assert {parameter.dtype for parameter in head.parameters()} == {torch.float32}


def test_large_logits_are_not_rounded_to_bf16() -> None:
    """Between 16 and 32 bf16 has steps of 1/8."""
    head = LinearHead(torch.tensor([[1.0, 1.0]], dtype=torch.bfloat16))
    assert head(torch.tensor([[16.0, 0.03125]], dtype=torch.bfloat16)).item() == 16.03125


def test_bias_is_added() -> None:
    assert LinearHead(torch.tensor([[2.0]]), torch.tensor([0.5]))(torch.tensor([[3.0]])).item() == 6.5


def test_soft_cap_bounds_the_values() -> None:
    head = LinearHead(torch.tensor([[1.0]]), soft_cap=30.0)
    assert head(torch.tensor([[30.0]])).item() == pytest.approx(30 * 0.7615941559)


@pytest.mark.parametrize(
    ("family", "loader", "columns"),
    [
        ("qwen2_tokens", "AutoModelForTokenClassification", 2),
        ("llama_reward", "AutoModelForSequenceClassification", 1),
    ],
)
def test_classification_head_gives_the_models_own_values(tiny, family: str, loader: str, columns: int) -> None:
    model, token_ids = open_model(tiny(family), loader), torch.arange(40)[None]
    with torch.inference_mode():
        logits = model(token_ids).logits.reshape(-1, columns)
        hidden = model.base_model(token_ids).last_hidden_state[0]
        found = classification_head(model, columns)(hidden)
    assert torch.allclose(found[-1], logits[-1], atol=1e-5)


def test_another_number_of_outputs_is_refused(tiny) -> None:
    model = open_model(tiny("llama_reward"), "AutoModelForSequenceClassification")
    with pytest.raises(CheckpointDamaged, match="1 outputs but the profile reads 2"):
        classification_head(model, 2)


def test_model_without_a_linear_head_is_refused(tiny) -> None:
    with pytest.raises(CheckpointDamaged, match="no linear head"):
        classification_head(open_model(tiny("llama")), 1)
