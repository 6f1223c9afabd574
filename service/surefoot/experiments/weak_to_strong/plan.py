"""The grid: which models are trained on whose labels, in which order. Pure functions of what is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Literal

from surefoot.experiments.weak_to_strong.split import PartSizes
from surefoot.experiments.weak_to_strong.tasks import TaskName

Scheme = Literal["naive", "confidence", "bootstrap", "probe", "language"]
"""How a student learns from weak labels: by their cross-entropy; with the auxiliary confidence loss; through a chain of
intermediate sizes; by a linear probe on frozen features; after its base has learned to write the task's text."""

Method = Literal["finetune", "probe"]
"""What every training of a run changes: low-rank adapters of the upper layers, or a linear head alone."""

Role = Literal["supervisor", "ceiling", "intermediate", "student"]

_SIDE = r"hub:[^:]+|[^:]+"
_PAIR = re.compile(rf"(?P<weak>{_SIDE}):(?P<strong>{_SIDE})")
_DEPTH = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Pair:
    """A weak supervisor's size and a student's: a number of layers of the embedded base, `scratch-LxH` for a new model
    of L layers and H dimensions, a directory, or `hub:owner/name`."""

    weak: str
    strong: str


@dataclass(frozen=True, slots=True)
class CellPlan:
    """What every cell depends on beside its data and its place in the grid.

    `epochs` over the items in batches of `batch_items`, with the loss of `evaluations` points in a training measured.
    `alpha` and `ramp` are those of the confidence loss. `adapt_tokens` are learned by a truncated or new base before it
    judges, and by any base under the scheme `language`.
    """

    sizes: PartSizes
    method: Method = "finetune"
    data_seed: int = 0
    top_layers: int = 2
    rank: int = 8
    learning_rate: float = 1e-3
    epochs: int = 2
    batch_items: int = 16
    evaluations: int = 4
    alpha: float = 0.5
    ramp: float = 0.2
    adapt_tokens: int = 20_000
    adapt_rate: float = 3e-4

    def facts(self) -> Mapping[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Cell:
    """One training. `labels_of` names the cell whose weak labels are learned, none where the truth is; `part` holds
    what is learned from. `weak` is the size of the supervisor behind the labels."""

    task: TaskName
    seed: int
    role: Role
    size: str
    scheme: Scheme = "naive"
    weak: str | None = None
    labels_of: str | None = None
    strong: str | None = None

    @property
    def name(self) -> str:
        """Its directory among the run's cells."""
        parts: list[str] = [self.role]
        if self.weak is not None:
            parts += [slug(self.weak), slug(self.strong or self.size), self.scheme]
        if self.role != "student":
            parts.append(slug(self.size))
        return f"{self.task}/seed-{self.seed}/{'-'.join(parts)}"

    @property
    def part(self) -> Literal["supervisor", "student"]:
        """What it learns from."""
        return "supervisor" if self.role == "supervisor" else "student"

    @property
    def teaches(self) -> bool:
        """Whether others learn from its labels."""
        return self.role in ("supervisor", "intermediate")


def parse_pair(text: str) -> Pair:
    """`WEAK:STRONG`. Raises `ValueError`."""
    found = _PAIR.fullmatch(text.strip())
    if found is None or found["weak"] == found["strong"]:
        raise ValueError("a pair is WEAK:STRONG, two different sizes: 4:30, scratch-2x64:8 or 30:hub:owner/name")
    pair = Pair(found["weak"].strip(), found["strong"].strip())
    if is_depth(pair.weak) and is_depth(pair.strong) and int(pair.weak) >= int(pair.strong):
        raise ValueError(f"{text}: the supervisor must have fewer layers than the student")
    return pair


def is_depth(size: str) -> bool:
    """Whether a size is a number of layers of the embedded base."""
    return _DEPTH.fullmatch(size) is not None


def chain_between(pair: Pair, given: Sequence[str]) -> tuple[str, ...]:
    """The intermediate sizes of the bootstrap: those given, else two numbers of layers in equal ratios between, which
    makes three iterations. Raises `ValueError` where sizes are no numbers and none are given."""
    if given:
        return tuple(size for size in given if size not in (pair.weak, pair.strong))
    if not (is_depth(pair.weak) and is_depth(pair.strong)):
        raise ValueError(f"{pair.weak}:{pair.strong}: the sizes between are not known: name them with --chain")
    weak, strong = int(pair.weak), int(pair.strong)
    between = (round(weak * (strong / weak) ** share) for share in (1 / 3, 2 / 3))
    return tuple(str(size) for size in dict.fromkeys(between) if weak < size < strong)


def cells(
    tasks: Sequence[TaskName],
    pairs: Sequence[Pair],
    schemes: Sequence[Scheme],
    seeds: Sequence[int],
    chain: Sequence[str] = (),
) -> list[Cell]:
    """Every cell once, each behind those whose labels it learns; seed by seed, so that an early end leaves whole ones.

    Raises what `chain_between` raises.
    """
    found = (
        cell
        for seed in seeds
        for task in tasks
        for pair in pairs
        for cell in _of_pair(task, seed, pair, schemes, chain)
    )
    return list(dict.fromkeys(found))


def _of_pair(task: TaskName, seed: int, pair: Pair, schemes: Sequence[Scheme], chain: Sequence[str]) -> Iterator[Cell]:
    supervisor = Cell(task, seed, "supervisor", pair.weak)
    yield supervisor
    yield Cell(task, seed, "ceiling", pair.strong)
    for scheme in schemes:
        teacher = supervisor
        between = chain_between(pair, chain) if scheme == "bootstrap" else ()
        for size in between:
            teacher = Cell(task, seed, "intermediate", size, scheme, pair.weak, teacher.name, pair.strong)
            yield teacher
        yield Cell(task, seed, "student", pair.strong, scheme, pair.weak, teacher.name, pair.strong)


def slug(size: str) -> str:
    """A size as a part of a file's name."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", size).strip("_")
    # Two paths may differ in nothing but their signs.
    return plain if is_depth(size) or size.startswith("scratch-") else f"{plain[-40:]}_{_short_digest(size)}"


def _short_digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:6]
