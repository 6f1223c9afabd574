"""Who writes a verifier's critiques, what of it is proven at start, and which settings cannot be served."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from surefoot.domain import ScoreOptions, ScoreTask
from surefoot.ports import SilentTelemetry
from surefoot.registry import Registry
from surefoot.sampling.fake_sampler import FakeSampler
from surefoot.sampling.life import PolicySource
from surefoot.sampling.transformers_sampler import TransformersSampler
from surefoot.settings import Settings
from surefoot.wiring.models import ModelLoader

TASK = ScoreTask("What is 1 + 1?", steps=("It is 2.",))
PROFILE = """
name = "critic"
title = "A critic"
kind = "outcome"
scale = "probability"
[rendering]
method = "final_verdict"
[readout]
method = "generative_verdict"
positive = "Yes"
negative = "No"
cue = "Right? "
max_tokens = 8
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    file = tmp_path / "critic.toml"
    file.write_text(PROFILE, encoding="utf-8")
    return file


@pytest.fixture
async def load(profile: Path, tiny) -> AsyncIterator[Callable[..., Any]]:
    """Loads the critic on a tiny checkpoint; `model` are further settings of it."""
    opened: list[Registry] = []

    async def build(
        *, samplers: dict[str, Any] | None = None, model: dict[str, Any] | None = None, **settings: Any
    ) -> Registry:
        fields = {"name": "critic", "profile": str(profile), "path": str(tiny("llama"))} | (model or {})
        chosen = Settings(**{"models": [fields], "device": "cpu", "dtype": "float32"} | settings)
        registry = ModelLoader(chosen, SilentTelemetry(), samplers or {}).registry()
        opened.append(registry)
        await registry.load_all()
        return registry

    yield build
    for registry in opened:
        await registry.close()


async def refusal(registry: Registry) -> str:
    state = registry.states()["critic"]
    assert state.state == "failed"
    return state.detail


async def score(registry: Registry) -> Any:
    (result,) = (await registry.get("critic").line.score_group([TASK], ScoreOptions())).results
    return result


async def test_the_model_writes_its_own_critiques(load) -> None:
    registry = await load()
    assert registry.is_ready(), registry.states()
    assert 0 < (await score(registry)).score < 1


async def test_reading_is_proven_against_a_plain_pass(load) -> None:
    proof = (await load()).get("critic").card.self_check
    assert (proof.state, proof.against) == ("passed", "plain_forward")


def pin(profile: Path, value: float) -> None:
    golden = f'[[golden]]\nproblem = "{TASK.problem}"\nsteps = ["{TASK.steps[0]}"]\nscores = [{value}]\n'
    profile.write_text(PROFILE + golden, encoding="utf-8")


async def test_golden_values_are_held_against_critiques(load, profile: Path) -> None:
    pin(profile, (await score(await load())).score)
    assert (await load()).get("critic").card.self_check.against == "golden"


async def test_other_golden_values_are_refused(load, profile: Path) -> None:
    pin(profile, (await score(await load())).score + 0.01)
    assert (await refusal(await load())).startswith("self_check_failed: ")


async def test_a_named_generator_writes_the_critiques(load, tiny) -> None:
    sampler = FakeSampler(["Hm."])
    registry = await load(
        samplers={"default": sampler}, model={"generator": "default"}, generator={"path": str(tiny("llama"))}
    )
    await score(registry)
    assert len(sampler.prompts) == 1


async def test_a_named_generator_of_the_same_checkpoint_gives_the_same_score(load, tiny) -> None:
    own = await score(await load())
    source = PolicySource(tiny("llama"), "tiny")
    sampler = TransformersSampler("d", lambda: source, dtype="float32", device="cpu", max_context_tokens=512)
    registry = await load(
        samplers={"default": sampler}, model={"generator": "default"}, generator={"path": str(tiny("llama"))}
    )
    named = await score(registry)
    await sampler.close()
    assert named == own


async def test_a_named_generator_changes_the_fingerprint(load, tiny) -> None:
    own = (await load()).get("critic").card
    registry = await load(
        samplers={"default": FakeSampler(["Hm."])},
        model={"generator": "default"},
        generator={"path": str(tiny("llama"))},
    )
    named = registry.get("critic").card
    assert (own.backend, named.backend) == ("transformers", "transformers+fake")
    assert own.fingerprint != named.fingerprint


async def test_a_named_generators_shorter_context_is_the_limit(load, tiny) -> None:
    generator = {"path": str(tiny("llama")), "max_context_tokens": 300}
    registry = await load(
        samplers={"default": FakeSampler(["Hm."])}, model={"generator": "default"}, generator=generator
    )
    assert registry.get("critic").card.max_input_tokens == 300


async def test_a_generator_that_is_not_configured_is_refused(load) -> None:
    detail = await refusal(await load(samplers={"other": FakeSampler(["x"])}, model={"generator": "lost"}))
    assert (
        detail
        == "settings_invalid: models: critic: generator 'lost': no such generator is configured here; there are: other"
    )


async def test_a_generator_with_an_adapter_is_refused(load, tiny) -> None:
    generator = {"path": str(tiny("llama")), "adapter": "somewhere"}
    registry = await load(samplers={"default": FakeSampler(["x"])}, model={"generator": "default"}, generator=generator)
    assert "it samples with an adapter, and critiques are this model's own" in await refusal(registry)


async def test_a_generator_of_another_checkpoint_is_refused(load) -> None:
    detail = await refusal(await load(samplers={"default": FakeSampler(["x"])}, model={"generator": "default"}))
    assert "it runs embedded" in detail


@pytest.mark.parametrize("offer", [{}, {"api": "completions"}, {"extensions": True}])
async def test_a_server_that_gives_no_tokens_is_refused(load, offer: dict[str, Any]) -> None:
    remote = {"name": "far", "url": "http://far:1", "model": "m"} | offer
    registry = await load(samplers={"far": FakeSampler(["x"])}, model={"generator": "far"}, remote_generators=[remote])
    assert "set api = 'completions' and extensions = true" in await refusal(registry)


async def test_a_server_that_gives_tokens_writes_critiques(load) -> None:
    remote = {"name": "far", "url": "http://far:1", "model": "m", "api": "completions", "extensions": True}
    sampler = FakeSampler(["Hm."])
    registry = await load(samplers={"far": sampler}, model={"generator": "far"}, remote_generators=[remote])
    await score(registry)
    assert len(sampler.prompts) == 1


async def test_a_generator_means_nothing_to_other_models(load) -> None:
    detail = await refusal(await load(model={"profile": "embedded-orm", "generator": "default"}))
    assert "generator is read by generative verifiers" in detail


async def test_vllms_pooling_is_refused(load) -> None:
    assert "pooling writes no text" in await refusal(await load(model={"backend": "vllm"}))
