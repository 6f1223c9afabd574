"""Judgements about plain text, made of the problems themselves: word order, and whether a question fits its story."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from surefoot.experiments.weak_to_strong.items import Item, judged_row

ORDER_QUESTION = "Are the words in their right order?"
FIT_QUESTION = "Does the question belong to the story?"

_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")
_FEWEST_WORDS, _MOST_WORDS = 8, 22
_MOST_STORY_WORDS = 45


def sentences_of(text: str) -> list[str]:
    """Cut behind full stops, question and exclamation marks."""
    return [part for part in _SENTENCE_END.split(text.strip()) if part]


def word_order_items(problems: Sequence[tuple[str, str]], seed: int) -> Iterator[Item]:
    """One sentence of each problem, as it is or with two neighbouring words in each other's place.

    `problems` are pairs of a group and a text. The first word and the last stay where they are, because their capital
    and their full stop would tell.
    """
    for group, text in problems:
        rng = random.Random(f"{seed}/word order/{text}")  # noqa: S311  no secret
        choices = [part for part in sentences_of(text) if _FEWEST_WORDS <= len(part.split()) <= _MOST_WORDS]
        if not choices:
            continue
        words = rng.choice(choices).split()
        label = rng.random() < 0.5
        if not label:
            places = [place for place in range(1, len(words) - 2) if words[place].lower() != words[place + 1].lower()]
            if not places:
                continue
            place = rng.choice(places)
            words[place], words[place + 1] = words[place + 1], words[place]
        yield Item(f"{group}/order", group, (judged_row(ORDER_QUESTION, [" ".join(words)], label),), label)


def question_fit_items(problems: Sequence[tuple[str, str]], seed: int) -> Iterator[Item]:
    """Each short problem, half of them as they are and half with the question of another one.

    The questions come from problems that are not judged as they are, each once, so that every story and every question
    stands in one item alone.
    """
    told = [(group, sentences_of(text)) for group, text in problems]
    usable = [
        (group, parts)
        for group, parts in told
        if len(parts) >= 2 and parts[-1].endswith("?") and len(" ".join(parts).split()) <= _MOST_STORY_WORDS
    ]
    rng = random.Random(f"{seed}/question fit")  # noqa: S311  no secret
    rng.shuffle(usable)
    half = len(usable) // 2
    for group, parts in usable[:half]:
        yield _fit(group, parts[:-1], parts[-1], label=True)
    others = usable[half:]
    for place, (group, parts) in enumerate(others):
        other_group, other = others[place - 1]
        if other_group != group:
            yield _fit(group, parts[:-1], other[-1], label=False)


def _fit(group: str, story: Sequence[str], question: str, *, label: bool) -> Item:
    text = " ".join((*story, question))
    return Item(f"{group}/fit", group, (judged_row(FIT_QUESTION, [text], label),), label)
