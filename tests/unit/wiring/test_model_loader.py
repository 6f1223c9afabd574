"""Models on one checkpoint share it; one that cannot be loaded leaves the others served."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from surefoot.domain import ScoreOptions, ScoreTask
from surefoot.errors import NotReady, ProfileInvalid
from surefoot.ports import SilentTelemetry
from surefoot.registry import Registry
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring.models import ModelLoader

TASK = ScoreTask("What is 1 + 1?", steps=("It is 2.",))


@pytest.fixture
async def load() -> AsyncIterator[Callable[..., object]]:
    """Loads models given as (name, profile, path) or (name, profile, path, dtype)."""
    opened: list[Registry] = []

    async def build(*models: tuple, **settings: object) -> Registry:
        named = [
            ModelSettings(**dict(zip(("name", "profile", "path", "dtype"), map(str, model), strict=False)))
            for model in models
        ]
        chosen = Settings(**{"models": named, "device": "cpu", "dtype": "float32"} | settings)
        registry = ModelLoader(chosen, SilentTelemetry()).registry()
        opened.append(registry)
        await registry.load_all()
        return registry

    yield build
    for registry in opened:
        await registry.close()


def queue_of(registry: Registry, name: str) -> object:
    return registry.get(name).line._scheduler


async def test_models_on_one_checkpoint_share_its_queue(load, tiny) -> None:
    registry = await load(("prm", "embedded-prm", tiny("llama")), ("orm", "embedded-orm", tiny("llama")))
    assert queue_of(registry, "prm") is queue_of(registry, "orm")


async def test_models_on_two_checkpoints_have_their_own(load, tiny) -> None:
    registry = await load(("prm", "embedded-prm", tiny("llama")), ("orm", "embedded-orm", tiny("qwen2")))
    assert queue_of(registry, "prm") is not queue_of(registry, "orm")


async def test_models_of_two_dtypes_have_their_own(load, tiny) -> None:
    registry = await load(("prm", "embedded-prm", tiny("llama")), ("orm", "embedded-orm", tiny("llama"), "bfloat16"))
    assert queue_of(registry, "prm") is not queue_of(registry, "orm")
    assert [card.dtype for card in registry.cards()] == ["float32", "bfloat16"]


async def test_models_on_one_checkpoint_have_one_base_and_two_fingerprints(load, tiny) -> None:
    registry = await load(("prm", "embedded-prm", tiny("llama")), ("orm", "embedded-orm", tiny("llama")))
    first, second = registry.cards()
    assert first.base_id == second.base_id
    assert first.fingerprint != second.fingerprint


async def test_missing_checkpoint_leaves_the_others_served(load, tiny, tmp_path: Path) -> None:
    registry = await load(("lost", "embedded-orm", tmp_path / "nowhere"), ("prm", "embedded-prm", tiny("llama")))
    (result,) = (await registry.get("prm").line.score_group([TASK], ScoreOptions())).results
    assert 0 < result.score < 1


async def test_missing_checkpoint_is_reported_with_its_reason(load, tiny, tmp_path: Path) -> None:
    registry = await load(("lost", "embedded-orm", tmp_path / "nowhere"), ("prm", "embedded-prm", tiny("llama")))
    state = registry.states()["lost"]
    assert state.state == "failed"
    assert state.detail.startswith("checkpoint_missing: ")
    assert not registry.is_ready()
    with pytest.raises(NotReady, match="nowhere"):
        registry.get("lost")


async def test_wrong_number_of_labels_is_reported(load, tiny) -> None:
    registry = await load(("prm", "trl-prm", tiny("qwen2_tokens", num_labels=3)))
    assert "3 outputs but the profile reads 2" in registry.states()["prm"].detail


async def test_wrong_architecture_is_reported(load, tiny) -> None:
    registry = await load(("prm", "trl-prm", tiny("llama")))
    assert registry.states()["prm"].detail.startswith("checkpoint_damaged: ")


async def test_verdict_that_is_not_one_token_is_reported(load, tiny, tmp_path: Path) -> None:
    from surefoot.profiles import load_profile

    text = "\n".join(
        [
            'name = "perhaps-prm"',
            'title = "Perhaps"',
            'kind = "process"',
            'scale = "probability"',
            "[rendering]",
            'method = "verdict_turns"',
            "[readout]",
            'method = "token_contrast"',
            'positive = "Perhaps"',
            'negative = "No"',
        ]
    )
    (tmp_path / "perhaps.toml").write_text(text, encoding="utf-8")
    assert load_profile(str(tmp_path / "perhaps.toml")).name == "perhaps-prm"
    registry = await load(("prm", tmp_path / "perhaps.toml", tiny("llama")))
    assert registry.states()["prm"].detail.startswith("profile_invalid: verdict 'Perhaps' is 7 tokens")


def test_unknown_profile_is_refused_before_anything_loads() -> None:
    settings = Settings(models=[ModelSettings(name="prm", profile="unheard-of")])
    with pytest.raises(ProfileInvalid, match="unheard-of"):
        ModelLoader(settings, SilentTelemetry()).registry()


async def test_model_that_cannot_be_read_in_batches_is_served(load, tiny) -> None:
    registry = await load(("prm", "embedded-prm", tiny("gemma2")))
    assert registry.is_ready(), registry.states()


async def test_limit_is_the_smaller_of_setting_and_model(load, tiny) -> None:
    small = tiny("llama", max_position_embeddings=512)
    registry = await load(("a", "embedded-prm", small), ("b", "embedded-prm", tiny("llama")), max_input_tokens=1024)
    assert [card.max_input_tokens for card in registry.cards()] == [512, 1024]


async def test_card_says_what_is_served(load, tiny) -> None:
    (card,) = (await load(("prm", "trl-prm", tiny("qwen2_tokens")))).cards()
    assert (card.name, card.kind, card.scale, card.backend) == ("prm", "process", "probability", "transformers")
    assert (card.dtype, card.device, card.tolerance) == ("float32", "cpu", 1e-5)


async def test_failed_head_does_not_leave_its_name_behind(load, tiny) -> None:
    registry = await load(
        ("lost", "sequence-classification", tiny("llama_reward", num_labels=2)),
        ("orm", "embedded-orm", tiny("llama")),
    )
    assert [state.state for state in registry.states().values()] == ["failed", "ready"]


async def test_closed_models_take_no_more_work(load, tiny) -> None:
    registry = await load(("prm", "embedded-prm", tiny("llama")))
    line = registry.get("prm").line
    await registry.close()
    with pytest.raises(NotReady):
        await line.score_group([TASK], ScoreOptions())


async def test_engine_of_a_model_whose_profile_fails_stops_with_the_registry(load, tiny) -> None:
    await (await load(("prm", "trl-prm", tiny("qwen2_tokens", num_labels=3)))).close()
    running = [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("scheduler")]
    assert running == []


async def test_loading_reads_only_the_directory_given(load, tiny, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(tiny("llama"), tmp_path / "copy"))
    registry = await load(("prm", "embedded-prm", directory))
    shutil.rmtree(directory)
    (result,) = (await registry.get("prm").line.score_group([TASK], ScoreOptions())).results
    assert result.steps[0].score == pytest.approx(result.score)
