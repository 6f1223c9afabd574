"""Heads: hidden states at readout positions to raw values, always in fp32.

bf16 heads quantise: a logit near 16 is rounded to steps of 1/8, which moves a probability by several percent.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from surefoot.errors import CheckpointDamaged


class LinearHead(torch.nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """raw = hidden @ weight.T + bias, [rows, hidden] to [rows, columns]."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(weight.detach().float(), requires_grad=False)
        self.bias = None if bias is None else torch.nn.Parameter(bias.detach().float(), requires_grad=False)

    @property
    def num_columns(self) -> int:
        return int(self.weight.shape[0])

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.linear(hidden.float(), self.weight, self.bias)


def contrast_head(output_embeddings: torch.nn.Module, token_ids: Sequence[int]) -> LinearHead:
    """The rows of a language model's output layer that belong to the verdict tokens: logits for these and no others."""
    weight = output_embeddings.weight
    bias = getattr(output_embeddings, "bias", None)
    rows = torch.tensor(list(token_ids), device=weight.device)
    return LinearHead(weight[rows], None if bias is None else bias[rows])


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
