"""What is asked: problems, each of them several times over a while, as an RL loop or a search asks. Pure."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from loadtests.workloads import Group, workload

MOST_PROBLEMS, MOST_ROUNDS = 64, 14
"""Of the groups that the problems are taken from, and of candidates in each that are new in a round."""


@dataclass(frozen=True, slots=True)
class Question:
    """Two candidates of a problem: one that has grown by a step since the round before, and the first step of a new
    one. What both share is the problem."""

    problem: int
    round: int
    text: str
    candidates: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def items(self) -> list[dict[str, object]]:
        """As `POST /score` takes them; the id tells which item an answer is of."""
        return [
            {"id": f"{self.problem}.{self.round}.{place}", "problem": self.text, "steps": list(steps)}
            for place, steps in enumerate(self.candidates)
        ]


def rounds_of(num_problems: int, num_rounds: int, seed: int, first: int = 0) -> list[list[Question]]:
    """Each round asks about every problem once, in an order of its own: a proxy that takes turns then sends a problem
    now here, now there, as it does when callers know nothing of each other. `first` is the first problem."""
    if not (first + num_problems <= MOST_PROBLEMS and 1 <= num_rounds <= MOST_ROUNDS):
        raise ValueError(f"at most {MOST_PROBLEMS} problems and {MOST_ROUNDS} rounds")
    groups = workload("W1", seed, "").waves[0][first : first + num_problems]
    rng = random.Random(seed)  # noqa: S311  no secret
    found = []
    for place in range(num_rounds):
        asked = [
            Question(number, place, _with_example(group.problem, group.candidates[-1]), _candidates(group, place))
            for number, group in enumerate(groups)
        ]
        rng.shuffle(asked)
        found.append(asked)
    return found


def without_end(rounds: Sequence[Sequence[Question]]) -> Iterator[Sequence[Question]]:
    """The rounds, and then the same problems again with candidates that nobody has asked about: scores that are
    remembered would be no load."""
    for lap in itertools.count():
        for questions in rounds:
            yield questions if lap == 0 else [_once_more(question, lap) for question in questions]


def _once_more(question: Question, lap: int) -> Question:
    first, second = ((f"Try {lap + 1}: {steps[0]}", *steps[1:]) for steps in question.candidates)
    return replace(question, candidates=(first, second))


def _with_example(problem: str, worked: Sequence[str]) -> str:
    """A problem behind a solution that shows the way, as prompts have them: some 200 tokens."""
    return "\n".join(["Solve as is done here:", *worked, "", problem])


def _candidates(group: Group, place: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return group.candidates[0][: place + 1], group.candidates[place + 1][:1]
