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
    """Loads models given as (name, profile, path) or (name, profile, path, dtype), or as whole settings."""
    opened: list[Registry] = []

    async def build(*models: tuple | ModelSettings, **settings: object) -> Registry:
        named = [
            model
            if isinstance(model, ModelSettings)
            else ModelSettings(**dict(zip(("name", "profile", "path", "dtype"), map(str, model), strict=False)))
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
    assert "score.weight has shape [3, 64], but profile and trunk need [2, 64]" in registry.states()["prm"].detail


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


def log_ratio(tiny, *, reference: Path | None, **changes: object) -> ModelSettings:
    return ModelSettings(
        name="implicit",
        profile="eurus-prm",
        path=str(tiny("eurus-prm")),
        reference_path=None if reference is None else str(reference),
        **changes,
    )


async def test_log_ratio_model_without_a_reference_is_told_to_name_one(load, tiny) -> None:
    registry = await load(log_ratio(tiny, reference=None))
    detail = registry.states()["implicit"].detail
    assert detail.startswith("settings_invalid: models: implicit: ")
    assert "set reference_path" in detail


async def test_reference_of_another_vocabulary_is_reported(load, tiny) -> None:
    registry = await load(log_ratio(tiny, reference=tiny("math-shepherd")))
    assert "reference_path names a model with another vocabulary" in registry.states()["implicit"].detail


async def test_missing_reference_is_reported(load, tiny, tmp_path: Path) -> None:
    registry = await load(log_ratio(tiny, reference=tmp_path / "nowhere"))
    assert registry.states()["implicit"].detail.startswith("checkpoint_missing: ")


async def test_base_of_a_log_ratio_model_covers_its_reference(load, tiny) -> None:
    cards = [(await load(log_ratio(tiny, reference=tiny("eurus-prm", seed=seed)))).cards()[0] for seed in (1, 2)]
    assert cards[0].base_id != cards[1].base_id


async def test_models_with_two_references_do_not_share_an_engine(load, tiny) -> None:
    first, second = (log_ratio(tiny, reference=tiny("eurus-prm", seed=seed)) for seed in (1, 2))
    registry = await load(first, second.model_copy(update={"name": "other"}))
    assert queue_of(registry, "implicit") is not queue_of(registry, "other")


async def test_reference_of_a_model_that_reads_none_is_refused(load, tiny) -> None:
    settings = ModelSettings(
        name="prm", profile="embedded-prm", path=str(tiny("llama")), reference_path=str(tiny("llama"))
    )
    detail = (await load(settings)).states()["prm"].detail
    assert detail.startswith("settings_invalid: models: prm: reference_path is read by log-ratio profiles")


async def test_tokenizer_without_the_tag_is_reported(load, tiny, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(tiny("qwen2.5-math-prm"), tmp_path / "copy"))
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny("qwen2") / file, directory)
    detail = (await load(("prm", "qwen2.5-math-prm", directory))).states()["prm"].detail
    assert detail.startswith("profile_invalid: rendering.tag '<extra_0>' is no control token of this tokenizer")


@pytest.mark.parametrize(("profile", "what"), [("trl-prm", "separator or tag"), ("embedded-orm", "verdicts 'Yes'")])
async def test_tokenizer_that_lacks_what_the_profile_writes_is_reported(
    load, tiny, tmp_path: Path, profile: str, what: str
) -> None:
    """Without these tokens their place would be read as an unknown one."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    directory = Path(shutil.copytree(tiny("qwen2_tokens" if profile == "trl-prm" else "llama"), tmp_path / "copy"))
    letters = [letter for letter in map(chr, range(32, 127)) if letter not in "YN"]
    words = Tokenizer(
        models.BPE({word: place for place, word in enumerate(["<unk>", *letters])}, [], unk_token="<unk>")
    )
    words.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    words.add_special_tokens(["<unk>"])
    words.save(str(directory / "tokenizer.json"))
    detail = (await load(("prm", profile, directory))).states()["prm"].detail
    assert detail.startswith("profile_invalid: this tokenizer has no tokens for ")
    assert what in detail


async def test_missing_head_is_reported(load, tiny) -> None:
    detail = (await load(("prm", "qwen2.5-math-prm", tiny("eurus-prm")))).states()["prm"].detail
    assert detail.startswith("checkpoint_damaged: the checkpoint has no tensor score.0.weight")


@pytest.fixture
def pickled(tiny, tmp_path: Path) -> Path:
    """A checkpoint with a head of its own whose weights are pickled."""
    import torch
    from safetensors.torch import load_file

    directory = Path(shutil.copytree(tiny("qwen2.5-math-prm"), tmp_path / "pickled"))
    torch.save(load_file(directory / "model.safetensors"), directory / "pytorch_model.bin")
    (directory / "model.safetensors").unlink()
    return directory


async def test_pickled_weights_are_refused(load, pickled: Path) -> None:
    detail = (await load(("prm", "qwen2.5-math-prm", pickled))).states()["prm"].detail
    assert detail.startswith("checkpoint_refused: ")


async def test_allowed_pickled_weights_score_the_same(load, tiny, pickled: Path) -> None:
    allowed = ModelSettings(name="pickled", profile="qwen2.5-math-prm", path=str(pickled), allow=["pickle_weights"])
    registry = await load(allowed, ("safe", "qwen2.5-math-prm", tiny("qwen2.5-math-prm")))
    scored = [await registry.get(name).line.score_group([TASK], ScoreOptions()) for name in ("pickled", "safe")]
    assert scored[0].results == scored[1].results


async def test_adapter_that_is_not_there_is_reported(load, tiny, tmp_path: Path) -> None:
    model = ModelSettings(
        name="prm", profile="embedded-prm", path=str(tiny("llama")), adapter=str(tmp_path / "nowhere")
    )
    assert (await load(model)).states()["prm"].detail.startswith("adapter_invalid: ")


async def test_adapter_of_a_model_that_is_not_read_in_one_pass_is_refused(load, tiny, tmp_path: Path) -> None:
    model = log_ratio(tiny, reference=tiny("eurus-prm", seed=1), adapter=str(tmp_path))
    assert (
        "an adapter is applied to models that are read in one pass" in (await load(model)).states()["implicit"].detail
    )


def test_adapter_is_read_by_transformers_alone() -> None:
    with pytest.raises(ValueError, match="adapter is read with backend = 'transformers' only"):
        ModelSettings(name="prm", backend="vllm", adapter="somewhere")
