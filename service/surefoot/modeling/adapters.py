"""Low-rank adapters (LoRA, arXiv 2106.09685) applied to a shared base, one forward pass at a time.

An adapted layer gives W x + s · B A x, computed as peft computes it: the product in fp32, the sum rounded to the type
of W x. Nothing is merged, so that any number of adapters share one copy of the base; and without peft, whose active
adapter is state of the model, which a second model on it would find switched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch.nn.functional import linear

from surefoot.errors import AdapterInvalid, AdapterMismatch
from surefoot.modeling.row_chunks import rows_at_a_time

WEIGHTS, CONFIG, FACTS = "adapter_model.safetensors", "adapter_config.json", "surefoot.json"
"""peft's two files, and what surefoot says of how they were made."""

_PREFIX = "base_model.model."
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"
_NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "bias": (None, "none"),
    "use_dora": (None, False),
    "fan_in_fan_out": (None, False),
    "modules_to_save": (None, []),
    "rank_pattern": (None, {}),
    "alpha_pattern": (None, {}),
    "lora_bias": (None, False),
}
"""Options of peft that would change what is computed, and the values at which they do not."""


@dataclass(frozen=True, slots=True)
class LowRank:
    """s · B A of one layer: `down` is A [rank, in], `up` is B [out, rank], both fp32."""

    down: torch.Tensor
    up: torch.Tensor
    scale: float

    def add_to(self, outputs: torch.Tensor, inputs: torch.Tensor) -> None:
        """Add it to the layer's `outputs`, [..., out], for its `inputs`, [..., in]; a few rows at a time, so that what
        is in fp32 stays in the processor's cache."""
        # A view, or an error: rows of a copy would be changed for nobody.
        given, sums = inputs.flatten(0, -2), outputs.view(-1, outputs.shape[-1])
        size = rows_at_a_time(outputs.device)
        for some, into in zip(given.split(size), sums.split(size), strict=True):
            into.copy_(torch.addmm(into.float(), linear(some.float(), self.down), self.up.t(), alpha=self.scale))


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter as it was read. `id` names its values, 16 hex digits; `base_id` is the base that it was trained for,
    `None` for one that was made elsewhere and does not say."""

    id: str
    base_id: str | None
    layers: Mapping[str, LowRank]

    def tensors(self) -> dict[str, torch.Tensor]:
        """Its values by peft's names."""
        parts = {name: {_DOWN: layer.down, _UP: layer.up} for name, layer in self.layers.items()}
        return {_PREFIX + name + end: tensor for name, pair in parts.items() for end, tensor in pair.items()}

    def check_base(self, base_id: str) -> None:
        """Raises `AdapterMismatch` for another base than the one it was trained for."""
        if self.base_id not in (None, base_id):
            raise AdapterMismatch(
                f"the adapter was trained for the base {self.base_id}, and this model's is {base_id}: give the path of "
                "that base, or train the adapter again",
                param="adapter",
            )


def read_adapter(directory: Path) -> Adapter:
    """The adapter in a directory of peft's format. Raises `AdapterInvalid`."""
    config, facts = _read_json(directory / CONFIG, needed=True), _read_json(directory / FACTS, needed=False)
    scale = _scale(config)
    try:
        # Read once, and not mapped: the file may be replaced meanwhile, or later while its values are served.
        content = (directory / WEIGHTS).read_bytes()
        tensors = load(content)
    except (OSError, SafetensorError) as cause:
        raise AdapterInvalid(
            f"{directory / WEIGHTS} cannot be read ({cause}): copy it again", param="adapter"
        ) from cause
    digest = hashlib.sha256(content).hexdigest()
    if facts.get("sha256", digest) != digest:
        raise AdapterInvalid(
            f"{directory / FACTS} belongs to other weights than {WEIGHTS}: copy both again", param="adapter"
        )
    names = {name.removesuffix(_DOWN).removesuffix(_UP) for name in tensors}
    pairs = {name + part for name in names for part in (_DOWN, _UP)}
    are_matrices = all(tensor.dim() == 2 for tensor in tensors.values())
    if not names or tensors.keys() != pairs or not are_matrices or not all(name.startswith(_PREFIX) for name in names):
        raise AdapterInvalid(f"{directory / WEIGHTS} holds more or less than pairs of LoRA matrices", param="adapter")
    layers = {
        name.removeprefix(_PREFIX): LowRank(tensors[name + _DOWN].float(), tensors[name + _UP].float(), scale)
        for name in sorted(names)
    }
    named = hashlib.sha256(f"{digest} {scale}".encode()).hexdigest()[:16]
    return Adapter(named, facts.get("base_id"), layers)


class AdaptedLayers:
    """The layers of a model that adapters change, by the name under which each adapter was added."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._layers: dict[str, dict[torch.nn.Module, LowRank]] = {}
        self._hooked: set[torch.nn.Module] = set()
        self._active: Mapping[torch.nn.Module, LowRank] = {}

    def add(self, name: str, adapter: Adapter) -> None:
        """Raises `AdapterMismatch` for a layer that this model does not have, or has in another shape."""
        layers = {self._fitting(layer, low_rank): low_rank for layer, low_rank in adapter.layers.items()}
        self._layers[name] = {
            module: LowRank(
                low_rank.down.to(module.weight.device), low_rank.up.to(module.weight.device), low_rank.scale
            )
            for module, low_rank in layers.items()
        }
        for module in layers.keys() - self._hooked:
            module.register_forward_hook(self._changed)
            self._hooked.add(module)

    def remove(self, name: str) -> None:
        """Let go of an adapter; a pass that it is active in ends with it. Safe in any thread, as it takes no lock."""
        self._layers.pop(name, None)

    @contextmanager
    def active(self, name: str | None) -> Iterator[None]:
        """Passes within are those of that adapter; without a name, or with that of none, of the base alone."""
        self._active = {} if name is None else self._layers.get(name, {})
        try:
            yield
        finally:
            self._active = {}

    def _changed(self, module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        low_rank = self._active.get(module)
        if low_rank is not None:
            low_rank.add_to(output, inputs[0])

    def _fitting(self, name: str, low_rank: LowRank) -> Any:
        # What was trained on a language model's decoder fits the bare decoder too.
        for path in (name, name.removeprefix("model.")):
            try:
                module = self._model.get_submodule(path)
            except AttributeError:
                continue
            if isinstance(module, torch.nn.Linear):
                shape = (low_rank.up.shape[0], low_rank.down.shape[1])
                if tuple(module.weight.shape) == shape and low_rank.up.shape[1] == low_rank.down.shape[0]:
                    return module
        raise AdapterMismatch(
            f"the adapter changes {name}, which this model does not have in that shape: give the path of the base that "
            "it was trained for",
            param="adapter",
        )


def _scale(config: Mapping[str, Any]) -> float:
    if config.get("peft_type") != "LORA":
        raise AdapterInvalid(f"{CONFIG} is of peft_type {config.get('peft_type')!r}: LORA is read", param="adapter")
    odd = [name for name, neutral in _NEUTRAL.items() if config.get(name) not in neutral]
    if odd:
        raise AdapterInvalid(
            f"{CONFIG} sets {', '.join(odd)}, which is not applied here: merge the adapter into its base with peft "
            "and give the merged checkpoint as path",
            param="adapter",
        )
    rank, alpha = config.get("r"), config.get("lora_alpha")
    if not isinstance(rank, int) or rank < 1 or not isinstance(alpha, (int, float)):
        raise AdapterInvalid(f"{CONFIG} lacks r or lora_alpha: copy it again", param="adapter")
    return float(alpha / (rank**0.5 if config.get("use_rslora") else rank))


def _read_json(path: Path, *, needed: bool) -> Mapping[str, Any]:
    if not path.is_file() and not needed:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise AdapterInvalid(f"{path} cannot be read ({cause}): copy it again", param="adapter") from cause
    if not isinstance(found, dict):
        raise AdapterInvalid(f"{path} is no JSON object: copy it again", param="adapter")
    return found
