"""Where settings come from, which source wins, and what is said of a wrong one."""

from pathlib import Path

import pytest

from surefoot.errors import SettingsInvalid
from surefoot.settings import (
    GeneratorSettings,
    ModelSettings,
    RemoteGeneratorSettings,
    Section,
    Settings,
    load_settings,
)
from surefoot.settings.models import EMBEDDED_PROFILES

TOML = """
port = 9000
log_level = "debug"

[[models]]
name = "judge"
profile = "trl-prm"
path = "/models/judge"
dtype = "float32"

[generator]
engine = "transformers"
max_context_tokens = 2048

[scheduler]
max_batch_tokens = 8192
"""


def test_defaults_serve_both_embedded_models() -> None:
    settings = load_settings()
    assert [(model.name, model.profile, model.path) for model in settings.models] == [
        ("prm", "embedded-prm", "embedded"),
        ("orm", "embedded-orm", "embedded"),
    ]


def test_defaults_need_no_network() -> None:
    assert not load_settings().needs_hub


def test_defaults_listen_on_this_machine_only() -> None:
    assert load_settings().host == "127.0.0.1"


def test_file_is_read(config) -> None:
    settings = load_settings(config(TOML))
    assert (settings.port, settings.log_level) == (9000, "debug")
    assert (settings.generator.engine, settings.generator.max_context_tokens) == ("transformers", 2048)
    (model,) = settings.models
    assert (model.name, model.path, model.dtype) == ("judge", "/models/judge", "float32")


def test_file_may_be_named_by_the_environment(config, monkeypatch) -> None:
    monkeypatch.setenv("SUREFOOT_CONFIG", str(config(TOML)))
    assert load_settings().port == 9000


def test_named_file_wins_over_the_environments(config, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SUREFOOT_CONFIG", str(tmp_path / "other.toml"))
    assert load_settings(config(TOML)).port == 9000


def test_variables_are_read(monkeypatch) -> None:
    monkeypatch.setenv("SUREFOOT_PORT", "9100")
    assert load_settings().port == 9100


def test_nested_variables_have_two_underscores(monkeypatch) -> None:
    monkeypatch.setenv("SUREFOOT_GENERATOR__ENGINE", "none")
    monkeypatch.setenv("SUREFOOT_SCHEDULER__BULK_MAX_WAIT_S", "0.5")
    settings = load_settings()
    assert (settings.generator.engine, settings.scheduler.bulk_max_wait_s) == ("none", 0.5)


def test_models_may_be_given_as_json_in_a_variable(monkeypatch) -> None:
    monkeypatch.setenv("SUREFOOT_MODELS", '[{"name": "x", "profile": "trl-prm", "path": "/m"}]')
    assert [model.name for model in load_settings().models] == ["x"]


def test_variable_wins_over_the_file(config, monkeypatch) -> None:
    monkeypatch.setenv("SUREFOOT_PORT", "9100")
    assert load_settings(config(TOML)).port == 9100


def test_nested_variable_leaves_its_neighbours_in_the_file(config, monkeypatch) -> None:
    monkeypatch.setenv("SUREFOOT_GENERATOR__ENGINE", "none")
    settings = load_settings(config(TOML))
    assert (settings.generator.engine, settings.generator.max_context_tokens) == ("none", 2048)


def test_command_line_wins_over_everything(config, monkeypatch) -> None:
    monkeypatch.setenv("SUREFOOT_PORT", "9100")
    assert load_settings(config(TOML), port=9200).port == 9200


def test_command_line_values_that_were_not_given_do_not_count(config) -> None:
    assert load_settings(config(TOML), port=None).port == 9000


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"absent\.toml does not exist"):
        load_settings(tmp_path / "absent.toml")


def test_file_that_is_not_toml_is_refused(config) -> None:
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        load_settings(config("port = "))


@pytest.mark.parametrize(
    ("text", "param"),
    [
        ("prot = 1", "prot"),
        ("port = 70000", "port"),
        ("[generator]\nengin = 'vllm'", "generator.engin"),
        ("[[models]]\nname = 'a b'\nprofile = 'trl-prm'", "models.0.name"),
        ("[[models]]\nname = '/a'\nprofile = 'trl-prm'", "models.0.name"),
        ("[[models]]\nname = 'a/../b'\nprofile = 'trl-prm'", "models.0.name"),
        ("[[models]]\nprofile = 'trl-prm'", "models.0.name"),
        ("[gpu]\nsampler_share = 1.5", "gpu.sampler_share"),
        ("device = 'tpu'", "device"),
    ],
)
def test_wrong_setting_in_the_file_is_named(refused, config, text: str, param: str) -> None:
    error = refused(config=config(text))
    assert error.param == param
    assert param in error.message


def test_wrong_variable_is_named(refused, monkeypatch) -> None:
    monkeypatch.setenv("SUREFOOT_SCHEDULER__MAX_BATCH_TOKENS", "many")
    assert refused().param == "scheduler.max_batch_tokens"


def test_misspelled_nested_variable_is_named(refused, monkeypatch) -> None:
    monkeypatch.setenv("SUREFOOT_GENERATOR__ENGIN", "vllm")
    assert refused().param == "generator.engin"


def test_variable_that_is_not_json_is_refused(refused, monkeypatch) -> None:
    monkeypatch.setenv("SUREFOOT_MODELS", "prm")
    assert "models" in refused().message


def test_wrong_command_line_value_is_named(refused) -> None:
    assert refused(port=-1).param == "port"


def test_refusals_do_not_repeat_the_value(refused, monkeypatch) -> None:
    monkeypatch.setenv("SUREFOOT_PORT", "hunter2")
    assert "hunter2" not in refused().message


def test_a_hub_id_names_a_model(config) -> None:
    [model] = load_settings(config("[[models]]\nname = 'Qwen/Qwen2.5-Math-PRM-7B'\nprofile = 'trl-prm'")).models
    assert model.name == "Qwen/Qwen2.5-Math-PRM-7B"


def test_two_models_of_one_name_are_refused(refused, config) -> None:
    twice = "[[models]]\nname = 'a'\nprofile = 'trl-prm'\n" * 2
    assert "same name" in refused(config=config(twice)).message


def test_only_this_process_can_promise_the_same_bits(config, refused) -> None:
    text = 'deterministic = true\n[[models]]\nname = "a"\nbackend = "vllm"\npath = "/models/a"\nprofile = "trl-prm"\n'
    assert "models: a: vllm cannot promise deterministic scores" in refused(config=config(text)).message


def test_input_that_could_never_run_is_refused(refused, monkeypatch) -> None:
    monkeypatch.setenv("SUREFOOT_SCHEDULER__MAX_BATCH_TOKENS", "16000")
    message = refused(max_input_tokens=20_000).message
    assert "max_input_tokens" in message
    assert "scheduler.max_batch_tokens" in message


@pytest.mark.parametrize("where", ["models", "generator"])
def test_hub_is_needed_only_where_asked_for(config, where: str) -> None:
    texts = {
        "models": "[[models]]\nname = 'a'\nprofile = 'trl-prm'\npath = 'hub:owner/name'",
        "generator": "[generator]\npath = 'hub:owner/name'",
    }
    assert load_settings(config(texts[where])).needs_hub


def test_cache_is_where_it_was_set(tmp_path: Path) -> None:
    assert load_settings(cache_dir=tmp_path).cache == tmp_path


def test_home_is_expanded_in_the_cache_directory(monkeypatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert load_settings(cache_dir=Path("~/models")).cache == Path("/home/someone/models")


def test_cache_follows_the_desktop_standard(monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/caches")
    assert load_settings().cache == Path("/var/caches/surefoot")


@pytest.mark.parametrize("base", [None, "", "relative/path"])
def test_cache_is_in_the_home_directory_otherwise(monkeypatch, base: str | None) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    if base is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", base)
    assert load_settings().cache == Path("/home/someone/.cache/surefoot")


def test_embedded_generator_has_an_adapter_that_makes_its_example_dispensable() -> None:
    generator = GeneratorSettings()
    assert (generator.adapter, generator.examples) == ("embedded", None)
    assert generator.instructions


def test_embedded_base_alone_is_shown_the_format() -> None:
    generator = GeneratorSettings(adapter="none")
    assert generator.adapter is None
    assert generator.instructions
    assert generator.examples


def test_own_instructions_are_for_the_base_alone() -> None:
    assert GeneratorSettings(instructions="Be brief.").adapter is None


@pytest.mark.parametrize("profile", EMBEDDED_PROFILES)
def test_embedded_models_have_their_adapters(profile: str) -> None:
    assert ModelSettings(name="m", profile=profile).adapter == "embedded"
    assert ModelSettings(name="m", profile=profile, adapter="none").adapter is None
    assert ModelSettings(name="m", profile=profile, adapter="mine").adapter == "mine"


@pytest.mark.parametrize("other", [{"path": "/models/x"}, {"profile": "trl-prm"}, {"backend": "vllm"}])
def test_no_other_model_has_one_by_itself(other: dict[str, str]) -> None:
    assert ModelSettings(**{"name": "m", "profile": "embedded-prm"} | other).adapter is None


def test_own_generator_is_shown_nothing() -> None:
    generator = GeneratorSettings(path="/models/policy")
    assert (generator.instructions, generator.examples) == (None, None)


def test_a_trained_generator_learns_the_prompt_that_it_is_served_with() -> None:
    trained, served = GeneratorSettings().as_trained(), GeneratorSettings(adapter="adapters/generator")
    assert (trained.instructions, trained.examples) == (served.instructions, served.examples)


def test_own_examples_are_trained_with() -> None:
    examples = GeneratorSettings(adapter="none").examples
    assert GeneratorSettings(instructions="Be brief.", examples=examples).as_trained().examples == examples


def test_own_instructions_replace_the_embedded_ones_whole() -> None:
    generator = GeneratorSettings(instructions="Be brief.")
    assert (generator.instructions, generator.examples) == ("Be brief.", None)


def test_every_setting_says_what_it_is() -> None:
    parts = {name: part for name, part in Settings() if isinstance(part, Section)}
    unsaid = [
        f"{section.__name__}.{name}"
        for section in (Settings, RemoteGeneratorSettings, *map(type, parts.values()))
        for name, setting in section.model_fields.items()
        if not setting.description and name not in parts
    ]
    assert len(parts) > 5
    assert unsaid == []
