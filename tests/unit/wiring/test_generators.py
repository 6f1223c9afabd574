"""Which generator runs, when it starts, and what a shared GPU asks of the settings."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from surefoot.domain import Message
from surefoot.errors import CheckpointMissing, GpuMemoryTooSmall, SamplerUnavailable, SettingsInvalid
from surefoot.modeling.adapters import read_adapter
from surefoot.settings import Example, GeneratorSettings, GpuSettings, ModelSettings, RemoteGeneratorSettings, Settings
from surefoot.wiring import generators
from surefoot.wiring.generators import (
    build_generator,
    build_remote_generator,
    check_gpu,
    chosen_engine,
    preface,
    shares_gpu,
    starts_with_service,
)
from tiny_adapters import write_tiny_adapter

GIB = 2**30


def settings(device: str = "cpu", **generator: object) -> Settings:
    return Settings(device=device, generator=GeneratorSettings(**generator))


@pytest.fixture
def vllm_is(monkeypatch) -> Callable[[bool], None]:
    """Makes vLLM look installed or absent."""
    spec = importlib.util.find_spec("surefoot")

    def pretend(installed: bool) -> None:
        monkeypatch.setattr(generators, "find_spec", lambda _: spec if installed else None)

    return pretend


@pytest.mark.parametrize(
    ("wanted", "installed", "expected"),
    [
        ("auto", True, "vllm"),
        ("auto", False, "transformers"),
        ("vllm", True, "vllm"),
        ("transformers", True, "transformers"),
        ("transformers", False, "transformers"),
        ("none", True, "none"),
    ],
)
def test_engine(vllm_is, wanted: str, installed: bool, expected: str) -> None:
    vllm_is(installed)
    assert chosen_engine(settings(engine=wanted)) == expected


def test_absent_vllm_is_refused_with_the_way_to_install_it(vllm_is) -> None:
    vllm_is(False)
    with pytest.raises(SettingsInvalid, match="pip install") as caught:
        chosen_engine(settings(engine="vllm"))
    assert caught.value.param == "generator.engine"


@pytest.mark.parametrize(
    ("start", "shared", "expected"),
    [
        ("auto", False, False),
        ("auto", True, True),
        ("startup", False, True),
        ("startup", True, True),
        ("lazy", False, False),
    ],
)
def test_when_it_starts(start: str, shared: bool, expected: bool) -> None:
    assert starts_with_service(settings(start=start), shares_gpu=shared) is expected


def test_lazy_is_refused_on_a_shared_gpu() -> None:
    with pytest.raises(SettingsInvalid, match="auto or startup") as caught:
        starts_with_service(settings(start="lazy"), shares_gpu=True)
    assert caught.value.param == "generator.start"


@pytest.mark.parametrize(
    ("engine", "device", "expected"),
    [("vllm", "cuda:0", True), ("vllm", "cpu", False), ("transformers", "cuda:0", False), ("none", "cuda:0", False)],
)
def test_when_a_gpu_is_shared(vllm_is, gpu, engine: str, device: str, expected: bool) -> None:
    gpu(23, 24)
    vllm_is(True)
    assert shares_gpu(settings(device, engine=engine)) is expected


def test_without_reward_models_no_gpu_is_shared(vllm_is, gpu) -> None:
    gpu(23, 24)
    vllm_is(True)
    alone = settings("cuda:0", engine="vllm").model_copy(update={"models": []})
    assert not shares_gpu(alone)


@pytest.mark.parametrize("engine", ["vllm", "transformers"])
def test_engine_decides_the_sampler(vllm_is, engine: str) -> None:
    vllm_is(True)
    generator = build_generator(settings(engine=engine, name="policy", path="/models/policy"))
    assert (generator.name, generator.model, generator.sampler.state().engine) == ("policy", "/models/policy", engine)


def test_how_long_candidates_may_wait_is_its_own_setting(vllm_is) -> None:
    vllm_is(True)
    own = build_generator(settings(engine="vllm", max_queue_s=7.0))
    far = build_remote_generator(RemoteGeneratorSettings(name="far", url="http://far:8000", model="m", max_queue_s=9.0))
    assert (own.sampler.max_queue_s, far.sampler.max_queue_s) == (7.0, 9.0)  # type: ignore[attr-defined]


def test_building_looks_for_no_checkpoint(vllm_is) -> None:
    vllm_is(True)
    sampler = build_generator(settings(engine="transformers", path="/nowhere")).sampler
    assert sampler.state().state == "idle"


async def test_fingerprint_names_weights_engine_and_dtype(tiny) -> None:
    sampler = build_generator(settings(engine="transformers", path=str(tiny("llama")), dtype="float32")).sampler
    await sampler.start()
    weights, engine, dtype = sampler.fingerprint.rsplit("-", 2)
    await sampler.close()
    assert (len(weights), engine, dtype) == (16, "transformers", "float32")


async def test_fingerprint_names_the_adapter(tiny, tmp_path: Path) -> None:
    adapter = write_tiny_adapter(tiny("llama"), tmp_path / "adapter")
    wanted = settings(engine="transformers", path=str(tiny("llama")), dtype="float32", adapter=str(adapter))
    sampler = build_generator(wanted).sampler
    await sampler.start()
    named = sampler.fingerprint.partition("-")[0]
    await sampler.close()
    assert named.partition("+")[2] == read_adapter(adapter).id


async def test_an_adapter_of_another_base_makes_it_unavailable(tiny, tmp_path: Path) -> None:
    adapter = write_tiny_adapter(tiny("llama"), tmp_path / "adapter", facts={"base_id": "aaaa"})
    wanted = settings(engine="transformers", path=str(tiny("llama")), dtype="float32", adapter=str(adapter))
    with pytest.raises(SamplerUnavailable, match="the adapter was trained for the base aaaa"):
        await build_generator(wanted).sampler.start()


async def test_other_instructions_than_the_adapters_are_logged(tiny, tmp_path: Path, caplog) -> None:
    facts = {"preface": [{"role": "system", "content": "Be long."}]}
    adapter = write_tiny_adapter(tiny("llama"), tmp_path / "adapter", facts=facts)
    wanted = settings(engine="transformers", path=str(tiny("llama")), dtype="float32", adapter=str(adapter))
    sampler = build_generator(wanted).sampler
    await sampler.start()
    await sampler.close()
    assert "other instructions or examples than its adapter was trained with" in caplog.text


def test_preface_is_instructions_then_examples_as_earlier_turns() -> None:
    wanted = GeneratorSettings(instructions="Be brief.", examples=[Example(problem="1 + 1?", solution="2.")])
    assert preface(wanted) == (
        Message("system", "Be brief."),
        Message("user", "1 + 1?"),
        Message("assistant", "2."),
    )


def test_without_instructions_and_examples_there_is_no_preface() -> None:
    assert preface(GeneratorSettings(path="/models/policy")) == ()


def on_gpu(directory: Path, **shares: float) -> Settings:
    models = [
        ModelSettings(name="prm", profile="embedded-prm", path=str(directory)),
        ModelSettings(name="orm", profile="embedded-orm", path=str(directory)),
    ]
    generator = GeneratorSettings(path=str(directory))
    return Settings(device="cuda:0", models=models, generator=generator, gpu=GpuSettings(**shares))


def test_scorers_are_bounded_to_their_share(tiny, gpu) -> None:
    bounds = gpu(23, 24)
    check_gpu(on_gpu(tiny("llama"), scorer_share=0.4))
    assert bounds == [(0.4, "cuda:0")]


def test_full_gpu_is_refused_before_anything_is_bounded(tiny, gpu) -> None:
    bounds = gpu(2, 24)
    with pytest.raises(GpuMemoryTooSmall, match=r"2\.0 GiB of 24\.0 GiB are free"):
        check_gpu(on_gpu(tiny("llama")))
    assert bounds == []


def test_weights_of_a_shared_checkpoint_count_once(tiny, gpu) -> None:
    """The share has room for the weights one and a half times; two models read them."""
    weights = (tiny("llama") / "model.safetensors").stat().st_size
    total_gib = weights * 1.5 / 0.45 / GIB
    gpu(total_gib, total_gib)
    check_gpu(on_gpu(tiny("llama")))


def test_weights_of_a_reference_model_count_too(tiny, gpu) -> None:
    """The share has room for the weights of one model one and a half times; the model and its reference need two."""
    weights = (tiny("llama") / "model.safetensors").stat().st_size
    total_gib = weights * 1.5 / 0.45 / GIB
    gpu(total_gib, total_gib)
    settings = on_gpu(tiny("llama"))
    settings.models[0].reference_path = str(tiny("qwen2"))
    with pytest.raises(GpuMemoryTooSmall):
        check_gpu(settings)


def test_weights_that_exceed_the_share_are_refused(tiny, gpu) -> None:
    weights = (tiny("llama") / "model.safetensors").stat().st_size
    total_gib = weights * 1.1 / 0.45 / GIB
    gpu(total_gib, total_gib)
    with pytest.raises(GpuMemoryTooSmall) as caught:
        check_gpu(on_gpu(tiny("llama")))
    assert caught.value.param == "gpu.scorer_share"


def test_missing_checkpoint_is_named(tmp_path: Path, gpu) -> None:
    gpu(23, 24)
    with pytest.raises(CheckpointMissing, match="nowhere"):
        check_gpu(on_gpu(tmp_path / "nowhere"))


def far(**changes: object) -> RemoteGeneratorSettings:
    return RemoteGeneratorSettings(**{"name": "far", "url": "http://far.test:8000", "model": "m"} | changes)


def test_a_remote_generator_is_built_and_not_asked() -> None:
    generator = build_remote_generator(far())
    assert (generator.name, generator.model) == ("far", "m")
    assert (generator.sampler.state().engine, generator.sampler.state().state) == ("openai", "idle")


def test_a_remote_generator_has_a_preface_of_its_own() -> None:
    assert build_remote_generator(far(instructions="Be brief.")).preface == (Message("system", "Be brief."),)


def test_a_remote_generator_without_its_key_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="NO_SUCH_KEY"):
        build_remote_generator(far(api_key_env="NO_SUCH_KEY"))
