"""Which models share an engine of vLLM, and what is refused before one is started."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from surefoot.backends.vllm_plan import PoolingPlan
from surefoot.domain import ForwardItem
from surefoot.errors import CheckpointDamaged, SettingsInvalid
from surefoot.modeling.tokenizer import HfTokenizer
from surefoot.profiles import Profile, load_profile
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring import vllm_engines
from surefoot.wiring.engines import engine_key
from surefoot.wiring.generators import shares_gpu
from surefoot.wiring.vllm_engines import pooling_plan

SETTINGS = Settings()


def key(profile: str | Profile = "math-shepherd", **changes: Any) -> tuple[str, ...]:
    chosen = load_profile(profile) if isinstance(profile, str) else profile
    model = ModelSettings(**{"name": "m", "path": "/models/a", "backend": "vllm"} | changes)
    return engine_key(model, chosen, SETTINGS)


def contrasting(**readout: Any) -> Profile:
    form = load_profile("math-shepherd").model_dump()
    return Profile.model_validate(form | {"readout": form["readout"] | readout})


def test_models_with_the_same_settings_share_an_engine() -> None:
    assert key(name="a") == key(name="b")


def test_a_temperature_of_ones_own_needs_no_engine_of_ones_own() -> None:
    assert key(contrasting(temperature=2.0)) == key()


@pytest.mark.parametrize(
    "changes",
    [
        {"profile": contrasting(positive="-", negative="+")},
        {"profile": "sequence-classification"},
        {"path": "/models/b"},
        {"dtype": "float32"},
        {"tensor_parallel_size": 2},
        {"engine_arguments": {"quantization": "fp8"}},
        {"allow": ["remote_code"]},
        {"backend": "vllm_server", "url": "http://far.test:8000"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_head_or_another_setting_is_another_engine(changes: dict[str, Any]) -> None:
    assert key(**changes) != key()


def test_two_servers_are_two_engines() -> None:
    near, far = (key(backend="vllm_server", url=f"http://{host}.test:8000") for host in ("near", "far"))
    assert near != far


@pytest.fixture
def plan(tiny) -> Callable[..., PoolingPlan]:
    """The plan for a tiny checkpoint: `plan("math-shepherd")`, `plan("gemma2", "embedded-prm")`."""

    def make(family: str, profile: str | None = None, directory: Path | None = None, **checkpoint: Any) -> PoolingPlan:
        found = directory or tiny(family, **checkpoint)
        model = ModelSettings(name="m", path=str(found), backend="vllm")
        made, _ = pooling_plan(found, model, load_profile(profile or family), HfTokenizer.from_directory(found))
        return made

    return make


@pytest.mark.parametrize(
    ("family", "words"), [("math-shepherd", ["▁+", "▁-"]), ("rlhflow-prm", ["+", "-"]), ("er-prm", ["Ġ+", "Ġ-"])]
)
def test_a_contrasts_words_are_entries_of_the_vocabulary(plan, family: str, words: list[str]) -> None:
    assert plan(family).overrides["classifier_from_token"] == words


@pytest.mark.parametrize(
    ("family", "bend"),
    [("gemma2", "final_logit_softcapping"), ("granite", "logits_scaling"), ("cohere", "logit_scale")],
)
def test_architectures_that_bend_their_logits_are_refused(plan, family: str, bend: str) -> None:
    with pytest.raises(SettingsInvalid, match=bend):
        plan(family, "embedded-prm")


@pytest.mark.parametrize(
    "family",
    ["skywork-o1-open-prm", "eurus-prm", "implicit-prm", "reasoneval-7b", "reasoneval-34b", "internlm2-reward"],
)
def test_families_that_vllm_cannot_serve_are_refused(plan, family: str) -> None:
    with pytest.raises(SettingsInvalid, match='backend = "transformers"') as caught:
        plan(family)
    assert caught.value.param == "backend"


@pytest.mark.parametrize(
    "family",
    ["trl-prm", "pure-prm", "prm800k", "qwen2.5-math-prm", "qwen2.5-math-rm", "sequence-classification", "rlhflow-orm"],
)
def test_families_that_vllm_serves_have_a_plan(plan, family: str) -> None:
    assert plan(family).num_columns in (1, 2, 3)


def test_a_checkpoint_without_its_head_is_damaged(plan, tiny, tmp_path: Path) -> None:
    """vLLM would find out after minutes of loading."""
    headless = shutil.copytree(tiny("qwen2"), tmp_path / "headless")
    config = headless / "config.json"
    config.write_text(config.read_text().replace("Qwen2ForCausalLM", "Qwen2ForTokenClassification"))
    with pytest.raises(CheckpointDamaged, match=r"score\.weight"):
        plan("trl-prm", directory=headless)


class FailsAtOnce:
    """A backend whose engine starts, and fails on whatever it is given."""

    name = "prm"
    max_input_tokens = 64
    is_closed = False

    def forward(self, batch: list[ForwardItem]) -> list[Any]:
        raise RuntimeError("Unsupported CPU attention configuration")

    def close(self) -> None:
        self.is_closed = True


def test_an_engine_that_fails_on_its_first_input_is_refused_and_ended(tiny) -> None:
    backend = FailsAtOnce()
    tokenizer = HfTokenizer.from_directory(tiny("llama"))
    with pytest.raises(SettingsInvalid, match="failed on its first input"):
        vllm_engines._prove_alive(backend, tokenizer, reads_last=False)
    assert backend.is_closed


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ([("vllm", "a")], 0.4),
        ([("vllm", "a"), ("transformers", "b")], 0.2),
        ([("vllm", "a"), ("vllm", "b"), ("transformers", "c"), ("transformers", "d")], 0.4 / 3),
    ],
    ids=["alone", "with transformers", "two with transformers"],
)
def test_the_scorers_share_of_a_gpu_is_divided(models: list[tuple[Any, str]], expected: float) -> None:
    named = [ModelSettings(name=name, profile="trl-prm", backend=backend) for backend, name in models]
    settings = Settings(models=named, gpu={"scorer_share": 0.4})
    assert vllm_engines._memory_share(settings) == pytest.approx(expected)


def test_scorers_on_a_server_share_no_gpu_with_the_sampler(gpu) -> None:
    gpu(80.0, 80.0)
    far = ModelSettings(name="m", profile="trl-prm", backend="vllm_server", url="http://far.test")
    near = ModelSettings(name="n", profile="trl-prm")
    generator = {"engine": "vllm"}
    assert shares_gpu(Settings(models=[far, near], device="cuda", generator=generator))
    assert not shares_gpu(Settings(models=[far], device="cuda", generator=generator))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "http://far.test"}, "url is read with backend = 'vllm_server' only"),
        ({"api_key_env": "FAR_KEY"}, "api_key_env is read with backend = 'vllm_server' only"),
        ({"tensor_parallel_size": 2}, "tensor_parallel_size is read with backend = 'vllm' only"),
        ({"engine_arguments": {"quantization": "fp8"}}, "engine_arguments is read with backend = 'vllm' only"),
        ({"backend": "vllm_server"}, "needs the server's url"),
    ],
)
def test_a_setting_that_the_backend_does_not_read_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ModelSettings(name="m", profile="trl-prm", **changes)


def test_the_servers_key_comes_from_the_variable_that_is_named(monkeypatch) -> None:
    far = ModelSettings(
        name="m", profile="trl-prm", backend="vllm_server", url="http://far.test", api_key_env="FAR_KEY"
    )
    monkeypatch.setenv("FAR_KEY", "secret")
    assert far.api_key() == "secret"


def test_a_variable_without_a_key_is_named(monkeypatch) -> None:
    far = ModelSettings(
        name="m", profile="trl-prm", backend="vllm_server", url="http://far.test", api_key_env="FAR_KEY"
    )
    monkeypatch.setenv("FAR_KEY", " ")
    with pytest.raises(SettingsInvalid, match="models: m: no usable key in the variable FAR_KEY"):
        far.api_key()
