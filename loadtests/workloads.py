"""Seeded workloads: word problems and solutions as policies write them, so that no data set is needed.

A workload is waves of groups of candidates. What is in a wave is wanted at the same time, and a wave begins when the
one before is done; a group is a problem with its candidates. Problems are salted, so that no run meets what an earlier
one has left in a cache.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from surefoot.training.word_problems.drawing import word_problems
from surefoot.training.word_problems.splits import TEMPLATES

_FILLERS = (
    "Let us look at what the problem says once more before going on",
    "The other numbers in the text do not matter for this part",
    "We keep this result in mind, because it is needed further below",
    "Nothing else changes here, so the count stays as it was",
    "Read carefully: the question asks for the amount at the end of the day",
)


@dataclass(frozen=True, slots=True)
class Group:
    """A problem, and candidates as lists of steps."""

    problem: str
    candidates: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Workload:
    """`concurrency` is how many groups are under way at a time; 0: all of a wave."""

    name: str
    title: str
    waves: tuple[tuple[Group, ...], ...]
    concurrency: int = 0

    @property
    def num_candidates(self) -> int:
        return sum(len(group.candidates) for wave in self.waves for group in wave)


Draw = Callable[[random.Random, str], tuple[tuple[Group, ...], ...]]


def workload(name: str, seed: int, salt: str, scale: float = 1.0) -> Workload:
    """The workload of that name; `salt` stands at the beginning of each problem. `scale` is the share of its groups,
    of a workload of one group that of its candidates."""
    title, concurrency, draw = WORKLOADS[name]
    return Workload(name, title, draw(random.Random(f"{name}\n{seed}"), salt, scale), concurrency)  # noqa: S311  no secret


def _rerank(rng: random.Random, salt: str, scale: float) -> tuple[tuple[Group, ...], ...]:
    problems = _problems(rng, _scaled(64, scale), salt)
    return (tuple(Group(problem, _with_duplicates(rng, 16)) for problem in problems),)


def _beam(rng: random.Random, salt: str, scale: float) -> tuple[tuple[Group, ...], ...]:
    """Of 16 ways on, every fourth is kept and goes on in four ways."""
    waves = []
    problems = _problems(rng, _scaled(4, scale), salt)
    kept = {problem: [()] * 4 for problem in problems}
    for _ in range(8):
        wave = []
        for problem in problems:
            grown = tuple((*beam, _step(rng, 25)) for beam in kept[problem] for _ in range(4))
            kept[problem] = list(grown[::4])
            wave.append(Group(problem, grown))
        waves.append(tuple(wave))
    return tuple(waves)


def _burst(rng: random.Random, salt: str, scale: float) -> tuple[tuple[Group, ...], ...]:
    problems = _problems(rng, _scaled(64, scale), salt)
    return (tuple(Group(each, tuple(_solution(rng, rng.randint(50, 900)) for _ in range(8))) for each in problems),)


def _long_prompt(rng: random.Random, salt: str, scale: float) -> tuple[tuple[Group, ...], ...]:
    shots = "\n\n".join("\n".join(_solution(rng, 150)) for _ in range(10))
    (problem,) = _problems(rng, 1, f"{salt} {shots}\n\n")
    return ((Group(problem, tuple(_solution(rng, 150) for _ in range(_scaled(32, scale)))),),)


def _distinct(rng: random.Random, salt: str, scale: float) -> tuple[tuple[Group, ...], ...]:
    count = _scaled(256, scale)
    groups = (Group(f"{rng.random()} {salt}", (_solution(rng, rng.randint(200, 1_500)),)) for _ in range(count))
    return (tuple(groups),)


WORKLOADS: Mapping[str, tuple[str, int, Callable[[random.Random, str, float], tuple[tuple[Group, ...], ...]]]] = (
    MappingProxyType(
        {
            "W1": ("rerank: 64 problems, 16 candidates each, a quarter of them duplicates", 0, _rerank),
            "W2": ("beam: 4 beams by 4 ways on, 8 rounds, one step appended each", 0, _beam),
            "W3": ("RL burst: 64 problems, 8 rollouts each, 50 to 900 tokens, 32 callers", 32, _burst),
            "W4": ("long prompt: 1,500 tokens of examples, 32 candidates", 0, _long_prompt),
            "W5": ("distinct: 256 solutions of 200 to 1,500 tokens, nothing shared", 0, _distinct),
        }
    )
)


def _scaled(count: int, scale: float) -> int:
    return max(1, round(count * scale))


def _problems(rng: random.Random, count: int, salt: str) -> list[str]:
    templates = [*TEMPLATES["train"], *TEMPLATES["test"]]
    drawn = word_problems(templates, count, rng.randrange(1 << 30))
    return [f"{salt} {each.question} Show every step, and check your result before you state it." for each in drawn]


def _with_duplicates(rng: random.Random, count: int) -> tuple[tuple[str, ...], ...]:
    """So many candidates of about 130 tokens, a quarter of them as others are."""
    distinct = [_solution(rng, 130) for _ in range(count - count // 4)]
    found = [*distinct, *rng.choices(distinct, k=count // 4)]
    rng.shuffle(found)
    return tuple(found)


def _solution(rng: random.Random, num_tokens: int) -> tuple[str, ...]:
    steps: list[str] = []
    while num_tokens > 12:
        length = min(num_tokens, rng.randint(18, 34))
        steps.append(_step(rng, length))
        num_tokens -= length
    return (*steps, f"The answer is {rng.randint(2, 150)}.")


def _step(rng: random.Random, num_tokens: int) -> str:
    """A calculation and words around it; English and digits come to about 1.4 tokens a word here."""
    first, second = rng.randint(2, 60), rng.randint(2, 60)
    words = f"That makes {first} + {second} = {first + second} in all".split()
    while len(words) * 1.4 < num_tokens - 4:
        words.extend(rng.choice(_FILLERS).split())
    return " ".join(words[: max(9, round(num_tokens / 1.4))]) + "."
