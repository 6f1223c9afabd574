"""Families that read a chat: what is written, and where it is read."""

import pytest

from surefoot.domain import Message
from surefoot.errors import ProfileInvalid, UnsupportedMessages
from surefoot.profiles import ChatRendering, VerdictTurns, builtin_names, load_profile
from surefoot.rendering.fake_tokenizer import FakeTokenizer

CHAT_PROFILES = [name for name in builtin_names() if isinstance(load_profile(name).rendering, ChatRendering)]
QWEN_SYSTEM = "<|im_start|>system\nPlease reason step by step, and put your final answer within \\boxed{}.<|im_end|>\n"
USER = "<|im_start|>user\n2 + 3?<|im_end|>\n"
ASSISTANT = "<|im_start|>assistant\n"


@pytest.mark.parametrize("profile", CHAT_PROFILES)
def test_a_conversation_that_the_template_refuses_is_unsupported(render, profile) -> None:
    with pytest.raises(UnsupportedMessages):
        render(profile, context=(Message("user", "a"), Message("system", "b")))


@pytest.mark.parametrize("profile", CHAT_PROFILES)
def test_a_context_moves_the_readings_and_nothing_else(render, profile) -> None:
    context = (Message("user", "Hi"), Message("assistant", "Hello"))
    plain, longer = render(profile), render(profile, context=context)
    added = longer.input.num_tokens - plain.input.num_tokens
    assert [place - added for place in longer.input.readout_positions] == list(plain.input.readout_positions)


def test_verdict_turns_are_written_as_the_profile_says(render) -> None:
    turns = {"first_turn": "Problem: {problem}\n\nStep 1: {step}\nIs this step correct?", "verdict": "Yes"}
    spec = VerdictTurns(
        method="verdict_turns", system="Judge.", turn="Step {index}: {step}\nIs this step correct?", **turns
    )
    profile = load_profile("rlhflow-prm").model_copy(update={"rendering": spec})
    assert render(profile).text == (
        "<|im_start|>system\nJudge.<|im_end|>\n"
        "<|im_start|>user\nProblem: 2 + 3?\n\nStep 1: 2 + 3 = 5\nIs this step correct?<|im_end|>\n"
        "<|im_start|>assistant\nYes<|im_end|>\n"
        "<|im_start|>user\nStep 2: So it is 5.\nIs this step correct?<|im_end|>\n"
        "<|im_start|>assistant\nYes<|im_end|>\n"
    )


def test_verdict_turns_are_read_before_each_verdict(render) -> None:
    rendered = render("rlhflow-prm")
    for place, before in zip(rendered.input.readout_positions, rendered.before_each_reading, strict=True):
        assert before.endswith(ASSISTANT)
        assert rendered.input.token_ids[place + 1] == ord("+")


def test_a_final_verdict_is_read_where_the_answer_begins(render) -> None:
    rendered = render("embedded-orm")
    assert rendered.text == (
        "<|im_start|>system\nIs the solution right?<|im_end|>\n"
        f"<|im_start|>user\n2 + 3?\n2 + 3 = 5\nSo it is 5.<|im_end|>\n{ASSISTANT}"
    )
    assert rendered.before_each_reading == [rendered.text]


def test_a_written_final_verdict_is_read_before_it(render) -> None:
    rendered = render("rlhflow-orm")
    assert rendered.text == f"{rendered.before_each_reading[0]}+<|im_end|>\n"
    assert rendered.before_each_reading[0] == (
        f"<|im_start|>user\n2 + 3? 2 + 3 = 5\n\nSo it is 5.<|im_end|>\n{ASSISTANT}"
    )


def test_a_final_verdict_may_number_the_steps(render) -> None:
    assert "[Solution]\n\nStep 1: 2 + 3 = 5\nStep 2: So it is 5.\n\nReview" in render("thinkprm").text


def test_a_final_verdict_may_open_the_answer(render) -> None:
    rendered = render("thinkprm")
    assert rendered.text.endswith("<|im_start|>assistant\n\nLet's verify step by step:")
    assert rendered.before_each_reading == [rendered.text]


def test_a_chat_solution_is_the_conversation_read_at_its_end(render) -> None:
    rendered = render("sequence-classification")
    assert rendered.text == f"{USER}{ASSISTANT}2 + 3 = 5\nSo it is 5.<|im_end|>\n"
    assert rendered.before_each_reading == [rendered.text]


def test_a_profiles_system_message_comes_first(render) -> None:
    assert render("qwen2.5-math-rm").text.startswith(QWEN_SYSTEM + USER)


def test_a_chat_solution_may_be_read_at_an_appended_token(render) -> None:
    rendered = render("internlm2-reward")
    assert rendered.text.endswith("<|im_end|>\n[UNUSED_TOKEN_130]")
    assert rendered.before_each_reading == [rendered.text]


def test_a_chat_solution_may_end_with_its_turn(render) -> None:
    rendered = render("openrlhf")
    assert rendered.text.endswith("So it is 5.<|im_end|>")
    assert rendered.before_each_reading == [rendered.text]


def test_an_appended_token_that_is_missing_is_refused_by_name(render) -> None:
    with pytest.raises(ProfileInvalid, match=r"rendering\.append '\[UNUSED_TOKEN_130\]'") as raised:
        render("internlm2-reward", tokenizer=FakeTokenizer())
    assert raised.value.param == "rendering"


def test_a_tagged_chat_is_read_at_each_tag(render) -> None:
    first = f"{QWEN_SYSTEM}{USER}{ASSISTANT}2 + 3 = 5<extra_0>"
    assert render("qwen2.5-math-prm").before_each_reading == [first, f"{first}So it is 5.<extra_0>"]


def test_a_tagged_chat_closes_its_turn(render) -> None:
    assert render("qwen2.5-math-prm").text.endswith("So it is 5.<extra_0><|im_end|>\n")


def test_a_tag_that_is_missing_is_refused_by_name(render) -> None:
    with pytest.raises(ProfileInvalid, match=r"rendering\.tag '<extra_0>' is no control token"):
        render("qwen2.5-math-prm", tokenizer=FakeTokenizer())


def test_a_tag_that_text_can_spell_is_refused(render) -> None:
    with pytest.raises(ProfileInvalid, match="no control token"):
        render("qwen2.5-math-prm", tokenizer=FakeTokenizer(words=["<extra_0>"]))


def test_chat_steps_are_numbered_and_joined(render) -> None:
    assert render("implicit-prm").text == f"{USER}{ASSISTANT}Step 1: 2 + 3 = 5\n\nStep 2: So it is 5.<|im_end|>\n"


def test_chat_steps_are_read_at_each_steps_end(render) -> None:
    readings = render("implicit-prm").before_each_reading
    assert [before.removeprefix(USER + ASSISTANT) for before in readings] == [
        "Step 1: 2 + 3 = 5",
        "Step 1: 2 + 3 = 5\n\nStep 2: So it is 5.",
    ]


def test_chat_steps_know_where_the_solution_begins(render) -> None:
    rendered = render("implicit-prm")
    assert rendered.tokenizer.spelled(rendered.input.token_ids[: rendered.input.solution_start]) == USER + ASSISTANT


def test_eurus_reads_as_many_tokens_as_each_beginning_has(render) -> None:
    """The beginning ends in the turn's end and the joiner; the whole in the turn's end alone."""
    rendered = render("eurus-prm", steps=["a", "b", "c"], tokenizer=FakeTokenizer(words=["\n\n"]))
    beginnings = [f"{USER}{ASSISTANT}Step 1: a<|im_end|>\n\n", f"{USER}{ASSISTANT}Step 1: a\n\nStep 2: b<|im_end|>\n\n"]
    counts = [len(rendered.tokenizer.encode_markup(text)) for text in beginnings]
    whole = len(rendered.tokenizer.encode_markup(rendered.text.rstrip()))
    assert [place + 1 for place in rendered.input.readout_positions] == [*counts, whole]


def test_eurus_counts_what_merges_in_the_whole_alone(render) -> None:
    """`.` and the joiner are one token in the whole, and two in a beginning."""
    rendered = render("eurus-prm", steps=["a.", "b"], tokenizer=FakeTokenizer(words=["\n\n", ".\n\n"]))
    assert rendered.before_each_reading[0].endswith("Step 1: a.\n\nSt")


def test_eurus_sums_from_one_token_before_the_solution(render) -> None:
    eurus, plain = render("eurus-prm"), render("implicit-prm")
    assert eurus.input.solution_start == plain.input.solution_start - 1
