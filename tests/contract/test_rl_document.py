"""The table of `docs/rl.md` holds what its example would give."""

import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from surefoot_client.rl import Placement, PolicyTokens, align_steps, placed_rewards

DOCUMENT = (Path(__file__).parents[2] / "docs/rl.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)` \|((?: [-\d.]+ \|){8})", DOCUMENT, re.MULTILINE))


def test_the_table_has_every_placement() -> None:
    assert set(ROWS) == set(get_args(Placement))


@pytest.mark.parametrize("placement", get_args(Placement))
def test_a_row_of_the_table_is_what_comes_out(placement: Placement) -> None:
    pieces = ["2", "+3", "=5", ".\n", "So", " 5", ".", ""]
    ends = np.cumsum([len(piece) for piece in pieces])
    tokens = PolicyTokens("".join(pieces), np.column_stack([[0, *ends[:-1]], ends]))
    rewards = placed_rewards(align_steps([(0, 6), (7, 12)], tokens), [0.75, 0.5], placement=placement)
    assert [float(cell) for cell in ROWS[placement].split("|")[:-1]] == pytest.approx(rewards.tolist(), abs=5e-5)
