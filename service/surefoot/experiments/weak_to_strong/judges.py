"""Models that learn to judge: their log-odds of items, read as they are read when they are served."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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

    @property
    def parameters(self) -> Sequence[torch.nn.Parameter]: ...

    def log_odds(self, items: Sequence[Item]) -> torch.Tensor: ...

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

    def hidden(self, base: OpenBase, forward: TrunkForward, items: Sequence[Item], batch_tokens: int) -> torch.Tensor:
        """Last hidden states that the base itself gives where each item's rows are read, [rows of all, hidden]."""
        lower = LowerLayers(forward, self.first(base), KEPT_BYTES, self.kept)
        missing = [item for item in items if item.id not in self._hidden]
        for places in packed([self.num_tokens(base, item) for item in missing], batch_tokens):
            some = [missing[place] for place in places]
            examples = [example for item in some for example in self.examples(base, item)]
            with torch.no_grad():
                states = lower.hidden_states(
                    [example.rendered.token_ids for example in examples], [example.positions for example in examples]
                )
            parts = states.float().cpu().split([len(item.rows) for item in some])
            self._hidden.update((item.id, part.clone()) for item, part in zip(some, parts, strict=True))
        return torch.cat([self._hidden[item.id] for item in items])

    def first(self, base: OpenBase) -> int:
        """The place of the lowest trained layer."""
        return len(base.checkpoint.trunk.layers) - self.top_layers(base)


class FineTuned:
    """LoRA on the layers nearest to the output, read by the profile's head."""

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
        self.parameters = list(self._model.parameters.values())
        columns = columns_of(self._profile)
        self._positive, self._negative = columns.index("positive"), columns.index("negative")

    def log_odds(self, items: Sequence[Item]) -> torch.Tensor:
        """Of the pair of words that is read when it is served; of two rows, the difference of theirs."""
        examples = [example for item in items for example in self._readings.examples(self._base, item)]
        raw = self._model.raw(examples) / self._profile.readout.temperature
        return of_items(raw[:, self._positive] - raw[:, self._negative], items)

    def learning(self, *, on: bool) -> None:
        self._model.train(on)

    def write(self, directory: Path, facts: dict[str, Any]) -> None:
        """An adapter's directory, as `surefoot train prm` writes it."""
        directory.mkdir()
        own = {"base_id": self._base.base_id, "lora": vars_of(self._shape), "stored_as": "float32"}
        write_adapter(directory, self._model, self._model.stored(torch.float32), self._profile, {**own, **facts})


class Probe:
    """A linear head on frozen features: w · h + b."""

    def __init__(self, readings: Readings, seed: int, batch_tokens: int = 4096) -> None:
        self._readings, self._base = readings, readings.open_base()
        self._profile = _profile_of(self._base)
        self._forward = TrunkForward("the base model", self._base.checkpoint)
        self._batch_tokens = batch_tokens
        size = self._base.checkpoint.model.config.get_text_config().hidden_size
        random = torch.Generator().manual_seed(seed)
        self._weight = torch.nn.Parameter(torch.randn(size, generator=random) / size)
        self._bias = torch.nn.Parameter(torch.zeros(1))
        self.parameters = [self._weight, self._bias]

    def log_odds(self, items: Sequence[Item]) -> torch.Tensor:
        """Of two rows the difference of theirs."""
        hidden = self._readings.hidden(self._base, self._forward, items, self._batch_tokens)
        return of_items(hidden @ self._weight + self._bias, items)

    def learning(self, *, on: bool) -> None:
        """Nothing is switched."""

    def write(self, directory: Path, facts: dict[str, Any]) -> None:
        """A checkpoint's directory: the base's own files, and the head in a small one beside them."""
        head = torch.stack([torch.zeros_like(self._weight), self._weight.detach()])
        bias = torch.cat([torch.zeros(1), self._bias.detach()])
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
