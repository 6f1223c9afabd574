"""What is trained is what is served: an adapter's scores in training, served, and merged into the base by peft."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from forwarded import rows_of
from surefoot.domain import ScoreTask
from surefoot.profiles import load_profile
from surefoot.readout import read
from surefoot.settings import ModelSettings, Settings
from surefoot.training.adapter_files import write_adapter
from surefoot.training.labelled_row import LabelledRow
from surefoot.training.lora import AdaptedModel
from surefoot.training.lora_shape import LoraShape
from surefoot.wiring.training import TrainingBase, open_reward_base

TOLERANCE = 1e-5
TASKS = [
    ScoreTask("What is 2 + 3 * 4?", steps=("3 * 4 = 12.", "2 + 12 = 15.", "The answer is 15.")),
    ScoreTask("What is 7 * 8?", steps=("7 * 8 = 56.",)),
]


def opened(directory: Path, profile: str) -> TrainingBase:
    model = ModelSettings(name="trained", path=str(directory), profile=profile)
    return open_reward_base(model, load_profile(profile), Settings(device="cpu", dtype="float32"))


def scores_in_training(base: TrainingBase, model: AdaptedModel) -> list[float]:
    rows = [LabelledRow(task.problem, task.steps, (1,) * len(task.steps), is_correct=True) for task in TASKS]
    examples = [base.example(row) for row in rows]
    raw = tuple(map(tuple, model.read(examples).tolist()))
    return [reading.score for reading in read(base.profile, raw, len(raw))]


@pytest.fixture
def adapter(tiny, tmp_path: Path) -> Callable[..., tuple[Path, list[float]]]:
    """Writes an adapter that changes much, and gives its directory and its scores in training."""

    def make(profile: str, family: str = "llama", stored_as: torch.dtype = torch.float32) -> tuple[Path, list[float]]:
        base = opened(tiny(family), profile)
        model = AdaptedModel(base.checkpoint, base.head, LoraShape(rank=4, alpha=8), seed=1)
        random = torch.Generator().manual_seed(0)
        model.load(
            {
                name: torch.empty_like(tensor).normal_(0, 0.1, generator=random).to(stored_as).float()
                for name, tensor in model.weights().items()
            }
        )
        directory = tmp_path / f"{profile}-adapter"
        directory.mkdir()
        facts = {"base_id": base.base_id, "command": "a test"}
        write_adapter(directory, model, model.stored(stored_as), base.profile, facts)
        return directory, scores_in_training(base, model)

    return make


def served_as(directory: Path, base: Path, **further: Any) -> tuple[str, Path, dict[str, Any]]:
    return str(directory / "profile.toml"), base, {"adapter": str(directory), **further}


async def scores(served, name: str) -> list[float]:
    found = await served.scores(name, TASKS)
    return [step.score for each in found for step in each.steps] or [each.score for each in found]


@pytest.mark.parametrize(
    ("profile", "family"),
    [("embedded-prm", "llama"), ("embedded-orm", "llama"), ("trl-prm", "qwen2_tokens"), ("embedded-prm", "gemma2")],
)
async def test_scores_in_training_are_those_that_are_served(
    serve, tiny, adapter, difference, profile: str, family: str
) -> None:
    directory, expected = adapter(profile, family)
    served = await serve({"m": served_as(directory, tiny(family))})
    assert difference(await scores(served, "m"), expected) <= TOLERANCE


async def test_an_adapter_changes_the_scores(serve, tiny, adapter, difference) -> None:
    _, expected = adapter("embedded-prm")
    served = await serve({"m": ("embedded-prm", tiny("llama"))})
    assert difference(await scores(served, "m"), expected) > 0.01


async def test_an_adapter_stored_in_bf16_is_served_as_it_is_stored(serve, tiny, adapter, difference) -> None:
    directory, expected = adapter("embedded-prm", stored_as=torch.bfloat16)
    assert {tensor.dtype for tensor in load_file(directory / "adapter_model.safetensors").values()} == {torch.bfloat16}
    served = await serve({"m": served_as(directory, tiny("llama"))})
    assert difference(await scores(served, "m"), expected) <= TOLERANCE


async def test_the_base_with_the_adapter_merged_by_peft_gives_the_same(
    serve, tiny, adapter, difference, tmp_path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    directory, expected = adapter("embedded-prm")
    base = AutoModelForCausalLM.from_pretrained(tiny("llama"))
    merged = PeftModel.from_pretrained(base, str(directory)).merge_and_unload()
    merged.save_pretrained(tmp_path / "merged")
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (tmp_path / "merged" / name).write_bytes((tiny("llama") / name).read_bytes())
    served = await serve({"m": ("embedded-prm", tmp_path / "merged")})
    assert difference(await scores(served, "m"), expected) <= TOLERANCE


async def test_models_with_and_without_adapters_share_one_base(serve, tiny, adapter, difference) -> None:
    """Groups of all three together in the queue: none is read with another's adapter."""
    (prm, of_prm), (orm, of_orm) = adapter("embedded-prm"), adapter("embedded-orm")
    base = tiny("llama")
    served = await serve({"prm": served_as(prm, base), "orm": served_as(orm, base), "plain": ("embedded-prm", base)})
    engines = {id(served.registry.get(name).line._scheduler) for name in ("prm", "orm", "plain")}
    assert len(engines) == 1
    alone = await serve({"plain": ("embedded-prm", base)})
    assert difference(await scores(served, "prm"), of_prm) <= TOLERANCE
    assert difference(await scores(served, "orm"), of_orm) <= TOLERANCE
    assert difference(await scores(served, "plain"), await scores(alone, "plain")) <= TOLERANCE


async def test_a_batch_may_mix_adapters(tiny, adapter, difference) -> None:
    from surefoot.domain import ForwardItem
    from surefoot.ports import SilentTelemetry
    from surefoot.wiring.engines import build_engine

    directory, _ = adapter("embedded-prm")
    profile = load_profile("embedded-prm")
    settings = Settings(device="cpu", dtype="float32")
    base = opened(tiny("llama"), "embedded-prm")
    items = [base.example(LabelledRow(task.problem, task.steps, (1,) * len(task.steps))).rendered for task in TASKS]
    engine = build_engine(
        ModelSettings(name="a", path=str(tiny("llama")), profile="embedded-prm"), profile, settings, SilentTelemetry()
    ).engine
    engine.add_model("plain", profile)
    engine.add_adapter("adapted", directory)
    engine.add_model("adapted", profile)
    batch = [ForwardItem(item, name) for item in items for name in ("plain", "adapted")]
    together = rows_of(engine.backend.forward(batch))
    for item, rows in zip(batch, together, strict=True):
        (alone,) = rows_of(engine.backend.forward([item]))
        assert difference([value for row in rows for value in row], [value for row in alone for value in row]) <= 1e-5


async def test_the_fingerprint_covers_the_adapter_and_the_base_id_does_not(serve, tiny, adapter) -> None:
    directory, _ = adapter("embedded-prm")
    base, profile = tiny("llama"), str(directory / "profile.toml")
    served = await serve({"with": served_as(directory, base), "without": (profile, base)})
    first, second = served.registry.cards()
    assert first.base_id == second.base_id
    assert first.fingerprint != second.fingerprint


async def test_two_adapters_have_two_fingerprints(serve, tiny, adapter, tmp_path) -> None:
    directory, _ = adapter("embedded-prm")
    other = tmp_path / "other"
    other.mkdir()
    for file in ("adapter_config.json", "profile.toml"):
        (other / file).write_bytes((directory / file).read_bytes())
    tensors = load_file(directory / "adapter_model.safetensors")
    save_file({name: tensor * 1.01 for name, tensor in tensors.items()}, other / "adapter_model.safetensors")
    served = await serve({"a": served_as(directory, tiny("llama")), "b": served_as(other, tiny("llama"))})
    first, second = served.registry.cards()
    assert first.fingerprint != second.fingerprint


def test_files_are_those_of_peft_and_name_no_directory(adapter, tiny) -> None:
    directory, _ = adapter("embedded-prm")
    config = json.loads((directory / "adapter_config.json").read_text(encoding="utf-8"))
    assert (config["peft_type"], config["r"], config["lora_alpha"]) == ("LORA", 4, 8)
    assert not any(str(tiny("llama")) in path.read_text(errors="replace") for path in directory.iterdir())
