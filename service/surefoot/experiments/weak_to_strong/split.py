"""Who learns from which items: never two parts from one group."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from surefoot.errors import ExamplesInvalid
from surefoot.experiments.weak_to_strong.items import Item

PartName = Literal["supervisor", "student", "validation", "test"]
"""Whose truth the supervisor learns, what it labels for the student, what training may be stopped by, what counts."""


@dataclass(frozen=True, slots=True)
class PartSizes:
    """How many items each part has; supervisor and student have `train` each."""

    train: int
    validation: int
    test: int

    def of(self, name: PartName) -> int:
        """The size of a part."""
        return {"supervisor": self.train, "student": self.train}.get(name) or getattr(self, name)


def split(items: Sequence[Item], sizes: PartSizes, seed: int) -> Mapping[PartName, tuple[Item, ...]]:
    """The parts of one seed. The test items are the same for every seed, and seeds draw who learns from which of the
    others, no more of which are used than the parts need: what frozen layers give for them is computed once.

    Raises `ExamplesInvalid` where there are too few items for these sizes.
    """
    groups = _groups_of(items)
    by_group: dict[str, list[Item]] = {group: [] for group in groups}
    for item in items:
        by_group[item.group].append(item)
    test, rest = _filled(groups, by_group, sizes.test)
    # A part ends within a group, whose other items are then left out.
    spare = 3 * max(map(len, by_group.values()), default=0)
    rest = _groups_of(_filled(rest, by_group, 2 * sizes.train + sizes.validation + spare)[0])
    random.Random(f"{seed}/parts").shuffle(rest)  # noqa: S311  no secret
    parts: dict[PartName, tuple[Item, ...]] = {"test": test}
    for name in ("validation", "supervisor", "student"):
        parts[name], rest = _filled(rest, by_group, sizes.of(name))
    short = [f"{name} {len(part)} of {sizes.of(name)}" for name, part in parts.items() if len(part) < sizes.of(name)]
    if short:
        raise ExamplesInvalid(
            f"{len(items)} items of {len(groups)} problems are too few ({', '.join(short)}): give more rows, or lower "
            "--train, --validation or --test",
            param="train",
        )
    return parts


def _groups_of(items: Sequence[Item]) -> list[str]:
    return list(dict.fromkeys(item.group for item in items))


def _filled(
    groups: Sequence[str], by_group: Mapping[str, Sequence[Item]], size: int
) -> tuple[tuple[Item, ...], list[str]]:
    """So many items of the first groups, and the groups that none of them is of."""
    taken: list[Item] = []
    for place, group in enumerate(groups):
        if len(taken) >= size:
            return tuple(taken[:size]), list(groups[place:])
        taken += by_group[group]
    return tuple(taken[:size]), []
