"""Low-rank adapters (LoRA, Hu et al. 2021, arXiv 2106.09685) put on a base model with peft, and the values it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from surefoot.errors import AdapterMismatch, NotTrainable, TrainerMissing
from surefoot.modeling.adapters import Adapter
from surefoot.modeling.checkpoint import Checkpoint
from surefoot.modeling.heads import Head, vocabulary_head
from surefoot.modeling.trunk_forward import TrunkForward
from surefoot.training.examples import Example
from surefoot.training.lora_shape import LoraShape
from surefoot.training.lower_layers import KeptStates, LowerLayers


class AdaptedModel:
    """A base model with an adapter that can be trained; the base itself stays as it is, in evaluation mode."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        head: torch.nn.Module,
        shape: LoraShape,
        *,
        seed: int,
        kept_bytes: int = 0,
        with_words: bool = False,
        kept: KeptStates | None = None,
    ) -> None:
        """`head` reads hidden states as it does when they are served; `with_words` reads next tokens beside.

        What layers below the adapted ones give is computed once for each example, up to `kept_bytes` in memory; `kept`
        is what another model on the same base has computed, and is added to. Raises `TrainerMissing` and
        `NotTrainable`.
        """
        if find_spec("peft") is None:
            raise TrainerMissing("training needs peft: pip install 'surefoot[train]'")
        from peft import LoraConfig, get_peft_model

        self.checkpoint = checkpoint
        self.head: Head = head.to(checkpoint.device)
        self._words: Head = vocabulary_head(checkpoint.model) if with_words else torch.nn.Identity()
        self._forward = TrunkForward("the base model", checkpoint)
        layers, names = _adapted(checkpoint.trunk, shape)
        config = LoraConfig(
            r=shape.rank,
            lora_alpha=shape.alpha,
            lora_dropout=shape.dropout,
            target_modules=names,
            layers_to_transform=layers,
            layers_pattern="layers",
            task_type=None if checkpoint.model is checkpoint.trunk else "CAUSAL_LM",
        )
        # Drawn from the seed alone, whatever was drawn before.
        torch.manual_seed(seed)
        self._scale = shape.alpha / shape.rank
        self._lower = LowerLayers(self._forward, layers[0], kept_bytes, kept)
        self._peft = get_peft_model(checkpoint.model, config)
        self._peft.eval()
        self.parameters: Mapping[str, torch.nn.Parameter] = {
            name: parameter for name, parameter in self._peft.named_parameters() if parameter.requires_grad
        }

    @property
    def num_parameters(self) -> int:
        """Numbers that are trained."""
        return sum(parameter.numel() for parameter in self.parameters.values())

    def train(self, learning: bool) -> None:
        """Switch the adapter's dropout on or off."""
        for name, module in self._peft.named_modules():
            if "lora_dropout" in name:
                module.train(learning)

    def raw(self, examples: Sequence[Example]) -> torch.Tensor:
        """What the head reads at all examples' positions, [sum of positions, columns] in fp32, with its gradient."""
        sequences = [example.rendered.token_ids for example in examples]
        return self.head(self._lower.hidden_states(sequences, [example.positions for example in examples]))

    def raw_and_words(self, examples: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor]:
        """`raw`, and the logits of the next token, [sum of word positions, vocabulary], by one pass."""
        sequences = [example.rendered.token_ids for example in examples]
        places = [(*example.positions, *example.word_positions) for example in examples]
        hidden = self._lower.hidden_states(sequences, places)
        is_word = [
            kind
            for example in examples
            for kind in [False] * len(example.positions) + [True] * len(example.word_positions)
        ]
        chosen = torch.tensor(is_word, device=hidden.device)
        return self.head(hidden[~chosen]), self._words(hidden[chosen])

    def read(self, examples: Sequence[Example]) -> torch.Tensor:
        """The same at the positions that are read when the model is served, without a gradient."""
        hidden = self._forward.hidden_states(
            [example.rendered.token_ids for example in examples],
            [example.rendered.readout_positions for example in examples],
        )
        with torch.inference_mode():
            return self.head(hidden)

    def weights(self) -> dict[str, torch.Tensor]:
        """A copy of the adapter on the CPU, by the names of this model's parameters."""
        return {name: parameter.detach().to("cpu", copy=True) for name, parameter in self.parameters.items()}

    def load(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Put back what `weights` gave."""
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(weights[name])

    def start_from(self, adapter: Adapter) -> None:
        """Begin with the values of another adapter of the same layers and rank. Raises `AdapterMismatch`."""
        from peft import get_peft_model_state_dict, set_peft_model_state_dict

        given = adapter.tensors()
        mine = get_peft_model_state_dict(self._peft, save_embedding_layers=False)
        same_scale = all(layer.scale == self._scale for layer in adapter.layers.values())
        if not same_scale or {name: t.shape for name, t in given.items()} != {
            name: t.shape for name, t in mine.items()
        }:
            raise AdapterMismatch(
                "the adapter to start from has other layers, another rank or alpha: train with its --top-layers, "
                "--targets, --rank and --alpha",
                param="start_from",
            )
        set_peft_model_state_dict(self._peft, given)

    def stored(self, dtype: torch.dtype) -> dict[str, torch.Tensor]:
        """The adapter as peft stores it: its names, in `dtype`, on the CPU."""
        from peft import get_peft_model_state_dict

        found: dict[str, torch.Tensor] = get_peft_model_state_dict(self._peft, save_embedding_layers=False)
        return {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in found.items()}

    def write_config(self, directory: Path) -> None:
        """Write peft's adapter_config.json."""
        self._peft.peft_config["default"].save_pretrained(str(directory))


def _adapted(trunk: Any, shape: LoraShape) -> tuple[list[int], list[str]]:
    """Indices of the layers that get an adapter, and names of the linear ones within. Raises `NotTrainable`."""
    layers = getattr(trunk, "layers", None)
    if layers is None:
        raise NotTrainable(
            f"{type(trunk).__name__} keeps its layers under a name that is not known here", param="model"
        )
    if shape.top_layers > len(layers):
        raise NotTrainable(f"the model has {len(layers)} layers, fewer than {shape.top_layers}", param="top_layers")
    found = dict.fromkeys(
        name.rpartition(".")[2] for name, module in layers.named_modules() if isinstance(module, torch.nn.Linear)
    )
    unknown = [name for name in shape.targets if name not in found]
    if unknown or not found:
        raise NotTrainable(
            f"the layers have no linear part named {', '.join(unknown) or 'at all'}; there are {', '.join(found)}",
            param="targets",
        )
    first = len(layers) - (shape.top_layers or len(layers))
    return list(range(first, len(layers))), list(shape.targets or found)
