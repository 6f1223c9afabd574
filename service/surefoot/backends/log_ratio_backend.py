"""Implicit process rewards: how much likelier a solution's tokens are to a model than to its reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

import torch

from surefoot.backends.lost_device import lost_device_told
from surefoot.domain import Forwarded, ForwardItem, RenderedInput, Rows
from surefoot.errors import SettingsInvalid
from surefoot.modeling.checkpoint import Checkpoint
from surefoot.modeling.heads import Head, vocabulary_head
from surefoot.modeling.tokenizer import HfTokenizer
from surefoot.modeling.trunk_forward import Indices, TrunkForward

MOST_LOGITS = 2**25
"""Logits that exist at once, in fp32: 128 MiB, whatever the batch."""

HiddenStates = Callable[[Indices, Indices], torch.Tensor]


class LogRatioBackend:
    """Two language models with one vocabulary, read by the same packed pass.

    The row at position t is [Σ log p(token i) - log p_ref(token i)] over i from `RenderedInput.solution_start` to t,
    both included, in nats; the first token of an input is predicted by nothing and adds nothing. Any head's name is
    answered alike.
    """

    def __init__(
        self,
        name: str,
        checkpoint: Checkpoint,
        reference: Checkpoint,
        *,
        max_input_tokens: int | None = None,
        deterministic: bool = False,
    ) -> None:
        """With `deterministic` every input has passes of its own: products over a vocabulary round by their rows."""
        self._name = name
        self._device = checkpoint.device
        self._each_alone = deterministic
        limits = (checkpoint.max_positions, reference.max_positions)
        self._max_input_tokens = min(max_input_tokens or min(limits), *limits)
        self._model = _LanguageModel(name, checkpoint)
        self._reference = _LanguageModel(f"{name} (reference)", reference)

    @property
    def name(self) -> str:
        return self._name

    @property
    def max_input_tokens(self) -> int:
        return self._max_input_tokens

    def forward(self, batch: Sequence[ForwardItem]) -> list[Forwarded]:
        inputs = [item.rendered for item in batch]
        passes = [[rendered] for rendered in inputs] if self._each_alone else [inputs]
        with lost_device_told(self._device):
            return [Forwarded(rows) for together in passes for rows in self._one_pass(together)]

    def _one_pass(self, inputs: Sequence[RenderedInput]) -> list[Rows]:
        own = self._model.log_probabilities(inputs, self._model.trunk.hidden_states)
        other = self._reference.log_probabilities(inputs, self._reference.trunk.hidden_states)
        return _rows(inputs, own - other)

    def plain_rows(self, item: ForwardItem) -> Rows:
        """An input's rows by one ordinary pass of each model, to hold the served ones against.

        Served passes wait meanwhile: this is for the time before serving.
        """
        inputs = [item.rendered]
        own = self._model.log_probabilities(inputs, self._model.trunk.plain_hidden_states)
        other = self._reference.log_probabilities(inputs, self._reference.trunk.plain_hidden_states)
        (rows,) = _rows(inputs, own - other)
        return rows

    def close(self) -> None:
        """Nothing runs between two passes."""


class _LanguageModel:
    """A trunk and its output layer."""

    def __init__(self, name: str, checkpoint: Checkpoint) -> None:
        self.trunk = TrunkForward(name, checkpoint)
        self._head = vocabulary_head(checkpoint.model).to(checkpoint.device)
        self._device = checkpoint.device

    def log_probabilities(self, inputs: Sequence[RenderedInput], hidden_states: HiddenStates) -> torch.Tensor:
        """log p of the counted tokens of all inputs, end to end, in float64 on the CPU."""
        counted = [_counted(rendered) for rendered in inputs]
        # The token at t is predicted at t - 1.
        hidden = hidden_states(
            [rendered.token_ids for rendered in inputs], [range(span.start - 1, span.stop - 1) for span in counted]
        )
        tokens = [
            token
            for rendered, span in zip(inputs, counted, strict=True)
            for token in rendered.token_ids[span.start : span.stop]
        ]
        return token_log_probabilities(self._head, hidden, torch.tensor(tokens, device=self._device)).double().cpu()


def token_log_probabilities(
    head: Head, hidden: torch.Tensor, tokens: torch.Tensor, *, most_logits: int = MOST_LOGITS
) -> torch.Tensor:
    """log softmax(head(hidden[i]))[tokens[i]], [tokens], with never more than about `most_logits` logits at once."""
    if not len(tokens):
        return torch.zeros(0)
    parts = []
    with torch.inference_mode():
        rows = max(1, most_logits // head(hidden[:1]).shape[-1])
        for some_hidden, some_tokens in zip(hidden.split(rows), tokens.split(rows), strict=True):
            logits = head(some_hidden)
            parts.append(logits.gather(1, some_tokens[:, None])[:, 0] - logits.logsumexp(-1))
    return torch.cat(parts)


def check_same_vocabulary(tokenizer: HfTokenizer, reference: HfTokenizer) -> None:
    """Raises `SettingsInvalid` where the two models would read the same ids as different text."""
    own, other = tokenizer.vocabulary, reference.vocabulary
    differing = sum(other.get(token) != token_id for token, token_id in own.items())
    if differing or len(own) != len(other):
        raise SettingsInvalid(
            f"reference_path names a model with another vocabulary: {differing} of the {len(own)} tokens have another "
            f"id or none there, and it has {len(other)} tokens; a log-ratio needs the model that this one was trained "
            "from",
            param="reference_path",
        )


def _counted(rendered: RenderedInput) -> range:
    """Positions of the tokens that count for an input."""
    last = max(rendered.readout_positions, default=-1)
    first = max(rendered.solution_start, 1)
    return range(first, max(first, last + 1))


def _rows(inputs: Sequence[RenderedInput], ratios: torch.Tensor) -> list[Rows]:
    """Sums up to each readout position, from the ratios of all counted tokens end to end."""
    rows: list[Rows] = []
    spans = [_counted(rendered) for rendered in inputs]
    for rendered, span, part in zip(inputs, spans, ratios.split([len(span) for span in spans]), strict=True):
        sums = list(accumulate(part.tolist(), initial=0.0))
        rows.append(tuple((sums[max(0, place + 1 - span.start)],) for place in rendered.readout_positions))
    return rows
