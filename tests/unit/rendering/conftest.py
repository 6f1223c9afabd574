"""Rendering with the shipped fake tokenizer, whose vocabulary is made for each profile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from surefoot.domain import Message, RenderedInput, ScoreTask
from surefoot.profiles import Profile, load_profile
from surefoot.rendering import build_renderer
from surefoot.rendering.fake_tokenizer import FIRST_CONTROL_ID, FIRST_WORD_ID, FakeTokenizer
from surefoot.segmentation import join_steps

STEPS = ("2 + 3 = 5", "So it is 5.")


@dataclass(frozen=True)
class Rendered:
    """An input and the tokenizer that wrote it."""

    input: RenderedInput
    tokenizer: FakeTokenizer

    @property
    def text(self) -> str:
        """Everything, control tokens spelled out."""
        return self.tokenizer.spelled(self.input.token_ids)

    @property
    def before_each_reading(self) -> list[str]:
        """The text up to each place that is read, its token included."""
        return [self.tokenizer.spelled(self.input.token_ids[: place + 1]) for place in self.input.readout_positions]

    @property
    def num_control_tokens(self) -> int:
        return sum(FIRST_CONTROL_ID <= token < FIRST_WORD_ID for token in self.input.token_ids)


@pytest.fixture(scope="session")
def render() -> Callable[..., Rendered]:
    """Renders steps as a profile, given or named, says: `render("trl-prm", steps=["a", "b"])`."""

    def render_steps(
        profile: str | Profile,
        problem: str = "2 + 3?",
        steps: Sequence[str] = STEPS,
        context: Sequence[Message] = (),
        tokenizer: FakeTokenizer | None = None,
    ) -> Rendered:
        found = load_profile(profile) if isinstance(profile, str) else profile
        chosen = tokenizer or FakeTokenizer.for_profile(found)
        task = ScoreTask(problem, steps=tuple(steps), context=tuple(context))
        solution = join_steps(steps, found.splitting.separator)
        return Rendered(build_renderer(found, chosen).render(task, solution), chosen)

    return render_steps


@pytest.fixture(scope="session")
def with_rendering() -> Callable[..., Profile]:
    """A built-in profile with some fields of its rendering changed."""

    def change(name: str, /, **fields: object) -> Profile:
        profile = load_profile(name)
        return profile.model_copy(update={"rendering": profile.rendering.model_copy(update=fields)})

    return change
