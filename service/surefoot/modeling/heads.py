"""Heads: hidden states at readout positions to raw values, always in fp32.

bf16 heads quantise: a logit near 16 is rounded to steps of 1/8, which moves a probability by several percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from surefoot.errors import CheckpointDamaged


class LinearHead(torch.nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """raw = hidden @ weight.T + bias, [rows, hidden] to [rows, columns]; with a soft cap c, c·tanh(raw / c)."""

    def __init__(
        self, weight: torch.Tensor, bias: torch.Tensor | None = None, *, soft_cap: float | None = None
    ) -> None:
        super().__init__()
        self.soft_cap = soft_cap
        self.weight = torch.nn.Parameter(weight.detach().float(), requires_grad=False)
        self.bias = None if bias is None else torch.nn.Parameter(bias.detach().float(), requires_grad=False)

    @property
    def num_columns(self) -> int:
        return int(self.weight.shape[0])

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        raw = torch.nn.functional.linear(hidden.float(), self.weight, self.bias)
        return raw if self.soft_cap is None else self.soft_cap * torch.tanh(raw / self.soft_cap)


def contrast_head(model: Any, token_ids: Sequence[int]) -> LinearHead:
    """The rows of a language model's output layer that belong to the verdict tokens: logits for these and no others.

    Families that scale their logits (Cohere, Granite) or cap them softly (Gemma 2) name that in their configuration.
    """
    layer, config = model.get_output_embeddings(), model.config.get_text_config()
    rows = torch.tensor(list(token_ids), device=layer.weight.device)
    scale = getattr(config, "logit_scale", 1.0) / getattr(config, "logits_scaling", 1.0)
    bias = getattr(layer, "bias", None)
    return LinearHead(
        layer.weight[rows].float() * scale,
        None if bias is None else bias[rows].float() * scale,
        soft_cap=getattr(config, "final_logit_softcapping", None),
    )


def classification_head(model: torch.nn.Module, num_columns: int) -> LinearHead:
    """The linear head of a `*ForTokenClassification` or `*ForSequenceClassification` model.

    Raises `CheckpointDamaged` when the head has another number of outputs than the profile names.
    """
    head = getattr(model, "score", None) or getattr(model, "classifier", None)
    if not isinstance(head, torch.nn.Linear):
        raise CheckpointDamaged(f"{type(model).__name__} has no linear head named score or classifier", param="path")
    if head.out_features != num_columns:
        raise CheckpointDamaged(
            f"the head has {head.out_features} outputs but the profile reads {num_columns}", param="profile"
        )
    return LinearHead(head.weight, head.bias)
