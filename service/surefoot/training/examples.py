"""Labelled rows to what is trained on: tokens, the places where values are read, and what should be read there.

Places and tokens are those of the served renderer, columns those of the served readout, so that what is trained is
what is served.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal

from surefoot.domain import RenderedInput, ScoreTask
from surefoot.errors import NotTrainable
from surefoot.profiles import Profile, StepClass, TokenClassification, TokenContrast
from surefoot.training.labelled_row import Label, LabelledRow

Render = Callable[[ScoreTask], RenderedInput]
"""How the service writes a task. Raises an `ItemError` for one that cannot be served."""

Answers = Literal["correct", "wrong", "any"]
"""Which solutions a generator learns its format from, by their final answers."""

Target = tuple[float, ...] | int
"""A probability for each column of the readout, or the id of a token."""

FINAL_SHARE = 0.5
"""Where several tokens have one target: the weight of the one that is read when it is served. The others share the
rest, however many they are."""

_ANOTHER_SOLUTION = ("\u2205",)


@dataclass(frozen=True, slots=True)
class Example:
    """An input and what should be read in it.

    `targets[i]` and `weights[i]` belong to `positions[i]`. `is_right` has one entry for each of the rendered input's
    readout positions, `None` where nobody said; it is empty where nothing is judged. `word_positions` are those whose
    next token is learned beside, of a solution that is right so far.
    """

    rendered: RenderedInput
    positions: tuple[int, ...]
    targets: tuple[Target, ...]
    weights: tuple[float, ...]
    is_right: tuple[bool | None, ...] = ()
    word_positions: tuple[int, ...] = ()


def columns_of(profile: Profile) -> tuple[StepClass, ...]:
    """The class that each raw value of the profile's readout stands for. Raises `NotTrainable`."""
    match profile.readout:
        case TokenContrast(normalise="pair", classes=classes) | TokenClassification(classes=classes):
            return classes
    raise NotTrainable(
        f"profile {profile.name!r} reads {profile.readout.method}: what can be trained is a token_contrast that is "
        "normalised over its words, or a token_classification",
        param="profile",
    )


def process_example(row: LabelledRow, render: Render, profile: Profile, *, tail_tokens: int = 1) -> Example:
    """A target after each labelled step up to the first error, where supervision stops (arXiv 2305.20050).

    The last `tail_tokens` tokens of a step share its target, so that an error is told nearer to where it was made; half
    of the weight is the last one's, which is read when it is served. Soft labels, where the row has some, are the
    targets; a step that no rollout could save is an error too. A neutral step is one of a class of its own where the
    readout has one, else right or wrong as the profile counts it. Raises `ValueError` for a row without a target, or an
    `ItemError`.
    """
    columns = columns_of(profile)
    neutral_is_right = getattr(profile.readout, "neutral_is_positive", True)
    soft = row.soft_labels or (None,) * len(row.labels)
    rendered = render(ScoreTask(row.problem, steps=row.steps))
    places: list[int] = []
    targets: list[tuple[float, ...]] = []
    weights: list[float] = []
    starts = (solution_start(row, rendered, render), *(place + 1 for place in rendered.readout_positions))
    for start, position, label, chance in zip(starts, rendered.readout_positions, row.labels, soft, strict=False):
        if chance is not None:
            target = _distribution(chance, columns)
        elif label is not None:
            target = _class_target(label, columns, neutral_is_right=neutral_is_right)
        else:
            continue
        tail = range(max(start, position - tail_tokens + 1), position)
        places += [*tail, position]
        weights += _shared_weights(len(tail))
        targets += [target] * (len(tail) + 1)
        if chance == 0 or (chance is None and label == -1):
            break
    if not places:
        raise ValueError("labels say nothing of any step")
    is_right = tuple(_is_right(label, neutral_is_right=neutral_is_right) for label in row.labels)
    return Example(rendered, tuple(places), tuple(targets), tuple(weights), is_right)


def outcome_example(row: LabelledRow, render: Render, profile: Profile, *, every_token: bool) -> Example:
    """Whether the solution is right, read at the end and, where wanted, at every token of the solution too.

    Raises `ValueError` for a row that does not say so, or an `ItemError`.
    """
    correct = outcome_of(row)
    if correct is None:
        raise ValueError("is_correct must be true or false, or the labels must reach to an error or to the end")
    rendered = render(ScoreTask(row.problem, steps=row.steps))
    (final,) = rendered.readout_positions
    others: Sequence[int] = ()
    if every_token:
        others = range(solution_start(row, rendered, render), final)
    target = _distribution(float(correct), columns_of(profile))
    weights = _shared_weights(len(others))
    return Example(rendered, (*others, final), (target,) * len(weights), weights, (correct,))


def generator_example(
    row: LabelledRow,
    encode_prompt: Callable[[str], tuple[int, ...]],
    encode_text: Callable[[str], Sequence[int]],
    end: int,
) -> Example:
    """The solution to be written after its prompt, one step a line, up to the token `end` that ends it.

    Raises an `ItemError` for a text that cannot be encoded.
    """
    prompt = encode_prompt(row.problem)
    lines = (" ".join(step.split()) for step in row.steps)
    answer = (*encode_text("\n".join(line for line in lines if line)), end)
    # The token at t is predicted at t - 1.
    positions = tuple(range(len(prompt) - 1, len(prompt) + len(answer) - 1))
    rendered = RenderedInput((*prompt, *answer), (), solution_start=len(prompt))
    return Example(rendered, positions, answer, (1.0,) * len(answer))


def with_words(example: Example, start: int) -> Example:
    """The same that learns to write the solution too, from its token `start` to its last right step (arXiv 2110.14168,
    where a verifier that keeps its language model's objective is the better one)."""
    right = takewhile(
        lambda pair: pair[1] is True, zip(example.rendered.readout_positions, example.is_right, strict=True)
    )
    end = max((position for position, _ in right), default=0)
    return replace(example, word_positions=tuple(range(max(start, 1) - 1, end)))


def up_to_last_target(example: Example) -> Example:
    """The same without the tokens behind the last target, which a causal model need not read to learn from it."""
    length = example.positions[-1] + 1
    kept = tuple(position for position in example.rendered.readout_positions if position < length)
    rendered = replace(example.rendered, token_ids=example.rendered.token_ids[:length], readout_positions=kept)
    return replace(example, rendered=rendered, is_right=example.is_right[: len(kept)])


def outcome_of(row: LabelledRow) -> bool | None:
    """Whether the solution is right: by its final answer, else by its steps; `None` where neither is known."""
    if row.is_correct is not None:
        return row.is_correct
    return row.first_error is None if row.is_judged else None


def is_wanted(row: LabelledRow, answers: Answers) -> bool:
    """Whether a generator learns from this row."""
    return answers == "any" or outcome_of(row) is (answers == "correct")


def solution_start(row: LabelledRow, rendered: RenderedInput, render: Render) -> int:
    """The place of the solution's first token: where the same problem with another solution begins to differ."""
    other = render(ScoreTask(row.problem, steps=_ANOTHER_SOLUTION))
    shared = takewhile(lambda pair: pair[0] == pair[1], zip(rendered.token_ids, other.token_ids, strict=False))
    return sum(1 for _ in shared)


def _shared_weights(num_others: int) -> tuple[float, ...]:
    """Of the tokens of one target, the last of which is read when it is served."""
    if not num_others:
        return (1.0,)
    return (*((1 - FINAL_SHARE) / num_others for _ in range(num_others)), FINAL_SHARE)


def _class_target(label: Label, columns: Sequence[StepClass], *, neutral_is_right: bool) -> tuple[float, ...]:
    if label == 0 and "neutral" in columns:
        return tuple(float(name == "neutral") for name in columns)
    return _distribution(float(label == 1 or (label == 0 and neutral_is_right)), columns)


def _distribution(right: float, columns: Sequence[StepClass]) -> tuple[float, ...]:
    chances = {"positive": right, "neutral": 0.0, "negative": 1.0 - right}
    return tuple(chances[name] for name in columns)


def _is_right(label: Label | None, *, neutral_is_right: bool) -> bool | None:
    return None if label is None else label == 1 or (label == 0 and neutral_is_right)
