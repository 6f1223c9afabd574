"""Heads: hidden states at readout positions to raw values, always in fp32.

bf16 heads quantise: a logit near 16 is rounded to steps of 1/8, which moves a probability by several percent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from surefoot.errors import CheckpointDamaged
from surefoot.profiles import HeadSpec

Head = Callable[[torch.Tensor], torch.Tensor]
"""[rows, hidden] to [rows, columns], in fp32."""


class LinearHead(torch.nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """raw = hidden @ weight.T + bias, [rows, hidden] to [rows, columns]; with a soft cap c, c·tanh(raw / c)."""

    def __init__(
        self, weight: torch.Tensor, bias: torch.Tensor | None = None, *, soft_cap: float | None = None
    ) -> None:
        super().__init__()
        self.soft_cap = soft_cap
        self.weight = torch.nn.Parameter(weight.detach().float(), requires_grad=False)
        self.bias = None if bias is None else torch.nn.Parameter(bias.detach().float(), requires_grad=False)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        raw = torch.nn.functional.linear(hidden.float(), self.weight, self.bias)
        return raw if self.soft_cap is None else self.soft_cap * torch.tanh(raw / self.soft_cap)


class MassHead(torch.nn.Module):  # type: ignore[misc]
    """The logits of some words and, as the last column, log Σ exp over the whole vocabulary."""

    def __init__(self, vocabulary: LinearHead, token_ids: Sequence[int]) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.token_ids = list(token_ids)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        logits = self.vocabulary(hidden)
        return torch.cat([logits[:, self.token_ids], logits.logsumexp(-1, keepdim=True)], dim=-1)


def vocabulary_head(model: Any, rows: Sequence[int] | None = None) -> LinearHead:
    """A language model's output layer, or those of its rows: logits for these tokens and no others.

    Families that scale their logits (Cohere, Granite) or cap them softly (Gemma 2) name that in their configuration.
    Raises `CheckpointDamaged` where a weight is not finite.
    """
    layer, config = model.get_output_embeddings(), model.config.get_text_config()
    scale = getattr(config, "logit_scale", 1.0) / getattr(config, "logits_scaling", 1.0)
    weight, bias = layer.weight, getattr(layer, "bias", None)
    if rows is not None:
        chosen = torch.tensor(list(rows), device=weight.device)
        weight, bias = weight[chosen], None if bias is None else bias[chosen]
    _require_finite("the output layer", weight, bias)
    return LinearHead(
        weight.float() * scale,
        None if bias is None else bias.float() * scale,
        soft_cap=getattr(config, "final_logit_softcapping", None),
    )


def contrast_head(model: Any, token_ids: Sequence[int], *, with_mass: bool = False) -> torch.nn.Module:
    """The logits of the verdict tokens, with the logarithm of the vocabulary's mass after them where it is wanted."""
    return MassHead(vocabulary_head(model), token_ids) if with_mass else vocabulary_head(model, token_ids)


def checkpoint_head(
    spec: HeadSpec, tensors: Mapping[str, torch.Tensor], *, hidden_size: int, num_columns: int
) -> torch.nn.Module:
    """The head that a profile names, from the tensors of a checkpoint whose names begin with its prefix.

    Raises `CheckpointDamaged` when a weight is missing, or has another shape than trunk and profile ask for.
    """
    if spec.layers == "linear":
        return _linear(tensors, spec.weights, hidden_size, num_columns)
    inner = _linear(tensors, f"{spec.weights}.0", hidden_size, None)
    return torch.nn.Sequential(
        inner, torch.nn.ReLU(), _linear(tensors, f"{spec.weights}.2", inner.weight.shape[0], num_columns)
    )


def _linear(tensors: Mapping[str, torch.Tensor], prefix: str, num_inputs: int, num_outputs: int | None) -> LinearHead:
    name = f"{prefix}.weight"
    if name not in tensors:
        raise CheckpointDamaged(
            f"the checkpoint has no tensor {name}, which the profile names as its head "
            "(`surefoot models inspect` shows which heads it has)",
            param="readout.head",
        )
    weight, bias = tensors[name], tensors.get(f"{prefix}.bias")
    wanted = (weight.shape[0] if num_outputs is None else num_outputs, num_inputs)
    if tuple(weight.shape) != wanted:
        raise CheckpointDamaged(
            f"{name} has shape {list(weight.shape)}, but profile and trunk need {list(wanted)} (outputs, hidden size): "
            "another profile is meant for this checkpoint, or its head is another model's",
            param="readout.head",
        )
    if bias is not None and tuple(bias.shape) != wanted[:1]:
        raise CheckpointDamaged(
            f"{prefix}.bias has shape {list(bias.shape)} but its weight has {wanted[0]} outputs: copy it again",
            param="readout.head",
        )
    _require_finite(prefix, weight, bias)
    return LinearHead(weight, bias)


def _require_finite(name: str, *tensors: torch.Tensor | None) -> None:
    if not all(tensor is None or bool(torch.isfinite(tensor).all()) for tensor in tensors):
        raise CheckpointDamaged(f"{name} holds weights that are not finite: copy the checkpoint again", param="path")
