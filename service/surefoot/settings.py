"""The only reader of the environment and of the configuration file; every room receives plain arguments.

Order: command line, then `SUREFOOT_*` variables (nested ones with two underscores, `SUREFOOT_GENERATOR__ENGINE`),
then the TOML file named by `--config` or `SUREFOOT_CONFIG`, then the defaults below.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from surefoot.errors import SettingsInvalid

Dtype = Literal["auto", "float32", "bfloat16", "float16"]


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class ModelSettings(Section):
    """One reward model: `[[models]]` in the file."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$")
    """The name that requests ask for; a hub id like `owner/name` is one too, as clients of other servers send it."""
    profile: str = "auto"
    """A built-in profile, or the path of a profile ending in .toml. `auto` takes the one that the checkpoint itself
    shows to be right, and where it shows none or several refuses to start and names them."""
    path: str = "embedded"
    """`embedded`, a checkpoint directory, or `hub:owner/name`; only the last one ever reaches for the network."""
    dtype: Dtype | None = None
    """Overrides the top-level `dtype` for this model."""
    backend: Literal["transformers", "vllm", "vllm_server"] = "transformers"
    """`vllm` runs vLLM's pooling in this process, `vllm_server` asks a vLLM server's /pooling at `url`."""
    url: str | None = Field(None, pattern=r"^https?://[^\s/?#@]+(/[^\s?#@]*)?$")
    """Where the vLLM server is; `path` then names the tokenizer's directory."""
    reference_path: str | None = None
    """The reference model of a log-ratio profile; as `path`."""
    generator: str | None = None
    """Who writes a generative verifier's critiques: a generator that runs `path` too. Default: transformers, here."""
    tensor_parallel_size: int = Field(1, ge=1)
    """GPUs that vLLM spreads the model over."""
    engine_arguments: dict[str, Any] = {}
    """Further arguments for vLLM's engine, as its documentation names them."""
    allow: list[Literal["pickle_weights", "remote_code"]] = []
    """What is refused otherwise: weights in .bin files, and Python code that comes with the checkpoint. The first is
    read by torch's restricted loader; the second runs whatever the checkpoint's author wrote."""

    @model_validator(mode="after")
    def _backend_reads_what_is_set(self) -> Self:
        readers = {"url": "vllm_server", "tensor_parallel_size": "vllm", "engine_arguments": "vllm"}
        for setting, reader in readers.items():
            if getattr(self, setting) != type(self).model_fields[setting].default and self.backend != reader:
                raise ValueError(f"{setting} is read with backend = {reader!r} only")
        if self.backend == "vllm_server" and self.url is None:
            raise ValueError("backend 'vllm_server' needs the server's url")
        return self

    @property
    def detects_profile(self) -> bool:
        """Whether the profile is still to be found."""
        return self.profile == "auto"


class Example(Section):
    """A worked problem that shows the generator how solutions are written."""

    problem: str
    solution: str


class GeneratorSettings(Section):
    """What samples candidates: `[generator]` in the file."""

    name: str = "default"
    """The name that requests ask for."""
    engine: Literal["auto", "vllm", "transformers", "none"] = "auto"
    """`auto` is vLLM where it is installed, else transformers; `none` serves scores only."""
    path: str = "embedded"
    """`embedded`, a checkpoint directory, or `hub:owner/name`."""
    dtype: Dtype = "auto"
    """Weights' type; `auto` is bf16 where the processor multiplies it natively."""
    start: Literal["auto", "lazy", "startup"] = "auto"
    """When the engine loads. `lazy`: the first request waits for it. `startup`: memory is taken at once.
    `auto` is `startup` on a GPU that it shares with the scorers, which vLLM must enter first, and `lazy` elsewhere."""
    instructions: str | None = None
    """System message before a bare `problem` (never before `messages`); the embedded model has one by default."""
    examples: list[Example] | None = None
    """Worked problems shown before a bare `problem`; the embedded model has one by default, with one step a line."""
    max_context_tokens: int = Field(4096, ge=16)
    """Prompt and answer together; longer costs key/value cache."""
    max_concurrent: int = Field(64, ge=1)
    """Candidates in flight; more is faster until memory says stop."""
    cpu_kv_cache_gib: int = Field(1, ge=1)
    """vLLM's key/value cache on a CPU, in GiB; 1 GiB holds about 46,000 tokens of the embedded model."""

    @model_validator(mode="after")
    def _embedded_model_is_shown_the_format(self) -> Self:
        if self.path == "embedded" and self.instructions is None and self.examples is None:
            self.instructions = _EMBEDDED_INSTRUCTIONS
            self.examples = [_EMBEDDED_EXAMPLE]
        return self


class RemoteGeneratorSettings(Section):
    """A server with an OpenAI-compatible API as a further generator: `[[remote_generators]]` in the file."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """The name that requests ask for."""
    url: str = Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#@]*)?$")
    """Where the server is, `http://host:port`; a key belongs into `api_key_env`, not here."""
    model: str = Field(min_length=1)
    """The server's name for the model, as its /v1/models lists it."""
    api: Literal["chat", "completions"] = "chat"
    """`chat` sends messages. `completions` sends token ids with `extensions`, else the bare text of the turns."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key."""
    timeout_s: float = Field(300.0, gt=0)
    """Seconds for one candidate, retries included."""
    connect_timeout_s: float = Field(5.0, gt=0)
    """Seconds for a connection."""
    max_concurrent: int = Field(64, ge=1)
    """Candidates in flight at this server."""
    max_retries: int = Field(3, ge=0)
    """Further attempts after 429, 502, 503 or a broken connection."""
    logprobs: bool = True
    """Ask for log-probabilities; without them `cumulative_logprob` is null."""
    extensions: bool = False
    """The server knows vLLM's fields and its /tokenize: token ids come with the candidates, and `top_k` works."""
    instructions: str | None = None
    """System message before a bare `problem`."""
    examples: list[Example] | None = None
    """Worked problems shown before a bare `problem`."""

    def api_key(self) -> str | None:
        """The key itself. Raises `SettingsInvalid`, which never shows it."""
        if self.api_key_env is None:
            return None
        key = os.environ.get(self.api_key_env, "").strip()
        if not (key and key.isascii() and key.isprintable()):
            raise SettingsInvalid(f"remote_generators: {self.name}: no usable key in the variable {self.api_key_env}")
        return key


_EMBEDDED_INSTRUCTIONS = "Solve the problem step by step, one short step per line. End with the line: The answer is N."
_EMBEDDED_EXAMPLE = Example(
    problem="Mia has 2 bags with 5 coins each. She loses 3 coins. How many coins are left?",
    solution="Mia has 2 * 5 = 10 coins.\nShe loses 3 coins, so 10 - 3 = 7 coins are left.\nThe answer is 7.",
)


class SchedulerSettings(Section):
    """How requests become batches: `[scheduler]` in the file."""

    max_batch_tokens: int = Field(16_384, ge=1)
    """Tokens of a forward pass; more is faster until memory or latency says stop."""
    max_batch_items: int = Field(256, ge=1)
    """Inputs of a forward pass."""
    max_queue_tokens: int = Field(1_048_576, ge=1)
    """Tokens that may wait; more absorbs bursts, less refuses sooner with 429."""
    max_queue_items: int = Field(8192, ge=1)
    """Inputs that may wait."""
    bulk_max_wait_s: float = Field(5.0, gt=0)
    """Seconds after which waiting bulk work counts as interactive."""


class LimitSettings(Section):
    """Bounds on one request: `[limits]` in the file."""

    max_body_bytes: int = Field(16 * 1024 * 1024, ge=1024)
    """Bytes of a request body."""
    max_items: int = Field(1024, ge=1)
    """Items, or candidates, of a request."""
    max_samples: int = Field(256, ge=1)
    """Candidates that one request may draw."""
    max_steps: int = Field(1024, ge=1)
    """Steps of one item; an outcome trace costs a forward pass for each."""
    body_timeout_s: float = Field(30.0, gt=0)
    """Seconds in which a request's body must arrive; then 408."""
    request_timeout_s: float = Field(300.0, gt=0)
    """Seconds for a whole request; then 504."""


class GpuSettings(Section):
    """Shares of one GPU: `[gpu]` in the file."""

    sampler_share: float = Field(0.45, gt=0, le=0.97)
    """Share of the GPU's memory for vLLM, weights included. It takes all of it at once."""
    scorer_share: float = Field(0.45, gt=0, le=0.97)
    """Share for the reward models; forward passes that would exceed it fail instead of crowding vLLM out."""


def _default_models() -> list[ModelSettings]:
    return [ModelSettings(name=name, profile=f"embedded-{name}") for name in ("prm", "orm")]


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="SUREFOOT_", env_nested_delimiter="__", extra="forbid", use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 opens the service to the network."""
    port: int = Field(8080, ge=0, le=65535)
    """Port to listen on."""
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    """`auto`, `cpu`, `cuda` or `cuda:N`."""
    dtype: Dtype = "auto"
    """Reward models' weights; `auto` is bf16 where the processor multiplies it natively, else fp32. Heads are fp32."""
    threads: int = Field(0, ge=0)
    """CPU threads of the scorers; 0 leaves torch's choice."""
    max_input_tokens: int = Field(4096, ge=16)
    """Tokens of one rendered input; longer ones are refused, never cut."""
    cache_dir: Path | None = None
    """Where prepared models are kept; default `$XDG_CACHE_HOME/surefoot`, else `~/.cache/surefoot`."""
    shutdown_grace_s: float = Field(30.0, ge=0)
    """Seconds that accepted work may take after SIGTERM, while new work is answered with 503."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much is logged; user text never is."""
    models: list[ModelSettings] = Field(default_factory=_default_models)
    """The reward models to serve; the first of each kind is its default."""
    generator: GeneratorSettings = Field(default_factory=GeneratorSettings)
    remote_generators: list[RemoteGeneratorSettings] = Field(default_factory=list)
    """Servers with an OpenAI-compatible API to sample from; without `generator.engine` the first one is the default."""
    scheduler: SchedulerSettings = Field(default_factory=SchedulerSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    gpu: GpuSettings = Field(default_factory=GpuSettings)

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        models, remote = [model.name for model in self.models], [remote.name for remote in self.remote_generators]
        generators = remote if self.generator.engine == "none" else [self.generator.name, *remote]
        for part, names in (("models", models), ("remote_generators", generators)):
            if len(set(names)) != len(names):
                raise ValueError(f"{part}: two {part.rpartition('_')[2]} have the same name")
        if self.max_input_tokens > self.scheduler.max_batch_tokens:
            raise ValueError("max_input_tokens exceeds scheduler.max_batch_tokens: such an input could never run")
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
