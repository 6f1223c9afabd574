"""The answers of `/v1/models`, `/ready` and a reload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from surefoot_client.reading import Fields, Received, flag, integer, list_of, map_of, number, text


@dataclass(frozen=True, slots=True)
class SelfCheck(Received):
    """How the server checked a model's scores before serving it; `state` is `passed` or `unverified`.

    `against` is `plain_forward` or `golden`, and `max_difference` the largest difference of a score from it.
    """

    state: str
    against: str | None = None
    max_difference: float | None = None
    num_scores: int | None = None
    detail: str = ""

    @classmethod
    def from_dict(cls, value: object, path: str = "self_check") -> SelfCheck:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            state=fields.required("state", text),
            against=fields.optional("against", text),
            max_difference=fields.optional("max_difference", number),
            num_scores=fields.optional("num_scores", integer),
            detail=fields.optional("detail", text) or "",
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class ModelInfo(Received):
    """A served reward model.

    `threshold` and `aggregation` are its defaults, `tolerance` how far scores of equal fingerprints may differ.
    `prefix_cache` says that a solution which goes on from a scored one costs its new tokens only. `trained` is false
    for the built-in demonstration models, and `notice` then says so.
    """

    id: str
    kind: str
    scale: str
    profile: str | None = None
    tolerance: float | None = None
    threshold: float | None = None
    aggregation: str | None = None
    max_input_tokens: int | None = None
    trained: bool | None = None
    notice: str | None = None
    base_id: str | None = None
    fingerprint: str | None = None
    dtype: str | None = None
    backend: str | None = None
    device: str | None = None
    prefix_cache: bool | None = None
    self_check: SelfCheck | None = None

    @classmethod
    def from_dict(cls, value: object, path: str = "model") -> ModelInfo:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            id=fields.required("id", text),
            kind=fields.required("kind", text),
            scale=fields.required("scale", text),
            profile=fields.optional("profile", text),
            tolerance=fields.optional("tolerance", number),
            threshold=fields.optional("threshold", number),
            aggregation=fields.optional("aggregation", text),
            max_input_tokens=fields.optional("max_input_tokens", integer),
            trained=fields.optional("trained", flag),
            notice=fields.optional("notice", text),
            base_id=fields.optional("base_id", text),
            fingerprint=fields.optional("fingerprint", text),
            dtype=fields.optional("dtype", text),
            backend=fields.optional("backend", text),
            device=fields.optional("device", text),
            prefix_cache=fields.optional("prefix_cache", flag),
            self_check=fields.optional("self_check", SelfCheck.from_dict),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class GeneratorInfo(Received):
    """A generator in `/v1/models`; `state` is `idle`, `starting`, `ready` or `failed`."""

    id: str
    engine: str
    state: str
    model: str | None = None
    detail: str = ""
    fingerprint: str | None = None

    @classmethod
    def from_dict(cls, value: object, path: str = "generator") -> GeneratorInfo:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            id=fields.required("id", text),
            engine=fields.required("engine", text),
            state=fields.required("state", text),
            model=fields.optional("model", text),
            detail=fields.optional("detail", text) or "",
            fingerprint=fields.optional("fingerprint", text),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class ModelCatalog(Received):
    """The reward models and generators that the server offers."""

    models: tuple[ModelInfo, ...]
    generators: tuple[GeneratorInfo, ...] = ()

    @classmethod
    def from_dict(cls, value: object, path: str = "response") -> ModelCatalog:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            models=fields.required("data", list_of(ModelInfo.from_dict)),
            generators=fields.optional("generators", list_of(GeneratorInfo.from_dict)) or (),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class Reloaded(Received):
    """What a reload did: `fingerprint` names the scores from now on. `changed`: these files were not served before."""

    name: str
    fingerprint: str
    previous_fingerprint: str
    changed: bool

    @classmethod
    def from_dict(cls, value: object, path: str = "response") -> Reloaded:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            name=fields.required("name", text),
            fingerprint=fields.required("fingerprint", text),
            previous_fingerprint=fields.required("previous_fingerprint", text),
            changed=fields.required("changed", flag),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class GeneratorState(Received):
    """What `/ready` says of a generator: `idle`, `starting`, `ready` or `failed`."""

    engine: str
    state: str
    detail: str = ""

    @classmethod
    def from_dict(cls, value: object, path: str = "generator") -> GeneratorState:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            engine=fields.required("engine", text),
            state=fields.required("state", text),
            detail=fields.optional("detail", text) or "",
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class ReadyState(Received):
    """Whether the server takes requests; `models` maps each model's name to its state, `details` to what went wrong."""

    ready: bool
    models: Mapping[str, str] = field(default_factory=dict)
    generators: Mapping[str, GeneratorState] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, value: object, path: str = "response") -> ReadyState:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            ready=fields.required("ready", flag),
            models=fields.optional("models", map_of(text)) or {},
            generators=fields.optional("generators", map_of(GeneratorState.from_dict)) or {},
            details=fields.optional("details", map_of(text)) or {},
            _json=fields.json,
        )
