"""Rows that a training loop chooses from, and what it leaves behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def row(number: int, **fields: object) -> dict[str, Any]:
    wrong = (None, 0, 1)[number % 3]
    steps = ["bad" if place == wrong else f"{number}+{place}" for place in range(2)]
    first = {"problem": f"Add {number}", "steps": steps, "first_error": wrong}
    return {**first, "answer": "1", "is_correct": wrong is None, **fields}


POOL = [row(number) for number in range(40)]
VALIDATION = [row(number) for number in range(100, 109)]
PROBLEMS = [{"problem": f"What is 2 + 3, the {number}th time?", "answer": "5"} for number in range(6)]


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def chosen_in(out: Path) -> list[str]:
    return [each["id"] for path in sorted(out.glob("round-*/chosen.jsonl")) for each in lines_of(path)]
