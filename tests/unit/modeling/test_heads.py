"""Heads read in fp32, and give the logits that the model itself would give."""

import pytest
import torch
import transformers

from surefoot.errors import CheckpointDamaged
from surefoot.modeling.heads import LinearHead, checkpoint_head, contrast_head
from surefoot.modeling.weights import read_tensors
from surefoot.profiles import HeadSpec

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


def test_checkpoint_head_of_bf16_weights_computes_in_fp32() -> None:
    head = read_head({"score.weight": torch.zeros(2, 64, dtype=torch.bfloat16)}, 2)
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


@pytest.mark.parametrize("scale", [1.0, 50.0])
def test_mass_head_ends_with_the_vocabularys_mass(tiny, scale: float) -> None:
    model = open_model(tiny("llama"))
    hidden = torch.randn(3, 64, generator=torch.Generator().manual_seed(0)) * scale
    found = contrast_head(model, WORDS, with_mass=True)(hidden)
    logits = hidden @ model.lm_head.weight.T
    assert torch.allclose(found, torch.cat([logits[:, WORDS], logits.logsumexp(-1, keepdim=True)], -1), atol=1e-4)


def read_head(tensors: dict, columns: int, **spec: str) -> torch.nn.Module:
    return checkpoint_head(HeadSpec(**spec), tensors, hidden_size=64, num_columns=columns)


@pytest.mark.parametrize(
    ("family", "loader", "columns"),
    [
        ("qwen2_tokens", "AutoModelForTokenClassification", 2),
        ("llama_reward", "AutoModelForSequenceClassification", 1),
    ],
)
def test_checkpoint_head_gives_the_models_own_values(tiny, family: str, loader: str, columns: int) -> None:
    model, token_ids = open_model(tiny(family), loader), torch.arange(40)[None]
    with torch.inference_mode():
        logits = model(token_ids).logits.reshape(-1, columns)
        hidden = model.base_model(token_ids).last_hidden_state[0]
        found = read_head(read_tensors(tiny(family), "score"), columns)(hidden)
    assert torch.allclose(found[-1], logits[-1], atol=1e-5)


def test_mlp_head_is_two_layers_with_a_relu_between_them(tiny) -> None:
    tensors = read_tensors(tiny("qwen2.5-math-prm"), "score")
    hidden = torch.randn(5, 64, generator=torch.Generator().manual_seed(0))
    inner = (hidden @ tensors["score.0.weight"].T + tensors["score.0.bias"]).clamp(min=0)
    expected = inner @ tensors["score.2.weight"].T + tensors["score.2.bias"]
    assert torch.allclose(read_head(tensors, 2, layers="mlp_relu")(hidden), expected, atol=1e-5)


def test_head_under_another_name_is_read_by_it(tiny) -> None:
    tensors = read_tensors(tiny("skywork-o1-open-prm"), "v_head.summary")
    head = read_head(tensors, 1, weights="v_head.summary")
    assert torch.equal(head.weight, tensors["v_head.summary.weight"])


def test_missing_head_is_named_with_the_command_that_shows_heads() -> None:
    with pytest.raises(CheckpointDamaged, match=r"no tensor score\.weight.*surefoot models inspect"):
        read_head({}, 1)


def test_missing_second_layer_is_named() -> None:
    with pytest.raises(CheckpointDamaged, match=r"no tensor score\.2\.weight"):
        read_head({"score.0.weight": torch.zeros(8, 64)}, 2, layers="mlp_relu")


def test_another_number_of_outputs_is_refused() -> None:
    with pytest.raises(CheckpointDamaged, match=r"shape \[1, 64\], but profile and trunk need \[2, 64\]"):
        read_head({"score.weight": torch.zeros(1, 64)}, 2)


def test_head_of_another_hidden_size_is_refused() -> None:
    with pytest.raises(CheckpointDamaged, match=r"shape \[1, 32\], but profile and trunk need \[1, 64\]"):
        read_head({"score.weight": torch.zeros(1, 32)}, 1)


def test_bias_of_another_size_is_refused() -> None:
    with pytest.raises(CheckpointDamaged, match=r"score\.bias has shape \[3\]"):
        read_head({"score.weight": torch.zeros(2, 64), "score.bias": torch.zeros(3)}, 2)


@pytest.mark.parametrize("part", ["weight", "bias"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_head_with_values_that_are_not_finite_is_refused(part: str, value: float) -> None:
    tensors = {"score.weight": torch.zeros(2, 64), "score.bias": torch.zeros(2)}
    tensors[f"score.{part}"].view(-1)[1] = value
    with pytest.raises(CheckpointDamaged, match="not finite"):
        read_head(tensors, 2)


def test_verdict_rows_that_are_not_finite_are_refused(tiny) -> None:
    model = open_model(tiny("llama"))
    with torch.no_grad():
        model.lm_head.weight[WORDS[0], 0] = float("nan")
    with pytest.raises(CheckpointDamaged, match="not finite"):
        contrast_head(model, WORDS)
