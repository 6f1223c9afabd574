"""Reward models: what each one is, and what computes it."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from surefoot.inspection.checkpoint_files import Permission
from surefoot.settings.section import Dtype, Section, key_in

EMBEDDED_PROFILES = ("embedded-prm", "embedded-orm")
"""Built-in profiles of the embedded base that an adapter was trained for, which comes with the package."""


class CandidateSettings(Section):
    """What may be loaded beside a model and promoted in its place: `[[models.candidates]]` below its `[[models]]`."""

    label: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """The name that an administrator's request asks for; no request ever names a path."""
    path: str | None = None
    """As the model's `path`, which holds where this is not set: with an adapter alone the base is shared."""
    adapter: str | None = None
    """As the model's `adapter`. Where neither this nor `path` is set, the model's own; where `path` is, none."""
    profile: str | None = None
    """As the model's `profile`, which holds where this is not set. It must be of the same kind."""


class ModelSettings(Section):
    """One reward model: `[[models]]` in the file."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$")
    """The name that requests ask for; a hub id like `owner/name` is one too, as clients of other servers send it."""
    profile: str = "auto"
    """A built-in profile, or the path of a profile ending in .toml. `auto` takes the one that the checkpoint itself
    shows to be right, and where it shows none or several refuses to start and names them."""
    path: str = "embedded"
    """`embedded`, a checkpoint directory, or `hub:owner/name`; only the last one ever reaches for the network."""
    adapter: str | None = None
    """A directory with a LoRA adapter in peft's format, as `surefoot train` writes it; the base is shared with other
    models on `path`. One that was trained for another base is refused. The embedded models have one by default, which
    `embedded` names; `none` serves the base alone."""
    dtype: Dtype | None = None
    """Overrides the top-level `dtype` for this model."""
    backend: Literal["transformers", "vllm", "vllm_server"] = "transformers"
    """`vllm` runs vLLM's pooling in this process, `vllm_server` asks a vLLM server's /pooling at `url`."""
    url: str | None = Field(None, pattern=r"^https?://[^\s/?#@]+(/[^\s?#@]*)?$")
    """Where the vLLM server is; `path` then names the tokenizer's directory."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the vLLM server's key."""
    reference_path: str | None = None
    """The reference model of a log-ratio profile; as `path`."""
    generator: str | None = None
    """Who writes a generative verifier's critiques: a generator that runs `path` too. Default: transformers, here."""
    tensor_parallel_size: int = Field(1, ge=1)
    """GPUs that vLLM spreads the model over."""
    engine_arguments: dict[str, Any] = Field(default_factory=dict)
    """Further arguments for vLLM's engine, as its documentation names them."""
    allow: list[Permission] = Field(default_factory=list)
    """What is refused otherwise: weights in .bin files, and Python code that comes with the checkpoint. The first is
    read by torch's restricted loader; the second runs whatever the checkpoint's author wrote."""
    candidates: list[CandidateSettings] = Field(default_factory=list)
    """What `POST /admin/models/{name}/candidate` may load beside this model: each with a label, and what of `path`,
    `adapter` and `profile` differs. Only for models on the transformers backend."""

    @model_validator(mode="after")
    def _embedded_models_are_trained(self) -> Self:
        is_shipped = self.path == "embedded" and self.profile in EMBEDDED_PROFILES
        if self.adapter is None and is_shipped and self.backend == "transformers":
            self.adapter = "embedded"
        elif self.adapter == "none":
            self.adapter = None
        return self

    @model_validator(mode="after")
    def _backend_reads_what_is_set(self) -> Self:
        readers = {
            "url": "vllm_server",
            "api_key_env": "vllm_server",
            "tensor_parallel_size": "vllm",
            "engine_arguments": "vllm",
            "adapter": "transformers",
            "candidates": "transformers",
        }
        for setting, reader in readers.items():
            usual = type(self).model_fields[setting].get_default(call_default_factory=True)
            if getattr(self, setting) != usual and self.backend != reader:
                raise ValueError(f"{setting} is read with backend = {reader!r} only")
        if self.backend == "vllm_server" and self.url is None:
            raise ValueError("backend 'vllm_server' needs the server's url")
        return self

    @model_validator(mode="after")
    def _candidates_have_labels_of_their_own(self) -> Self:
        labels = [candidate.label for candidate in self.candidates]
        if len(set(labels)) != len(labels):
            raise ValueError("two candidates have the same label")
        return self

    def candidate(self, label: str) -> ModelSettings:
        """This model with what its candidate of that label differs in. Raises `KeyError` where there is none."""
        candidate = {each.label: each for each in self.candidates}[label]
        own = candidate.model_dump(exclude={"label"}, exclude_none=True)
        # The model's adapter was trained for the model's base.
        usual = (self.adapter or "none") if candidate.path is None else None
        return ModelSettings.model_validate(self.model_dump() | {"adapter": usual} | own)

    def api_key(self) -> str | None:
        """The key itself. Raises `SettingsInvalid`, which never shows it."""
        return key_in(self.api_key_env, f"models: {self.name}")

    @property
    def detects_profile(self) -> bool:
        """Whether the profile is still to be found."""
        return self.profile == "auto"
