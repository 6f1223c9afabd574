"""Which examples are held out to measure on, where no file of them is given."""

from __future__ import annotations

import random
from collections.abc import Sequence


def held_out(problems: Sequence[str], fraction: float, seed: int) -> frozenset[int]:
    """Places of `problems` that are held out: all of some problems, so that none is on both sides.

    As many problems as come nearest to `fraction` of the distinct ones, one at least where there are two.
    """
    distinct = list(dict.fromkeys(problems))
    random.Random(f"{seed}/held out").shuffle(distinct)  # noqa: S311  an order, not a secret
    wanted = min(max(1, round(len(distinct) * fraction)), len(distinct) - 1)
    chosen = set(distinct[:wanted])
    return frozenset(place for place, problem in enumerate(problems) if problem in chosen)
