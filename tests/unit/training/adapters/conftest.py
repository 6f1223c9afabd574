"""Labelled rows that a tiny model can learn from, and everything that a run over them needs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from surefoot.profiles import load_profile
from surefoot.settings import ModelSettings, Settings
from surefoot.training.labelled_row import LabelledRow, labels_to
from surefoot.training.loop import Data, Trainer
from surefoot.training.lora import AdaptedModel
from surefoot.training.lora_shape import LoraShape
from surefoot.training.plan import TrainingPlan
from surefoot.wiring.training import TrainingBase, open_reward_base


def rows_of(count: int, seed: int = 0) -> list[LabelledRow]:
    """Two steps each; a wrong one is marked by its word, so that little learning tells it."""
    source = random.Random(seed)
    rows = []
    for _ in range(count):
        first, second = source.randint(1, 9), source.randint(1, 9)
        wrong = source.choice([None, 0, 1])
        steps = tuple("bad" if place == wrong else f"{first}+{second}" for place in range(2))
        rows.append(LabelledRow(f"Add {first} and {second}", steps, labels_to(wrong, 2)))
    return rows


@dataclass
class Watched:
    """Remembers how a run went, and interrupts it after `interrupt_after` steps."""

    interrupt_after: int | None = None
    losses: list[float] = field(default_factory=list)
    resumed_at: int = 0

    def begun(self, num_tokens: int, num_tokens_done: int) -> None:
        self.resumed_at = num_tokens_done

    def stepped(self, epoch: int, num_tokens: int, loss: float) -> None:
        self.losses.append(loss)
        if len(self.losses) == self.interrupt_after:
            raise KeyboardInterrupt

    def validated(self, epoch: int, measures: Mapping[str, float], *, is_best: bool) -> None: ...


@pytest.fixture
def watched() -> type[Watched]:
    return Watched


@pytest.fixture
def labelled() -> Callable[..., list[LabelledRow]]:
    """Labelled rows: `labelled(40, seed=1)`."""
    return rows_of


@pytest.fixture
def settings() -> Settings:
    return Settings(device="cpu", dtype="float32", max_input_tokens=4096, threads=1)


@pytest.fixture
def reward_base(tiny, settings) -> Callable[..., TrainingBase]:
    """A tiny base, opened for training: `reward_base("embedded-orm", every_token=True)`."""

    def opened(profile: str = "embedded-prm", family: str = "llama", **options: Any) -> TrainingBase:
        model = ModelSettings(name="trained", path=str(tiny(family)), profile=profile)
        return open_reward_base(model, load_profile(profile), settings, **options)

    return opened


@pytest.fixture
def trainer(reward_base, tmp_path: Path) -> Callable[..., tuple[Trainer, AdaptedModel]]:
    """A trainer of a model on 30 rows, and its model: `trainer(directory, epochs=3)`."""

    def build(
        directory: Path | None = None,
        *,
        base: TrainingBase | None = None,
        shape: LoraShape | None = None,
        stored_as: str = "float32",
        data: str = "x",
        kept_bytes: int = 2**30,
        **plan: Any,
    ) -> tuple[Trainer, AdaptedModel]:
        base = base or reward_base()
        training, validation = ([base.example(row) for row in rows_of(*given)] for given in ((30, 0), (20, 1)))
        chosen = replace(
            TrainingPlan(learning_rate=5e-3, batch_tokens=50, accumulate=2, save_every_steps=1, patience=9), **plan
        )
        shape = shape or LoraShape(rank=4, alpha=8, dropout=0.1)
        model = AdaptedModel(
            base.checkpoint, base.head, shape, seed=chosen.seed, kept_bytes=kept_bytes, with_words=True
        )
        trainer = Trainer(
            model,
            Data(training, validation, range(1, 31)),
            base.profile,
            chosen,
            stored_as=getattr(torch, stored_as),
            directory=directory or tmp_path,
            made_for={"data": data},
        )
        return trainer, model

    return build


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Sums are the same to the bit only in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
