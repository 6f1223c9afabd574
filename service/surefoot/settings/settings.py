"""All settings together, and where they come from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from surefoot.errors import SettingsInvalid
from surefoot.log_lines import LogFormat
from surefoot.settings.auth import AuthSettings
from surefoot.settings.bounds import CacheSettings, GpuSettings, LimitSettings, SchedulerSettings
from surefoot.settings.dialects import DialectSettings
from surefoot.settings.generators import GeneratorSettings, RemoteGeneratorSettings
from surefoot.settings.models import EMBEDDED_PROFILES, ModelSettings
from surefoot.settings.section import Dtype
from surefoot.settings.telemetry import TelemetrySettings


def _default_models() -> list[ModelSettings]:
    return [
        ModelSettings(name=name, profile=profile)
        for name, profile in zip(("prm", "orm"), EMBEDDED_PROFILES, strict=True)
    ]


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="SUREFOOT_", env_nested_delimiter="__", extra="forbid", use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 opens the service to the network."""
    port: int = Field(8080, ge=0, le=65535)
    """Port to listen on."""
    admin_routes: bool = False
    """Serve the routes under `/admin/models`, which ask for a key with the scope `admin`; without
    `auth.keys_file` they ask for none: only where strangers cannot reach the port then."""
    promotions_file: Path | None = None
    """Where it is written down which candidates were promoted, so that a restart serves them again; of this process
    alone. Without it a restart serves the models as they are set here."""
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    """`auto`, `cpu`, `cuda` or `cuda:N`."""
    dtype: Dtype = "auto"
    """Reward models' weights; `auto` is bf16 where the processor multiplies it natively, else fp32. Heads are fp32."""
    deterministic: bool = False
    """Have a score be the same to the bit whatever else is in its batch. Free in bf16 on a CPU where a trial at start
    shows equal bits; elsewhere every input has a pass of its own. Only for models on the transformers backend."""
    threads: int = Field(0, ge=0)
    """CPU threads of the scorers; 0 leaves torch's choice."""
    max_input_tokens: int = Field(4096, ge=16)
    """Tokens of one rendered input; longer ones are refused, never cut."""
    cache_dir: Path | None = None
    """Where prepared models are kept; default `$XDG_CACHE_HOME/surefoot`, else `~/.cache/surefoot`."""
    shutdown_grace_s: float = Field(30.0, ge=0)
    """Seconds that accepted work may take after SIGTERM, while new work is answered with 503."""
    exit_on_failure: bool = True
    """End with status 70, after answering whoever waits, when a model cannot go on (stuck, or its engine lost), so that
    a supervisor starts the service anew. Off: stay up, with /ready answering 503."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much is logged; user text never is."""
    log_format: LogFormat = "text"
    """`text` for people; `json` for log collectors, an object a line. Never chosen by where the log goes: a service
    whose log turns to JSON once it is written to a file surprises whoever reads it."""
    models: list[ModelSettings] = Field(default_factory=_default_models)
    """The reward models to serve; the first of each kind is its default."""
    generator: GeneratorSettings = Field(default_factory=GeneratorSettings)
    remote_generators: list[RemoteGeneratorSettings] = Field(default_factory=list)
    """Servers with an OpenAI-compatible API to sample from; without `generator.engine` the first one is the default."""
    scheduler: SchedulerSettings = Field(default_factory=SchedulerSettings)
    caches: CacheSettings = Field(default_factory=CacheSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    gpu: GpuSettings = Field(default_factory=GpuSettings)
    auth: AuthSettings = Field(default_factory=AuthSettings)
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)
    dialects: DialectSettings = Field(default_factory=DialectSettings)

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        models, remote = [model.name for model in self.models], [remote.name for remote in self.remote_generators]
        generators = remote if self.generator.engine == "none" else [self.generator.name, *remote]
        for part, names in (("models", models), ("remote_generators", generators)):
            if len(set(names)) != len(names):
                raise ValueError(f"{part}: two {part.rpartition('_')[2]} have the same name")
        if 0 < self.scheduler.max_batch_tokens < self.max_input_tokens:
            raise ValueError("max_input_tokens exceeds scheduler.max_batch_tokens: such an input could never run")
        other = next((model for model in self.models if model.backend != "transformers"), None)
        if self.deterministic and other is not None:
            raise ValueError(f"models: {other.name}: {other.backend} cannot promise deterministic scores")
        return self

    @property
    def cache(self) -> Path:
        """The directory for prepared models."""
        if self.cache_dir is not None:
            return self.cache_dir.expanduser()
        base = os.environ.get("XDG_CACHE_HOME", "")
        # The XDG specification has relative paths ignored.
        return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "surefoot"

    @property
    def needs_hub(self) -> bool:
        """Whether any checkpoint was asked for by hub id."""
        paths = [path for model in self.models for path in (model.path, model.reference_path) if path is not None]
        paths += [each.path for model in self.models for each in model.candidates if each.path is not None]
        return any(path.startswith("hub:") for path in [*paths, self.generator.path])


def load_settings(config: Path | None = None, **overrides: Any) -> Settings:
    """Settings from all sources; `overrides` are command-line values, `None` meaning not given.

    Raises `SettingsInvalid`, which names the setting and what was expected.
    """
    named = os.environ.get("SUREFOOT_CONFIG", "")
    file = config or (Path(named) if named else None)
    if file is not None and not file.is_file():
        raise SettingsInvalid(f"configuration file {file} does not exist", param="config")

    class Sourced(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)

    try:
        return Sourced(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as cause:
        first = cause.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise SettingsInvalid(f"setting {where}: {message}" if where else message, param=where or None) from cause
    except (SettingsError, ValueError) as cause:
        raise SettingsInvalid(f"the configuration cannot be read: {cause}", param="config") from cause
