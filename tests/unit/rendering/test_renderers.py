"""One renderer per family: what is written, where it is read, and that user text cannot move the places."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.domain import Message, ScoreTask
from surefoot.errors import UnsupportedMessages
from surefoot.profiles import builtin_names, load_profile
from surefoot.profiles.schema import RenderingSpec
from surefoot.rendering import RENDERERS, build_renderer
from surefoot.rendering.fake_tokenizer import CONTROL_TOKENS, FIRST_CONTROL_ID, FakeTokenizer
from surefoot.rendering.renderers import fill
from surefoot.segmentation import join_steps

TOKENIZER = FakeTokenizer()
STEPS = ("2 + 3 = 5", "So it is 5.")
CHAT_PROFILES = ("embedded-prm", "embedded-orm", "sequence-classification")
PROCESS_PROFILES = ("embedded-prm", "trl-prm")

pieces = st.one_of(
    st.text(max_size=4), st.sampled_from((*CONTROL_TOKENS, "{problem}", "{step}", "{solution}", "\n", "Yes"))
)
hostile = st.lists(pieces, min_size=1).map("".join).filter(lambda text: bool(text.strip()))


def render(profile: str, problem: str = "2 + 3?", steps=STEPS, context=(), tokenizer=TOKENIZER):
    task = ScoreTask(problem, steps=tuple(steps), context=tuple(context))
    return build_renderer(load_profile(profile), tokenizer).render(task, join_steps(steps, "\n"))


def written(token_ids) -> str:
    """The text of tokens with control tokens spelled out."""
    return "".join(
        CONTROL_TOKENS[token - FIRST_CONTROL_ID] if token >= FIRST_CONTROL_ID else chr(token) for token in token_ids
    )


def test_every_rendering_method_has_a_renderer() -> None:
    specs = get_args(get_args(RenderingSpec)[0])
    assert set(RENDERERS) == {get_args(spec.model_fields["method"].annotation)[0] for spec in specs}


@pytest.mark.parametrize("profile", builtin_names())
def test_positions_are_ascending_and_inside(profile) -> None:
    rendered = render(profile)
    assert list(rendered.readout_positions) == sorted(set(rendered.readout_positions))
    assert 0 <= rendered.readout_positions[0] <= rendered.readout_positions[-1] < rendered.num_tokens


@pytest.mark.parametrize("profile", PROCESS_PROFILES)
@given(problem=hostile, steps=st.lists(hostile, min_size=1, max_size=4))
def test_a_process_model_is_read_once_a_step_whatever_the_text(profile, problem, steps) -> None:
    assert len(render(profile, problem, steps).readout_positions) == len(steps)


@pytest.mark.parametrize("profile", CHAT_PROFILES)
@given(problem=hostile, steps=st.lists(hostile, min_size=1, max_size=3))
def test_user_text_adds_no_control_token(profile, problem, steps) -> None:
    def count(rendered) -> int:
        return sum(token >= FIRST_CONTROL_ID for token in rendered.token_ids)

    assert count(render(profile, problem, steps)) == count(render(profile, "p", ["s"] * len(steps)))


@pytest.mark.parametrize("profile", PROCESS_PROFILES)
@given(steps=st.lists(hostile, min_size=2, max_size=4))
def test_later_steps_do_not_move_earlier_positions(profile, steps) -> None:
    whole, part = render(profile, "p", steps), render(profile, "p", steps[:-1])
    assert whole.readout_positions[:-1] == part.readout_positions
    assert whole.token_ids[: part.num_tokens] == part.token_ids


def test_verdict_turns_are_written_as_the_profile_says() -> None:
    rendered = render("embedded-prm")
    assert written(rendered.token_ids) == (
        "<|im_start|>system\nYou check solutions of math problems step by step. "
        "Answer Yes if the step is correct, No if it is not.<|im_end|>\n"
        "<|im_start|>user\nProblem: 2 + 3?\n\nStep 1: 2 + 3 = 5\nIs this step correct?<|im_end|>\n"
        "<|im_start|>assistant\nYes<|im_end|>\n"
        "<|im_start|>user\nStep 2: So it is 5.\nIs this step correct?<|im_end|>\n"
        "<|im_start|>assistant\nYes<|im_end|>\n"
    )


@pytest.mark.parametrize("step", [0, 1])
def test_verdict_turns_are_read_before_each_verdict(step) -> None:
    rendered = render("embedded-prm")
    next_place = rendered.readout_positions[step] + 1
    assert written(rendered.token_ids[:next_place]).endswith("<|im_start|>assistant\n")
    assert written(rendered.token_ids[next_place : next_place + 3]) == "Yes"


def test_a_context_does_not_shift_the_positions() -> None:
    context = (Message("user", "Hi"), Message("assistant", "Hello"))
    rendered = render("embedded-prm", context=context)
    for position in rendered.readout_positions:
        assert written(rendered.token_ids[: position + 1]).endswith(
            "Is this step correct?<|im_end|>\n<|im_start|>assistant\n"
        )


def test_a_final_verdict_is_read_where_the_answer_begins() -> None:
    rendered = render("embedded-orm")
    assert written(rendered.token_ids).endswith(
        "Solution: 2 + 3 = 5\nSo it is 5.\nIs this solution correct?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert rendered.readout_positions == (rendered.num_tokens - 1,)


def test_separated_steps_are_written_piece_by_piece() -> None:
    assert written(render("trl-prm").token_ids) == "<s>2 + 3?2 + 3 = 5\nSo it is 5.\n"


def test_separated_steps_are_read_at_their_separators() -> None:
    rendered = render("trl-prm")
    before = [written(rendered.token_ids[: position + 1]) for position in rendered.readout_positions]
    assert before == ["<s>2 + 3?2 + 3 = 5\n", "<s>2 + 3?2 + 3 = 5\nSo it is 5.\n"]


def test_a_separator_inside_a_step_is_not_read() -> None:
    assert len(render("trl-prm", steps=["a\nb\nc"]).readout_positions) == 1


def test_without_a_bos_there_is_none() -> None:
    assert written(render("trl-prm", tokenizer=FakeTokenizer(has_bos=False)).token_ids).startswith("2 + 3?")


def test_separated_steps_take_no_conversation() -> None:
    with pytest.raises(UnsupportedMessages):
        render("trl-prm", context=(Message("user", "Hi"),))


def test_a_chat_solution_is_the_conversation_read_at_its_end() -> None:
    rendered = render("sequence-classification")
    assert written(rendered.token_ids) == (
        "<|im_start|>user\n2 + 3?<|im_end|>\n<|im_start|>assistant\n2 + 3 = 5\nSo it is 5.<|im_end|>\n"
    )
    assert rendered.readout_positions == (rendered.num_tokens - 1,)


@pytest.mark.parametrize("profile", CHAT_PROFILES)
def test_a_refused_conversation_is_unsupported(profile) -> None:
    with pytest.raises(UnsupportedMessages):
        render(profile, context=(Message("user", "a"), Message("system", "b")))


def test_fields_inside_values_stay_text() -> None:
    assert fill("{problem} {step}", {"problem": "{step}", "step": "{problem}"}) == "{step} {problem}"


def test_other_braces_stay_text() -> None:
    assert fill(r"\frac{1}{2} {step}", {"step": "x"}) == r"\frac{1}{2} x"
