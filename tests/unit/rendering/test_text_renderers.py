"""Families that read plain text: what is written, and where it is read."""

import pytest

from surefoot.domain import Message, ScoreTask
from surefoot.errors import ProfileInvalid, UnsafeText, UnsupportedMessages
from surefoot.profiles import ChatRendering, builtin_names, load_profile
from surefoot.rendering import build_renderer
from surefoot.rendering.fake_tokenizer import FakeTokenizer
from surefoot.segmentation import split_solution

TEXT_PROFILES = [name for name in builtin_names() if not isinstance(load_profile(name).rendering, ChatRendering)]
WITHOUT_TURNS = [name for name in TEXT_PROFILES if not getattr(load_profile(name).rendering, "earlier_turn", None)]


def test_earlier_turns_are_written_as_the_profile_says(render) -> None:
    context = (Message("system", "Be kind."), Message("user", "Hi"))
    assert render("embedded-prm", context=context).text == "<s>Be kind.\nHi\n2 + 3?\n2 + 3 = 5\nSo it is 5.\n"


@pytest.mark.parametrize("profile", WITHOUT_TURNS)
def test_plain_text_takes_no_conversation(render, profile) -> None:
    with pytest.raises(UnsupportedMessages):
        render(profile, context=(Message("user", "Hi"),))


def test_separated_steps_are_read_at_their_separators(render) -> None:
    assert render("trl-prm").before_each_reading == ["<s>2 + 3?2 + 3 = 5\n", "<s>2 + 3?2 + 3 = 5\nSo it is 5.\n"]


def test_a_separator_inside_a_step_is_not_read(render) -> None:
    assert len(render("trl-prm", steps=["a\nb\nc"]).input.readout_positions) == 1


def test_pieces_are_tokenised_alone(render) -> None:
    """A word across the end of a step and its separator would be one token of the whole text."""
    rendered = render("trl-prm", steps=["a."], tokenizer=FakeTokenizer(words=[".\n"]))
    assert rendered.input.num_tokens == len("a.\n") + len("2 + 3?") + 1


@pytest.mark.parametrize("profile", ["trl-prm", "math-shepherd"])
def test_without_a_bos_there_is_none(render, profile) -> None:
    tokenizer = FakeTokenizer(has_bos=False, words=[" ки"])
    assert render(profile, tokenizer=tokenizer).text.startswith("2 + 3?")


def test_a_profile_may_go_without_a_bos(render) -> None:
    assert render("pure-prm").text == "2 + 3?2 + 3 = 5\n\nSo it is 5.\n\n"


def test_a_prompt_may_end_in_a_line(render) -> None:
    assert render("skywork-o1-open-prm").text == "<s>2 + 3?\n2 + 3 = 5\nSo it is 5.\n"


def test_blank_lines_are_separators_that_are_not_read() -> None:
    profile = load_profile("skywork-o1-open-prm")
    tokenizer, text = FakeTokenizer(), "a\n\n\nb\nc"
    renderer = build_renderer(profile, tokenizer)
    rendered = renderer.render(ScoreTask("p", solution=text), split_solution(text, profile.splitting.method))
    before = [tokenizer.spelled(rendered.token_ids[: place + 1]) for place in rendered.readout_positions]
    assert before == ["<s>p\na\n", "<s>p\na\n\n\nb\n", "<s>p\na\n\n\nb\nc\n"]


def test_without_a_separator_a_steps_last_token_is_read(render) -> None:
    prompt = "<s>Question:\n2 + 3?\nAnswer:\nLet's think step by step.\n"
    assert render("reasoneval-34b").before_each_reading == [f"{prompt}2 + 3 = 5", f"{prompt}2 + 3 = 5So it is 5."]


def test_a_reading_may_be_one_token_earlier(render) -> None:
    earlier = [place - 1 for place in render("reasoneval-34b").input.readout_positions]
    assert list(render("reasoneval-7b").input.readout_positions) == earlier


def test_tagged_text_is_read_at_each_tag(render) -> None:
    first = "<s>2 + 3? Step 1: 2 + 3 = 5 ки"
    assert render("math-shepherd").before_each_reading == [first, f"{first}\nStep 2: So it is 5. ки"]


def test_the_next_step_may_follow_its_tag_at_once(render) -> None:
    assert render("er-prm").text == "<s>2 + 3? Step 1: 2 + 3 = 5 киStep 2: So it is 5. ки"


def test_a_tag_inside_a_step_is_not_read(render) -> None:
    rendered = render("math-shepherd", steps=["a ки b", "c"])
    assert [before[-4:] for before in rendered.before_each_reading] == ["b ки", "c ки"]


def test_a_tag_of_several_tokens_is_refused_with_their_number(render) -> None:
    with pytest.raises(ProfileInvalid, match=r"rendering\.tag ' ки' is 3 tokens") as raised:
        render("math-shepherd", tokenizer=FakeTokenizer())
    assert raised.value.param == "rendering"


def test_a_tag_that_merges_with_the_next_step_is_refused(render) -> None:
    with pytest.raises(ProfileInvalid, match=r"rendering\.tag ' ки' is another token in front of a step"):
        render("er-prm", tokenizer=FakeTokenizer(words=[" ки", " киStep"]))


def test_a_step_that_swallows_its_tag_is_refused_by_its_number(render) -> None:
    tokenizer = FakeTokenizer(words=[" ки", "y ки"])
    with pytest.raises(UnsafeText, match="the end of step 1 merges"):
        render("math-shepherd", steps=["a", "y"], tokenizer=tokenizer)


def test_a_tag_may_be_several_tokens_where_the_profile_allows_it(render, with_rendering) -> None:
    rendered = render(with_rendering("math-shepherd", tag_is_one_token=False), tokenizer=FakeTokenizer())
    assert [before[-4:] for before in rendered.before_each_reading] == ["5 ки", ". ки"]
