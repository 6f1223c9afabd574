"""Rows in the way of GSM8K, made up: templates of two to four steps with drawn numbers."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from surefoot.training.worked_solution import WorkedSolution, worked_solution

NAMES = ("Ann", "Ben", "Cora", "Dan", "Eve", "Finn")
THINGS = ("pens", "stamps", "apples", "shells")

Row = dict[str, str]


def _sold(name: str, things: str, a: int, b: int, c: int) -> Row:
    return {
        "question": f"{name} sold {a} {things} on Monday and {b} times as many on Tuesday. Each of the {things} "
        f"cost ${c}. How much money did {name} make?",
        "answer": f"{name} sold {a}*{b}=<<{a}*{b}={a * b}>>{a * b} {things} on Tuesday.\n"
        f"In total there were {a}+{a * b}=<<{a}+{a * b}={a + a * b}>>{a + a * b} {things} on both days.\n"
        f"So {name} made {a + a * b} x ${c} = $<<{a + a * b}*{c}={(a + a * b) * c}>>{(a + a * b) * c}.\n"
        f"#### {(a + a * b) * c}",
    }


def _shared(name: str, things: str, a: int, b: int, c: int) -> Row:
    total = a * c + b * c
    return {
        "question": f"A box holds {a * c} red and {b * c} blue {things}. {name} shares them equally among {c} friends. "
        f"How many more than 3 {things} does each friend get?",
        "answer": f"The box holds {a * c} + {b * c} = <<{a * c}+{b * c}={total}>>{total} {things}.\n"
        f"Each friend gets {total} / {c} = <<{total}/{c}={a + b}>>{a + b} {things}.\n"
        f"That is {a + b} - 3 = <<{a + b}-3={a + b - 3}>>{a + b - 3} {things} more than 3.\n#### {a + b - 3}",
    }


def _spent(name: str, things: str, a: int, b: int, c: int) -> Row:
    cost = a * c
    return {
        "question": f"{name} has ${cost + b} and buys {a} {things} at ${c} each. "
        "How much money is left after a gift of $5?",
        "answer": f"The {things} cost {a} * {c} = $<<{a}*{c}={cost}>>{cost}.\n"
        f"After that {name} has {cost + b} - {cost} = $<<{cost + b}-{cost}={b}>>{b} left.\n"
        f"With the gift {name} has {b} + 5 = $<<{b}+5={b + 5}>>{b + 5} in the end.\n#### {b + 5}",
    }


@pytest.fixture(scope="session")
def gsm8k_rows() -> Callable[[int], list[Row]]:
    """So many rows, always the same."""

    def make(count: int) -> list[Row]:
        rng = random.Random(5)
        return [
            rng.choice((_sold, _shared, _spent))(
                rng.choice(NAMES), rng.choice(THINGS), *rng.sample([*range(13, 24), *range(31, 52)], 3)
            )
            for _ in range(count)
        ]

    return make


@pytest.fixture(scope="session")
def worked(gsm8k_rows) -> list[WorkedSolution]:
    return [worked_solution(row) for row in gsm8k_rows(150)]


@pytest.fixture
def clips() -> WorkedSolution:
    return worked_solution(
        {
            "question": "Natalia sold clips to 58 friends in April, and half as many in May. How many did she sell?",
            "answer": "Natalia sold 58/2 = <<58/2=29>>29 clips in May.\n"
            "Natalia sold 58+29 = <<58+29=87>>87 clips altogether in April and May.\n#### 87",
        }
    )
