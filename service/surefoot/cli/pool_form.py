"""How many candidates of a file of pools have the form that is trained and served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from surefoot.cli.jsonl_run import Tally
from surefoot.cli.pool_rows import given_pool
from surefoot.cli.row_file import read_file
from surefoot.training.well_formed import is_well_formed


def share_well_formed(source: Path) -> float | None:
    """In [0, 1]; of the rows that can be read, `None` without any.

    A candidate counts as ended by its writer unless its `finish_reason` says otherwise.
    """
    found: list[bool] = []
    for _, forms in read_file("--pools", source, _forms, Tally(), lambda: None):
        found += forms
    return sum(found) / len(found) if found else None


def _forms(row: Mapping[str, Any]) -> list[bool]:
    pool = given_pool(row)
    given: Sequence[Any] = row.get("candidates") or [None] * len(pool.candidates)
    return [
        is_well_formed(candidate.text, ended=not isinstance(each, Mapping) or each.get("finish_reason") != "length")
        for candidate, each in zip(pool.candidates, given, strict=True)
    ]
