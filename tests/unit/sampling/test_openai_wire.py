"""What is sent to an OpenAI-compatible server, and what is taken from its answers."""

import copy
from dataclasses import replace
from typing import Any, get_args

import pytest

from surefoot.domain import Message, Prompt, SamplingOptions
from surefoot.errors import SamplerUnavailable
from surefoot.sampling.openai_wire import (
    DIALECTS,
    Offer,
    RemoteApi,
    candidate_of,
    plain_text,
    read_drawn,
    read_model_names,
    read_tokens,
    request_body,
    tokenize_bodies,
)
from surefoot.sampling.seeds import candidate_seed

PROMPT = Prompt((Message("system", "Be brief."), Message("user", "2 + 3?")))
BEGUN = replace(PROMPT, beginning="It is")
BEGINNING_ALONE = {"model": "m", "prompt": "It is", "add_special_tokens": False}
APIS = get_args(RemoteApi)
ANSWERS: dict[str, dict[str, Any]] = {
    "completions": {
        "choices": [
            {"text": "5.", "finish_reason": "stop", "token_ids": [7, 8], "logprobs": {"token_logprobs": [-0.5, -0.25]}}
        ],
        "usage": {"completion_tokens": 2},
    },
    "chat": {
        "choices": [
            {
                "message": {"content": "5."},
                "finish_reason": "stop",
                "token_ids": [7, 8],
                "logprobs": {"content": [{"logprob": -0.5}, {"logprob": -0.25}]},
            }
        ],
        "usage": {"completion_tokens": 2},
    },
}


def body(api: RemoteApi = "chat", index: int = 0, prompt: Prompt = PROMPT, offer: Offer | None = None, **options: Any):
    return request_body(api, "m", prompt, SamplingOptions(**options), index, offer or Offer())


def answer(api: str, **choice: Any) -> dict[str, Any]:
    """An answer with parts of its choice replaced."""
    changed = copy.deepcopy(ANSWERS[api])
    changed["choices"][0] |= choice
    return changed


def test_every_api_has_a_dialect() -> None:
    assert set(DIALECTS) == set(APIS)


def test_chat_sends_the_messages() -> None:
    assert body()["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "2 + 3?"},
    ]


def test_completions_sends_token_ids_where_they_are_known() -> None:
    assert body("completions", prompt=Prompt(PROMPT.messages, (1, 2, 3)))["prompt"] == [1, 2, 3]


def test_chat_has_the_assistants_beginning_continued() -> None:
    sent = body(prompt=BEGUN, offer=Offer(extensions=True))
    assert sent["messages"][-1] == {"role": "assistant", "content": "It is"}
    assert (sent["add_generation_prompt"], sent["continue_final_message"]) == (False, True)


def test_a_chat_without_a_beginning_says_nothing_of_one() -> None:
    assert not {"add_generation_prompt", "continue_final_message"} & set(body(offer=Offer(extensions=True)))


@pytest.mark.parametrize("api", APIS)
def test_a_conversation_is_tokenised_up_to_where_the_assistant_begins(api) -> None:
    [asked] = tokenize_bodies(api, "m", PROMPT)
    assert asked == {"model": "m", "messages": body()["messages"], "add_generation_prompt": True}


def test_a_chats_beginning_is_tokenised_as_it_is_sent() -> None:
    [asked] = tokenize_bodies("chat", "m", BEGUN)
    assert asked.items() <= body(prompt=BEGUN).items()


def test_the_beginning_of_completions_is_tokenised_behind_the_conversation() -> None:
    asked = tokenize_bodies("completions", "m", BEGUN)
    assert asked == [*tokenize_bodies("completions", "m", PROMPT), BEGINNING_ALONE]


def test_completions_sends_text_where_they_are_not() -> None:
    assert body("completions")["prompt"] == "Be brief.\n\n2 + 3?\n\n"


def test_plain_text_keeps_the_turns_in_order() -> None:
    assert plain_text((Message("user", "a"), Message("assistant", "b"))) == "a\n\nb\n\n"


@pytest.mark.parametrize("api", APIS)
def test_one_request_asks_for_one_candidate(api) -> None:
    assert (body(api, n=5)["n"], body(api, n=5)["stream"]) == (1, False)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [("temperature", 0.3, 0.3), ("top_p", 0.7, 0.7), ("max_tokens", 9, 9), ("stop", ("a", "b"), ["a", "b"])],
)
def test_options_are_sent(api, name: str, value: object, sent: object) -> None:
    assert body(api, **{name: value})[name] == sent


@pytest.mark.parametrize("absent", ["stop", "seed"])
def test_what_was_not_asked_is_not_sent(absent: str) -> None:
    assert absent not in body()


@pytest.mark.parametrize("index", [0, 3])
def test_each_candidate_has_its_own_seed(index: int) -> None:
    assert body(index=index, seed=11)["seed"] == candidate_seed(11, index)


@pytest.mark.parametrize(("api", "sent"), [("chat", True), ("completions", 1)])
def test_logprobs_are_always_asked_for(api, sent: object) -> None:
    assert body(api, logprobs=False)["logprobs"] is sent or body(api, logprobs=False)["logprobs"] == sent


@pytest.mark.parametrize("api", APIS)
def test_logprobs_are_not_asked_of_a_server_without(api) -> None:
    assert "logprobs" not in body(api, offer=Offer(logprobs=False), logprobs=True)


def test_a_plain_server_is_sent_no_extensions() -> None:
    sent = body(top_k=5)
    assert not {"top_k", "min_p", "repetition_penalty", "return_token_ids"} & set(sent)


def test_extensions_ask_for_token_ids() -> None:
    assert body(offer=Offer(extensions=True))["return_token_ids"] is True


@pytest.mark.parametrize(("wanted", "sent"), [(5, 5), (None, -1)])
def test_extensions_state_top_k_so_that_no_default_of_the_server_applies(wanted: int | None, sent: int) -> None:
    assert body(offer=Offer(extensions=True), top_k=wanted)["top_k"] == sent


@pytest.mark.parametrize("api", APIS)
def test_an_answer_is_read(api) -> None:
    drawn = read_drawn(api, ANSWERS[api])
    assert (drawn.text, drawn.finish_reason, drawn.token_ids, drawn.logprobs, drawn.num_tokens) == (
        "5.",
        "stop",
        (7, 8),
        (-0.5, -0.25),
        2,
    )


@pytest.mark.parametrize("api", APIS)
def test_length_is_a_reason_to_end(api) -> None:
    assert read_drawn(api, answer(api, finish_reason="length")).finish_reason == "length"


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("reason", ["abort", "content_filter", "tool_calls", None])
def test_other_ends_are_no_candidate(api, reason: str | None) -> None:
    with pytest.raises(SamplerUnavailable, match="another reason"):
        read_drawn(api, answer(api, finish_reason=reason))


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("absent", [None, {}])
def test_absent_logprobs_are_none(api, absent: object) -> None:
    assert read_drawn(api, answer(api, logprobs=absent)).logprobs is None


@pytest.mark.parametrize("api", APIS)
def test_absent_token_ids_are_empty(api) -> None:
    assert read_drawn(api, answer(api, token_ids=None)).token_ids == ()


def test_a_chat_answer_without_content_is_empty_text() -> None:
    assert read_drawn("chat", answer("chat", message={"content": None})).text == ""


@pytest.mark.parametrize("value", [None, "x", True, float("nan"), float("-inf")])
def test_a_logprob_that_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(SamplerUnavailable, match="not numbers"):
        read_drawn("completions", answer("completions", logprobs={"token_logprobs": [-0.5, value]}))


def test_logprobs_that_do_not_line_up_with_the_tokens_are_refused() -> None:
    with pytest.raises(SamplerUnavailable, match="2 token ids but 1 log-probabilities"):
        read_drawn("completions", answer("completions", logprobs={"token_logprobs": [-0.5]}))


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "text",
        {},
        {"choices": None},
        {"choices": []},
        {"choices": ["x"]},
        {"choices": [{}]},
        {"choices": [{}, {}]},
        {"choices": [{"message": "x", "text": 3, "finish_reason": "stop"}]},
        {"error": {"message": "no"}},
    ],
)
def test_a_wrong_shape_is_refused(api, wrong: object) -> None:
    with pytest.raises(SamplerUnavailable, match=f"not of the {api} API's shape"):
        read_drawn(api, wrong)


@pytest.mark.parametrize("tokens", ["ab", [1, "a"], [-1], [True]])
def test_token_ids_of_a_wrong_shape_are_refused(tokens: object) -> None:
    with pytest.raises(SamplerUnavailable, match="shape"):
        read_drawn("completions", answer("completions", token_ids=tokens, logprobs=None))


def test_the_cumulative_logprob_is_the_sum() -> None:
    assert candidate_of(0, read_drawn("chat", ANSWERS["chat"]), with_logprobs=False).cumulative_logprob == -0.75


def test_the_cumulative_logprob_is_none_without_logprobs() -> None:
    drawn = read_drawn("chat", answer("chat", logprobs=None))
    assert candidate_of(0, drawn, with_logprobs=True).cumulative_logprob is None


@pytest.mark.parametrize(("wanted", "given"), [(True, (-0.5, -0.25)), (False, None)])
def test_single_logprobs_come_on_request(wanted: bool, given: object) -> None:
    assert candidate_of(0, read_drawn("chat", ANSWERS["chat"]), with_logprobs=wanted).logprobs == given


@pytest.mark.parametrize(
    ("choice", "usage", "expected"),
    [
        ({}, {"completion_tokens": 9}, 2),
        ({"token_ids": None}, {"completion_tokens": 9}, 9),
        ({"token_ids": None}, None, 2),
        ({"token_ids": None, "logprobs": None}, None, 0),
    ],
    ids=["token ids", "reported", "log-probabilities", "unknown"],
)
def test_tokens_are_counted_by_the_best_there_is(choice: dict, usage: object, expected: int) -> None:
    drawn = read_drawn("chat", answer("chat", **choice) | {"usage": usage})
    assert candidate_of(0, drawn, with_logprobs=False).num_tokens == expected


def test_model_names_are_read() -> None:
    assert read_model_names({"data": [{"id": "a"}, {"id": "b"}]}) == ("a", "b")


@pytest.mark.parametrize("wrong", [None, [], {}, {"data": None}, {"data": [{}]}])
def test_a_list_of_models_of_a_wrong_shape_is_refused(wrong: object) -> None:
    with pytest.raises(SamplerUnavailable, match="list of models"):
        read_model_names(wrong)


def test_tokens_are_read() -> None:
    assert read_tokens({"tokens": [1, 2], "count": 2}) == (1, 2)


@pytest.mark.parametrize("wrong", [None, [], {}, {"tokens": []}, {"tokens": ["a"]}, {"tokens": 3}])
def test_tokens_of_a_wrong_shape_are_refused(wrong: object) -> None:
    with pytest.raises(SamplerUnavailable, match="/tokenize"):
        read_tokens(wrong)
