"""Long inputs go through feed-forward blocks and norms a chunk of rows at a time, and come out as the whole does."""

import pytest
import torch
import transformers

from surefoot.modeling import row_chunks
from surefoot.modeling.row_chunks import row_wise_in_chunks, rows_at_a_time


class Block(torch.nn.Module):
    """As Llama's; remembers how many rows it was given."""

    def __init__(self, seen: list[int]) -> None:
        super().__init__()
        self.gate_proj, self.up_proj, self.down_proj = (torch.nn.Linear(8, 8) for _ in range(3))
        self.seen = seen

    def forward(self, hidden: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
        self.seen.append(hidden.shape[:-1].numel())
        return self.down_proj(torch.nn.functional.silu(self.gate_proj(hidden)) * self.up_proj(hidden)) * scale


@pytest.fixture
def seen(monkeypatch) -> list[int]:
    monkeypatch.setattr(row_chunks, "_ROWS", 4)
    return []


@pytest.fixture
def block(seen) -> Block:
    return Block(seen)


@pytest.mark.parametrize(("rows", "chunks"), [(3, [3]), (4, [4]), (9, [4, 4, 1])])
def test_rows_come_out_as_those_of_the_whole(block: Block, seen: list[int], rows: int, chunks: list[int]) -> None:
    hidden = torch.randn(1, rows, 8)
    with torch.inference_mode():
        whole = block(hidden)
        row_wise_in_chunks(block)
        seen.clear()
        found = block(hidden)
    assert seen == chunks
    assert found.shape == whole.shape
    assert torch.allclose(found, whole, atol=1e-6)


def test_a_gradient_takes_the_whole(block: Block, seen: list[int]) -> None:
    row_wise_in_chunks(block)
    block(torch.randn(1, 9, 8)).sum().backward()
    assert seen == [9]


def test_what_is_given_more_than_rows_is_left_alone(block: Block, seen: list[int]) -> None:
    row_wise_in_chunks(block)
    with torch.inference_mode():
        block(torch.randn(1, 9, 8), scale=2.0)
    assert seen == [9]


def test_norms_come_out_as_those_of_the_whole(seen, tiny) -> None:
    trunk = transformers.AutoModelForCausalLM.from_pretrained(tiny("llama"), dtype=torch.bfloat16).get_decoder()
    hidden = torch.randn(1, 9, trunk.config.hidden_size).bfloat16()
    with torch.inference_mode():
        whole = trunk.norm(hidden)
        row_wise_in_chunks(trunk)
        assert torch.equal(trunk.norm(hidden), whole)


def changed(trunk: torch.nn.Module) -> set[str]:
    row_wise_in_chunks(trunk)
    return {name for name, module in trunk.named_modules() if "forward" in vars(module)}


@pytest.mark.parametrize("family", ["llama", "gemma2", "qwen2"])
def test_every_dense_block_and_norm_of_a_family_is_found(tiny, family: str) -> None:
    trunk = transformers.AutoModelForCausalLM.from_pretrained(tiny(family)).get_decoder()
    found = changed(trunk)
    assert {name for name in found if "norm" not in name} == {f"layers.{at}.mlp" for at in range(len(trunk.layers))}
    assert found >= {"norm", "layers.0.input_layernorm", "layers.1.post_attention_layernorm"}


def test_a_mixture_of_experts_is_left_alone() -> None:
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.MixtralConfig(vocab_size=32, num_key_value_heads=1, num_local_experts=2, **sizes)
    assert not any("mlp" in name or "experts" in name for name in changed(transformers.MixtralModel(config)))


def test_a_gpu_is_given_everything_at_once() -> None:
    assert rows_at_a_time(torch.device("cuda")) > 10**9
