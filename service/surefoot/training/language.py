"""A base that learns to write a task's text before it judges it: the language model's own objective, without labels."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy
from transformers import AutoConfig, AutoModelForCausalLM

from surefoot.errors import LossNotFinite, NotTrainable
from surefoot.modeling.checkpoint import Checkpoint
from surefoot.modeling.depth import copy_tokenizer
from surefoot.modeling.heads import vocabulary_head
from surefoot.modeling.trunk_forward import TrunkForward
from surefoot.training.plan import TrainingPlan, learning_rate, packed

_BATCH_TOKENS = 512
_INITIAL_DEVIATION = 0.02


def write_new_model(tokenizer_of: Path, target: Path, *, num_layers: int, hidden_size: int, seed: int) -> None:
    """Write a small Llama with random weights and the tokenizer of another checkpoint into the directory `target`.

    `hidden_size` is a multiple of 32, the size of a head. Raises `NotTrainable`, or `OSError`.
    """
    if hidden_size < 32 or hidden_size % 32 or num_layers < 1:
        raise NotTrainable("a new model has 1 layer or more and a multiple of 32 dimensions", param="pairs")
    source = AutoConfig.from_pretrained(str(tokenizer_of), local_files_only=True)
    ids = {name: getattr(source, name, None) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    config = AutoConfig.for_model(
        "llama",
        vocab_size=source.vocab_size,
        hidden_size=hidden_size,
        intermediate_size=hidden_size * 8 // 3,
        num_hidden_layers=num_layers,
        num_attention_heads=hidden_size // 32,
        num_key_value_heads=hidden_size // 32,
        max_position_embeddings=source.max_position_embeddings,
        tie_word_embeddings=True,
        initializer_range=_INITIAL_DEVIATION,
        **ids,
    )
    torch.manual_seed(seed)
    target.mkdir(parents=True)
    AutoModelForCausalLM.from_config(config, dtype=torch.float32).save_pretrained(target)
    copy_tokenizer(tokenizer_of, target)


def write_adapted(
    checkpoint: Checkpoint,
    sequences: Sequence[Sequence[int]],
    target: Path,
    *,
    num_tokens: int,
    top_layers: int | None,
    rate: float,
    seed: int,
    stepped: Callable[[int, int], None],
) -> list[float]:
    """Train a checkpoint in fp32 on the next tokens of `sequences`, again and again up to `num_tokens`, and write it.

    The layers nearest to the output learn, and the final norm; with `top_layers` of `None` everything does. It is
    written in bf16. The loss of each step in nats a token. Raises `LossNotFinite`, or `OSError`.
    """
    parameters = _learning(checkpoint, top_layers)
    forward = TrunkForward("the base model", checkpoint)
    # A new model's output layer, which is its embedding, learns too.
    head = checkpoint.model.get_output_embeddings() if top_layers is None else vocabulary_head(checkpoint.model)
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.0)
    batches = _batches([sequence for sequence in sequences if len(sequence) > 1], num_tokens, seed)
    plan = TrainingPlan(epochs=1, learning_rate=rate, seed=seed)
    losses = []
    for step, batch in enumerate(batches):
        optimizer.zero_grad(set_to_none=True)
        hidden = forward.differentiable_hidden_states(batch, [range(len(sequence) - 1) for sequence in batch])
        logits = head(hidden)
        wanted = torch.tensor([token for sequence in batch for token in sequence[1:]], device=logits.device)
        loss = cross_entropy(logits.float(), wanted)
        if not math.isfinite(loss.item()):
            raise LossNotFinite("the loss of the next tokens is not finite: lower --adapt-rate")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, len(batches), plan)
        optimizer.step()
        losses.append(loss.item())
        stepped(step + 1, len(batches))
    _write(checkpoint, target)
    return losses


def _learning(checkpoint: Checkpoint, top_layers: int | None) -> list[torch.nn.Parameter]:
    if top_layers is None:
        checkpoint.model.requires_grad_(True)
    else:
        trunk: Any = checkpoint.trunk
        for part in (*trunk.layers[-top_layers:], trunk.norm):
            part.requires_grad_(True)
    return [parameter for parameter in checkpoint.model.parameters() if parameter.requires_grad]


def _batches(sequences: Sequence[Sequence[int]], num_tokens: int, seed: int) -> list[list[Sequence[int]]]:
    """Batches of whole sequences in an order drawn for each time round, up to so many tokens."""
    chosen: list[Sequence[int]] = []
    total, turn = 0, 0
    while sequences and total < num_tokens:
        order = list(sequences)
        random.Random(f"{seed}/{turn}").shuffle(order)  # noqa: S311  an order, not a secret
        for sequence in order:
            if total >= num_tokens:
                break
            chosen.append(sequence)
            total += len(sequence)
        turn += 1
    return [[chosen[place] for place in places] for places in packed([len(each) for each in chosen], _BATCH_TOKENS)]


def _write(checkpoint: Checkpoint, target: Path) -> None:
    target.mkdir(parents=True)
    config = checkpoint.model.config
    # A tied output layer is the embedding under a second name.
    state = checkpoint.model.state_dict()
    if config.tie_word_embeddings:
        state.pop("lm_head.weight", None)
    save_file(
        {name: tensor.detach().to("cpu", torch.bfloat16).contiguous() for name, tensor in state.items()},
        target / "model.safetensors",
        {"format": "pt"},
    )
    (target / "config.json").write_bytes((checkpoint.path / "config.json").read_bytes())
    copy_tokenizer(checkpoint.path, target)
