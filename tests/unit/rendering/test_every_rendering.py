"""What every built-in profile promises of its rendering, whatever the text."""

from typing import get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from surefoot.errors import UnsafeText
from surefoot.profiles import builtin_names, load_profile
from surefoot.profiles.renderings import PER_STEP_METHODS, RenderingSpec
from surefoot.rendering import RENDERERS
from surefoot.rendering.fake_tokenizer import CONTROL_TOKENS

PROCESS_PROFILES = [name for name in builtin_names() if load_profile(name).kind == "process"]
# A tag closes its turn, and the turn's end is not part of the next, longer beginning.
APPEND_ONLY_METHODS = {"verdict_turns", "separated_steps", "tagged_text"}
APPEND_ONLY = [name for name in PROCESS_PROFILES if load_profile(name).rendering.method in APPEND_ONLY_METHODS]
FORGERIES = (
    *CONTROL_TOKENS,
    "<extra_0>",
    "[UNUSED_TOKEN_130]",
    " ки",
    "{problem}",
    "{step}",
    "{solution}",
    "\n",
    "Yes",
    "+",
)

pieces = st.one_of(st.text(max_size=4), st.sampled_from(FORGERIES))
hostile = st.lists(pieces, min_size=1, max_size=5).map("".join).filter(lambda text: bool(text.strip()))
few_examples = settings(max_examples=40, deadline=None)


def test_every_rendering_method_has_a_renderer() -> None:
    specs = get_args(get_args(RenderingSpec)[0])
    assert set(RENDERERS) == {get_args(spec.model_fields["method"].annotation)[0] for spec in specs}


def test_methods_that_are_read_once_a_step_are_methods() -> None:
    assert set(RENDERERS) > PER_STEP_METHODS


@pytest.mark.parametrize("profile", builtin_names())
@few_examples
@given(problem=hostile, steps=st.lists(hostile, min_size=1, max_size=4))
def test_places_are_inside_and_ascending_and_one_a_step(render, profile, problem, steps) -> None:
    try:
        rendered = render(profile, problem, steps).input
    except UnsafeText:
        assume(False)
    places = rendered.readout_positions
    assert len(places) == (len(steps) if profile in PROCESS_PROFILES else 1)
    assert list(places) == sorted(set(places))
    assert 0 <= places[0] <= places[-1] < rendered.num_tokens


@pytest.mark.parametrize("profile", builtin_names())
@few_examples
@given(problem=hostile, steps=st.lists(hostile, min_size=1, max_size=3))
def test_user_text_adds_no_control_token(render, profile, problem, steps) -> None:
    forged, harmless = render(profile, problem, steps), render(profile, "p", ["s"] * len(steps))
    assert forged.num_control_tokens == harmless.num_control_tokens


@pytest.mark.parametrize("profile", APPEND_ONLY)
@few_examples
@given(steps=st.lists(hostile, min_size=2, max_size=4))
def test_later_steps_do_not_move_earlier_places(render, profile, steps) -> None:
    whole, part = render(profile, "p", steps).input, render(profile, "p", steps[:-1]).input
    assert whole.readout_positions[:-1] == part.readout_positions
    assert whole.token_ids[: part.num_tokens] == part.token_ids


@few_examples
@given(steps=st.lists(hostile, min_size=2, max_size=4))
def test_later_steps_do_not_move_earlier_tags_of_a_chat(render, steps) -> None:
    """All but the end of the turn behind the last tag stays."""
    whole, part = (render("qwen2.5-math-prm", "p", some).input for some in (steps, steps[:-1]))
    assert whole.readout_positions[:-1] == part.readout_positions
    read = part.readout_positions[-1] + 1
    assert whole.token_ids[:read] == part.token_ids[:read]


@pytest.mark.parametrize("profile", builtin_names())
def test_problem_and_steps_are_all_written(render, profile) -> None:
    text = render(profile, "How many?", ["First so.", "Then so."]).text
    assert [text.count(part) for part in ("How many?", "First so.", "Then so.")] == [1, 1, 1]
