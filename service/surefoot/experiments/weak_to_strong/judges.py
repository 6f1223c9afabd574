"""Models that learn to judge: their log-odds of items, read as they are read when they are served."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import torch

from surefoot.errors import ExamplesInvalid, ItemError
from surefoot.evaluation.calibration_report import profile_toml
from surefoot.experiments.weak_to_strong.items import Item
from surefoot.modeling.checkpoint import Checkpoint
from surefoot.modeling.headed_checkpoint import write_headed
from surefoot.modeling.trunk_forward import TrunkForward
from surefoot.profiles import Profile, TokenClassification
from surefoot.training.adapter_files import PROFILE, write_adapter
from surefoot.training.examples import Example, columns_of, up_to_last_target
from surefoot.training.labelled_row import LabelledRow
from surefoot.training.lora import AdaptedModel
from surefoot.training.lora_shape import LoraShape
from surefoot.training.lower_layers import KeptStates, LowerLayers
from surefoot.training.plan import packed
from surefoot.whole_file import write_whole

_BATCH_TOKENS = 2048
"""Of a pass through frozen layers."""

_LEAST_DEVIATION = 1e-4
"""For dimensions that say the same of every item."""

KEPT_BYTES = 4 * 2**30
"""Of what frozen layers give, for all cells on one base."""


class OpenBase(Protocol):
    """A base model with the profile that serves its judgements, just loaded."""

    @property
    def checkpoint(self) -> Checkpoint: ...

    @property
    def head(self) -> Any: ...

    @property
    def profile(self) -> Profile | None: ...

    @property
    def base_id(self) -> str: ...

    @property
    def example(self) -> Callable[[LabelledRow], Example]: ...


class Judge(Protocol):
    """Gives log-odds [items] with their gradient, and can be kept."""

    parameters: Sequence[torch.nn.Parameter]
    decay: float
    """AdamW's weight decay: a probe has more weights than there may be items."""

    def log_odds(self, items: Sequence[Item]) -> torch.Tensor: ...

    def begin(self, items: Sequence[Item]) -> None:
        """Hear, before the first step, what will be learned from."""

    def learning(self, *, on: bool) -> None:
        """Switch what only training does on or off."""

    def write(self, directory: Path, facts: dict[str, Any]) -> None:
        """Write what the service loads."""


class Readings:
    """Items as a base reads them: each rendered once, and passed through its frozen layers once."""

    def __init__(self, open_base: Callable[[], OpenBase], top_layers: int) -> None:
        self.open_base, self._top_layers = open_base, top_layers
        self.kept: KeptStates = {}
        self._examples: dict[str, tuple[Example, ...]] = {}
        self._hidden: dict[str, torch.Tensor] = {}

    def examples(self, base: OpenBase, item: Item) -> tuple[Example, ...]:
        """Raises `ExamplesInvalid`, which names the item, for one that cannot be served."""
        if item.id not in self._examples:
            try:
                self._examples[item.id] = tuple(up_to_last_target(base.example(row)) for row in item.rows)
            except (ItemError, ValueError) as cause:
                raise ExamplesInvalid(f"item {item.id} cannot be judged: {cause}") from cause
        return self._examples[item.id]

    def num_tokens(self, base: OpenBase, item: Item) -> int:
        """Of all its rows."""
        return sum(example.rendered.num_tokens for example in self.examples(base, item))

    def top_layers(self, base: OpenBase) -> int:
        """How many layers are trained: a base of fewer is trained as a whole."""
        return min(self._top_layers, len(base.checkpoint.trunk.layers))

    @cached_property
    def frozen(self) -> tuple[OpenBase, TrunkForward]:
        """The base for those that leave it as it is; opened once."""
        base = self.open_base()
        return base, TrunkForward("the base model", base.checkpoint)

    def hidden(self, items: Sequence[Item]) -> torch.Tensor:
        """Last hidden states that the base itself gives where each item's rows are read, [rows of all, hidden]."""
        missing = [item for item in items if item.id not in self._hidden]
        if missing:
            self._read(missing)
        return torch.cat([self._hidden[item.id] for item in items])

    def _read(self, missing: Sequence[Item]) -> None:
        base, forward = self.frozen
        lower = LowerLayers(forward, self.first(base), KEPT_BYTES, self.kept)
        for places in packed([self.num_tokens(base, item) for item in missing], _BATCH_TOKENS):
            some = [missing[place] for place in places]
            examples = [example for item in some for example in self.examples(base, item)]
            with torch.no_grad():
                states = lower.hidden_states(
                    [example.rendered.token_ids for example in examples], [example.positions for example in examples]
                )
            parts = states.float().cpu().split([len(item.rows) for item in some])
            self._hidden.update((item.id, part.clone()) for item, part in zip(some, parts, strict=True))

    def first(self, base: OpenBase) -> int:
        """The place of the lowest trained layer."""
        return len(base.checkpoint.trunk.layers) - self.top_layers(base)


class FineTuned:
    """LoRA on the layers nearest to the output, read by the profile's head."""

    decay = 0.0

    def __init__(self, readings: Readings, rank: int, seed: int) -> None:
        self._readings, self._base = readings, readings.open_base()
        self._profile = _profile_of(self._base)
        self._shape = LoraShape(rank, 2.0 * rank, 0.0, readings.top_layers(self._base))
        self._model = AdaptedModel(
            self._base.checkpoint,
            self._base.head,
            self._shape,
            seed=seed,
            kept_bytes=KEPT_BYTES,
            kept=readings.kept,
        )
        self.parameters: Sequence[torch.nn.Parameter] = list(self._model.parameters.values())
        columns = columns_of(self._profile)
        self._positive, self._negative = columns.index("positive"), columns.index("negative")

    def log_odds(self, items: Sequence[Item]) -> torch.Tensor:
        """Of the pair of words that is read when it is served; of two rows, the difference of theirs."""
        examples = [example for item in items for example in self._readings.examples(self._base, item)]
        raw = self._model.raw(examples) / self._profile.readout.temperature
        return of_items(raw[:, self._positive] - raw[:, self._negative], items)

    def begin(self, items: Sequence[Item]) -> None:
        """Nothing depends on it."""

    def learning(self, *, on: bool) -> None:
        self._model.train(on)

    def write(self, directory: Path, facts: dict[str, Any]) -> None:
        """An adapter's directory, as `surefoot train prm` writes it."""
        directory.mkdir()
        own = {"base_id": self._base.base_id, "lora": vars_of(self._shape), "stored_as": "float32"}
        write_adapter(directory, self._model, self._model.stored(torch.float32), self._profile, {**own, **facts})


class Probe:
    """A linear head on frozen features: w · (h - m) / s + b with mean m and deviation s of each dimension over what is
    learned from, so that all dimensions learn alike fast."""

    decay = 1.0

    def __init__(self, readings: Readings, seed: int) -> None:
        self._readings, (self._base, _) = readings, readings.frozen
        self._profile = _profile_of(self._base)
        size = self._base.checkpoint.model.config.get_text_config().hidden_size
        random = torch.Generator().manual_seed(seed)
        self._weight = torch.nn.Parameter(torch.randn(size, generator=random) / size)
        self._mean, self._scale = torch.zeros(size), torch.ones(size)
        self._bias = torch.nn.Parameter(torch.zeros(1))
        self.parameters: Sequence[torch.nn.Parameter] = [self._weight, self._bias]

    def log_odds(self, items: Sequence[Item]) -> torch.Tensor:
        """Of two rows the difference of theirs."""
        return of_items((self._readings.hidden(items) - self._mean) / self._scale @ self._weight + self._bias, items)

    def begin(self, items: Sequence[Item]) -> None:
        """Take mean and deviation of each dimension."""
        hidden = self._readings.hidden(items)
        self._mean, self._scale = hidden.mean(0), hidden.std(0) + _LEAST_DEVIATION

    def learning(self, *, on: bool) -> None:
        """Nothing is switched."""

    def write(self, directory: Path, facts: dict[str, Any]) -> None:
        """A checkpoint's directory: the base's own files, and the head in a small one beside them."""
        weight = self._weight.detach() / self._scale
        head = torch.stack([torch.zeros_like(weight), weight])
        bias = torch.cat([torch.zeros(1), self._bias.detach() - weight @ self._mean])
        write_headed(self._base.checkpoint.path, directory, {"score.weight": head, "score.bias": bias})
        served = headed_profile(self._profile)
        write_whole(directory / PROFILE, profile_toml(served, str(facts["command"])).encode())


def headed_profile(profile: Profile) -> Profile:
    """The same rendering, read by a head with two columns."""
    values = profile.model_dump(exclude_unset=True, exclude={"golden", "trained", "notice", "readout"})
    readout = TokenClassification(method="token_classification", classes=("negative", "positive"))
    return Profile.model_validate({**values, "name": f"{profile.name}-probe", "readout": readout.model_dump()})


def of_items(log_odds: torch.Tensor, items: Sequence[Item]) -> torch.Tensor:
    """[rows of all items] to [items]: a row's own log-odds, or of two rows the first less the second, as in a model of
    paired comparisons (Bradley and Terry 1952)."""
    if all(len(item.rows) == 1 for item in items):
        return log_odds
    parts = log_odds.split([len(item.rows) for item in items])
    return torch.stack([part[0] if len(part) == 1 else part[0] - part[1] for part in parts])


@contextmanager
def judging(judge: Judge) -> Iterator[None]:
    """Within it nothing is learned."""
    judge.learning(on=False)
    try:
        with torch.no_grad():
            yield
    finally:
        judge.learning(on=True)


def vars_of(shape: LoraShape) -> dict[str, Any]:
    """As JSON."""
    return {"rank": shape.rank, "alpha": shape.alpha, "dropout": shape.dropout, "top_layers": shape.top_layers}


def _profile_of(base: OpenBase) -> Profile:
    if base.profile is None:
        raise TypeError("a judge's base has a profile")
    return base.profile
