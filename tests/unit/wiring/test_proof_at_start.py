"""Models of every family prove themselves when they load; a wrong forward pass keeps the model from being served."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from forwarded import with_rows
from surefoot.domain import Forwarded, ForwardItem
from surefoot.errors import NotReady
from surefoot.ports import Backend, SilentTelemetry
from surefoot.registry import Registry
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring import engines
from surefoot.wiring.models import ModelLoader

PROFILES = {
    "llama": "embedded-prm",
    "qwen2": "embedded-orm",
    "mistral": "embedded-prm",
    "gemma2": "embedded-prm",
    "granite": "embedded-prm",
    "cohere": "embedded-prm",
    "qwen2_tokens": "trl-prm",
    "llama_reward": "sequence-classification",
}
"""Gemma 2's attention cannot be packed."""

Load = Callable[..., Awaitable[Registry]]


@pytest.fixture
async def load() -> AsyncIterator[Load]:
    """Loads models, each given as the fields of its settings."""
    opened: list[Registry] = []

    async def build(*models: dict[str, Any], dtype: str = "float32") -> Registry:
        named = [ModelSettings(**{name: str(value) for name, value in model.items()}) for model in models]
        registry = ModelLoader(Settings(models=named, device="cpu", dtype=dtype), SilentTelemetry()).registry()
        opened.append(registry)
        await registry.load_all()
        return registry

    yield build
    for registry in opened:
        await registry.close()


@dataclass
class Distorted:
    """A backend whose served rows are changed; its plain pass, which the engine holds already, is not."""

    backend: Backend
    distort: Callable[[Backend, Sequence[ForwardItem]], list[Forwarded]]

    @property
    def name(self) -> str:
        return self.backend.name

    @property
    def max_input_tokens(self) -> int:
        return self.backend.max_input_tokens

    def forward(self, batch: Sequence[ForwardItem]) -> list[Forwarded]:
        return self.distort(self.backend, batch)

    def close(self) -> None:
        self.backend.close()


def shifted_by_one(backend: Backend, batch: Sequence[ForwardItem]) -> list[Forwarded]:
    return backend.forward(
        [
            replace(
                item,
                rendered=replace(
                    item.rendered, readout_positions=tuple(place - 1 for place in item.rendered.readout_positions)
                ),
            )
            for item in batch
        ]
    )


def swapped_columns(backend: Backend, batch: Sequence[ForwardItem]) -> list[Forwarded]:
    return with_rows(backend.forward(batch), lambda rows: tuple(row[::-1] for row in rows))


def one_long_sequence(backend: Backend, batch: Sequence[ForwardItem]) -> list[Forwarded]:
    """As a packed pass whose attention forgets where a sequence ends: each input sees those before it."""
    before: tuple[int, ...] = ()
    found: list[Forwarded] = []
    for item in batch:
        moved = tuple(len(before) + place for place in item.rendered.readout_positions)
        before += item.rendered.token_ids
        grown = replace(item.rendered, token_ids=before, readout_positions=moved)
        found += backend.forward([replace(item, rendered=grown)])
    return found


@pytest.fixture
def distort(monkeypatch) -> Callable[[Any], None]:
    """Makes every engine that is built from here on serve wrong rows."""
    build = engines.BUILDERS["transformers"]

    def wrong(distortion: Any) -> None:
        def build_wrong(*arguments: Any) -> engines.Engine:
            engine = build(*arguments)
            return replace(engine, backend=Distorted(engine.backend, distortion))

        monkeypatch.setitem(engines.BUILDERS, "transformers", build_wrong)

    return wrong


@pytest.mark.parametrize("family", PROFILES)
async def test_every_family_proves_itself(load: Load, tiny, family: str) -> None:
    registry = await load({"name": "tested", "profile": PROFILES[family], "path": tiny(family)})
    assert registry.is_ready(), registry.states()
    proof = registry.get("tested").card.self_check
    assert (proof.state, proof.against) == ("passed", "plain_forward")
    assert proof.max_difference <= 1e-5


async def test_bf16_is_held_to_its_own_tolerance(load: Load, tiny) -> None:
    registry = await load({"name": "tested", "profile": "embedded-prm", "path": tiny("llama")}, dtype="bfloat16")
    assert registry.get("tested").card.self_check.max_difference <= registry.get("tested").card.tolerance


async def test_a_log_ratio_of_two_models_proves_itself(load: Load, tiny) -> None:
    pair = {"path": tiny("llama"), "reference_path": tiny("llama", seed=1)}
    registry = await load({"name": "tested", "profile": "eurus-prm", **pair})
    assert registry.is_ready(), registry.states()
    assert registry.get("tested").card.self_check.against == "plain_forward"


@pytest.mark.parametrize("family", ["llama", "gemma2", "qwen2_tokens", "llama_reward"])
async def test_rows_of_the_token_before_are_found(load: Load, tiny, distort, family: str) -> None:
    distort(shifted_by_one)
    registry = await load({"name": "tested", "profile": PROFILES[family], "path": tiny(family)})
    assert registry.states()["tested"].detail.startswith("self_check_failed: probe ")


@pytest.mark.parametrize("family", ["llama", "qwen2_tokens"])
async def test_swapped_columns_are_found(load: Load, tiny, distort, family: str) -> None:
    distort(swapped_columns)
    registry = await load({"name": "tested", "profile": PROFILES[family], "path": tiny(family)})
    assert registry.states()["tested"].state == "failed"


@pytest.mark.parametrize("family", ["llama", "qwen2_tokens", "llama_reward"])
async def test_attention_across_neighbours_is_found(load: Load, tiny, distort, family: str) -> None:
    distort(one_long_sequence)
    registry = await load({"name": "tested", "profile": PROFILES[family], "path": tiny(family)})
    assert registry.states()["tested"].state == "failed"


async def test_a_model_that_fails_its_proof_is_not_served(load: Load, tiny, distort) -> None:
    distort(swapped_columns)
    registry = await load({"name": "tested", "profile": "embedded-prm", "path": tiny("llama")})
    assert (registry.is_ready(), registry.cards()) == (False, [])
    with pytest.raises(NotReady, match="self_check_failed"):
        registry.get("tested")


async def test_the_numbers_of_a_failed_proof_are_in_the_log(load: Load, tiny, distort, caplog) -> None:
    distort(swapped_columns)
    with caplog.at_level(logging.ERROR):
        await load({"name": "tested", "profile": "embedded-prm", "path": tiny("llama")})
    assert "model tested: self_check_failed: probe " in caplog.text
    assert "tolerance 1e-05" in caplog.text


async def test_a_backend_without_a_plain_pass_is_served_unverified(load: Load, tiny, monkeypatch) -> None:
    build = engines.BUILDERS["transformers"]
    monkeypatch.setitem(engines.BUILDERS, "transformers", lambda *given: replace(build(*given), plain_rows=None))
    registry = await load({"name": "tested", "profile": "embedded-prm", "path": tiny("llama")})
    proof = registry.get("tested").card.self_check
    assert (registry.is_ready(), proof.state) == (True, "unverified")
    assert "surefoot models pin" in proof.detail
