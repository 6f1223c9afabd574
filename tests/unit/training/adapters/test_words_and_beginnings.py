"""A reward model that learns to write beside judging, and one that begins with another adapter's values."""

from dataclasses import replace

import pytest
import torch

from surefoot.errors import AdapterMismatch, NotTrainable
from surefoot.modeling.adapters import read_adapter
from surefoot.training.adapter_files import write_adapter
from surefoot.training.lora import AdaptedModel
from surefoot.training.lora_shape import LoraShape
from surefoot.training.losses import words_loss

SHAPE = LoraShape(rank=4, alpha=8)


def model_of(base, shape: LoraShape = SHAPE, seed: int = 1) -> AdaptedModel:
    return AdaptedModel(base.checkpoint, base.head, shape, seed=seed, with_words=True)


@pytest.fixture
def base(reward_base):
    return reward_base(words=True)


@pytest.fixture
def stored(reward_base, tmp_path):
    """An adapter with values of its own, as it was read back."""
    base = reward_base()
    model = model_of(base)
    for parameter in model.parameters.values():
        torch.nn.init.normal_(parameter, std=0.02)
    facts = {"command": "surefoot train prm", "base_id": base.base_id}
    write_adapter(tmp_path, model, model.stored(torch.float32), base.profile, facts)
    return read_adapter(tmp_path), model


def test_the_logits_of_next_tokens_come_with_what_is_judged(base, labelled) -> None:
    model, examples = model_of(base), [base.example(row) for row in labelled(3)]
    raw, words = model.raw_and_words(examples)
    assert torch.allclose(raw, model.raw(examples), atol=1e-5)
    assert words.shape == (sum(len(example.word_positions) for example in examples), base.head.weight.shape[1] * 5)


def test_the_loss_of_words_is_a_mean_for_each_solution(base, labelled) -> None:
    examples = [example for row in labelled(9) if (example := base.example(row)).word_positions]
    _, logits = model_of(base).raw_and_words(examples)
    expected, rows = 0.0, iter(torch.log_softmax(logits.double(), -1))
    for example in examples:
        each = [-next(rows)[example.rendered.token_ids[place + 1]].item() for place in example.word_positions]
        expected += sum(example.weights) * sum(each) / len(each)
    assert words_loss(logits, examples).item() == pytest.approx(expected, rel=1e-4)


def test_it_learns_to_write(trainer, base, watched) -> None:
    run, model = trainer(base=base, epochs=6, learning_rate=0.01, words_weight=1.0, shape=SHAPE)
    examples = [example for example in run._data.training if example.word_positions]

    def loss() -> float:
        with torch.no_grad():
            return words_loss(model.raw_and_words(examples)[1], examples).item()

    before = loss()
    run.run(watched(), lambda _: None)
    assert loss() < 0.7 * before


def test_a_trunk_without_an_output_layer_cannot_write(reward_base) -> None:
    with pytest.raises(NotTrainable, match="--words-weight 0"):
        reward_base("trl-prm", "qwen2_tokens", words=True)


def test_it_begins_with_the_values_of_another(reward_base, stored) -> None:
    adapter, other = stored
    model = model_of(reward_base(), seed=2)
    model.start_from(adapter)
    assert all(torch.equal(value, other.weights()[name]) for name, value in model.weights().items())


@pytest.mark.parametrize("change", [{"rank": 2, "alpha": 4}, {"top_layers": 1}, {"alpha": 4}])
def test_one_of_another_shape_is_refused(reward_base, stored, change) -> None:
    model = model_of(reward_base(), replace(SHAPE, **change))
    with pytest.raises(AdapterMismatch, match="other layers, another rank or alpha"):
        model.start_from(stored[0])
