import pytest

from surefoot_client.trainers.conversations import completion_text, item_of

USER = {"role": "user", "content": "2 + 3?"}


def assistant(content):
    return {"role": "assistant", "content": content}


def test_more_turns_are_sent_as_a_conversation_without_the_system() -> None:
    prompt = [{"role": "system", "content": "Think."}, USER, assistant("6"), {"role": "user", "content": "Sure?"}]
    assert item_of(prompt, [assistant("5")]) == {"messages": [*prompt[1:], assistant("5")]}


def test_parts_of_text_are_one_text() -> None:
    prompt = [{"role": "user", "content": [{"type": "text", "text": "2 "}, {"type": "text", "text": "+ 3?"}]}]
    assert item_of(prompt, "5") == {"problem": "2 + 3?", "solution": "5"}


def test_an_image_is_refused() -> None:
    with pytest.raises(TypeError, match="every part of a message must be text"):
        item_of([{"role": "user", "content": [{"type": "image"}]}], "5")


def test_a_prompt_without_a_user_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a user turn"):
        item_of([{"role": "system", "content": "Think."}], "5")


def test_turns_of_tools_are_not_what_the_policy_wrote() -> None:
    turns = [assistant("I compute."), {"role": "tool", "content": "5"}, assistant("So 5.")]
    assert completion_text(turns) == "I compute.\n\nSo 5."


def test_a_turn_that_only_calls_a_tool_is_empty() -> None:
    assert completion_text([assistant(None)]) == ""


@pytest.mark.parametrize(
    "prompt", ["<|im_start|>user\n2 + 3?<|im_end|>", "<s>[INST] 2 + 3? [/INST]", "<start_of_turn>user"]
)
def test_a_text_that_a_template_rendered_is_refused(prompt) -> None:
    with pytest.raises(ValueError, match="rendered with a chat template: name the column"):
        item_of(prompt, "5")


def test_a_problem_beside_it_is_taken() -> None:
    assert item_of("<|im_start|>user", "5", "2 + 3?") == {"problem": "2 + 3?", "solution": "5"}
