"""What training starts from: a base model with the renderer, the head and the prompts that serve it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from surefoot.domain import Message, RenderedInput, ScoreTask
from surefoot.errors import CheckpointDamaged, EmptyProblem, InputTooLong, NotTrainable
from surefoot.ports import Tokenizer
from surefoot.profiles import Profile
from surefoot.rendering import build_renderer
from surefoot.sampling.policy_adapter import preface_facts
from surefoot.sampling.prompt import PromptEncoder
from surefoot.segmentation import join_steps
from surefoot.settings import GeneratorSettings, ModelSettings, Settings
from surefoot.training.examples import (
    Example,
    Render,
    columns_of,
    generator_example,
    outcome_example,
    process_example,
    solution_start,
    with_words,
)
from surefoot.training.labelled_row import LabelledRow
from surefoot.wiring.engines import load_for_scoring
from surefoot.wiring.generators import preface
from surefoot.wiring.heads import build_head

if TYPE_CHECKING:
    import torch

    from surefoot.modeling.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class TrainingBase:
    """A base model, its head, and how a row becomes an example for it.

    There is no profile for a generator; `facts` are what its adapter is to say of how it was prompted.
    """

    checkpoint: Checkpoint
    head: torch.nn.Module
    profile: Profile | None
    base_id: str
    example: Callable[[LabelledRow], Example]
    facts: Mapping[str, object] = field(default_factory=dict)


def open_reward_base(
    model: ModelSettings,
    profile: Profile,
    settings: Settings,
    *,
    every_token: bool = False,
    tail_tokens: int = 1,
    words: bool = False,
) -> TrainingBase:
    """The base of a process or outcome model, written and read as the profile says.

    `every_token` is for outcome models, `tail_tokens` for process models: which tokens are targets. With `words` right
    steps are learned to be written too.

    Raises `NotTrainable` before anything is loaded, or a `StartupError`.
    """
    from surefoot.modeling.base_id import base_id

    columns_of(profile)
    if words and profile.readout.architecture != "causal_lm":
        raise NotTrainable(
            f"profile {profile.name!r} has no output layer that could learn to write: --words-weight 0",
            param="words_weight",
        )
    checkpoint, tokenizer = load_for_scoring(model.path, model, profile.readout.architecture, settings)
    limits = (settings.max_input_tokens, checkpoint.max_positions, profile.max_input_tokens or checkpoint.max_positions)
    render = served_render(profile, tokenizer, min(limits))

    def example(row: LabelledRow) -> Example:
        if profile.kind == "process":
            found = process_example(row, render, profile, tail_tokens=tail_tokens)
        else:
            found = outcome_example(row, render, profile, every_token=every_token)
        return with_words(found, solution_start(row, found.rendered, render)) if words else found

    head = build_head(profile, checkpoint, tokenizer)
    found = base_id(checkpoint.path, cache=settings.cache, allow=checkpoint.allow)
    return TrainingBase(checkpoint, head, profile, found, example)


def open_generator_base(model: ModelSettings, wanted: GeneratorSettings, settings: Settings) -> TrainingBase:
    """The base of a generator, prompted as the generator of the settings will be once it has an adapter.

    Raises a `StartupError`.
    """
    from surefoot.modeling.base_id import base_id
    from surefoot.modeling.heads import vocabulary_head

    checkpoint, tokenizer = load_for_scoring(model.path, model, "causal_lm", settings)
    if not tokenizer.eos_token_ids:
        raise CheckpointDamaged("the tokenizer has no end token, with which a solution could end", param="path")
    most_tokens = min(settings.max_input_tokens, checkpoint.max_positions)
    prompts, turns = PromptEncoder(tokenizer, most_tokens), preface(wanted.as_trained())

    def example(row: LabelledRow) -> Example:
        found = generator_example(
            row,
            lambda problem: prompts.encode([*turns, Message("user", problem)]),
            tokenizer.encode_text,
            tokenizer.eos_token_ids[0],
        )
        if found.rendered.num_tokens > most_tokens:
            raise InputTooLong(found.rendered.num_tokens, most_tokens)
        return found

    found = base_id(checkpoint.path, cache=settings.cache, allow=checkpoint.allow)
    return TrainingBase(checkpoint, vocabulary_head(checkpoint.model), None, found, example, preface_facts(turns))


def served_render(profile: Profile, tokenizer: Tokenizer, max_input_tokens: int) -> Render:
    """How the service writes tasks with given steps, and what it refuses. Raises `ProfileInvalid`."""
    renderer = build_renderer(profile, tokenizer)

    def render(task: ScoreTask) -> RenderedInput:
        if not task.problem.strip():
            raise EmptyProblem("problem is empty: give the question that the solution answers", param="problem")
        rendered = renderer.render(task, join_steps(task.steps or (), profile.splitting.separator))
        if rendered.num_tokens > max_input_tokens:
            raise InputTooLong(rendered.num_tokens, max_input_tokens)
        return rendered

    return render
