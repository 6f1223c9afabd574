"""What POST /v1/chat/completions promises: the best of N in OpenAI's shape, lenient with what OpenAI's clients send."""

import pytest

from surefoot.domain import Prompt
from surefoot.sampling.fake_sampler import FakeSampler
from surefoot.wiring.fake_service import FAKE_TEXTS

PATH = "/v1/chat/completions"
PROBLEM = "2 + 3?"
USER = {"role": "user", "content": PROBLEM}
UNANIMOUS = ["The answer is 5."]


def body(**fields):
    return {"model": "default", "messages": [USER], "n_candidates": 3} | fields


def native(**fields):
    return {"messages": [USER], "sampling": {"n": 3}} | fields


def contents(answer: dict) -> list[str]:
    return [choice["message"]["content"] for choice in answer["choices"]]


async def num_drawn(api, **fields) -> int:
    answer = await api.post(PATH, {"messages": [USER], "strategy": "majority"} | fields)
    return len(answer["surefoot"]["results"])


async def test_the_answer_has_openais_fields(api) -> None:
    answer = await api.post(PATH, body(), headers={"x-request-id": "r1"})
    assert (answer["id"], answer["object"], answer["model"]) == ("chatcmpl-r1", "chat.completion", "default")
    assert (type(answer["created"]), answer["system_fingerprint"]) == (int, "fake")


@pytest.mark.parametrize("strategy", ["process", "outcome", "majority", "process_weighted", "process_outcome"])
async def test_the_choice_is_the_pick_of_best_of_n(api, strategy) -> None:
    found = await api.post("/best_of_n", native(ranking={"strategy": strategy}))
    assert contents(await api.post(PATH, body(strategy=strategy))) == [found["text"]]


async def test_a_choice_is_a_whole_turn(api) -> None:
    [choice] = (await api.post(PATH, body()))["choices"]
    assert (choice["index"], choice["message"]["role"], choice["finish_reason"], choice["logprobs"]) == (
        0,
        "assistant",
        "stop",
        None,
    )


async def test_a_choice_carries_its_scores(api) -> None:
    found = await api.post("/best_of_n", native())
    [choice] = (await api.post(PATH, body()))["choices"]
    assert choice["surefoot"] == found["ranking"]["results"][0]


async def test_the_scores_of_all_stand_beside_the_choices(api) -> None:
    found = (await api.post("/best_of_n", native()))["ranking"]
    said = (await api.post(PATH, body()))["surefoot"]
    assert {name: said[name] for name in found} == found


async def test_n_choices_are_the_n_best(api) -> None:
    found = await api.post("/best_of_n", native())
    order = [result["index"] for result in found["ranking"]["results"]]
    assert contents(await api.post(PATH, body(n=2))) == [FAKE_TEXTS[index] for index in order[:2]]


async def test_a_lone_candidate_is_scored_too(api) -> None:
    [choice] = (await api.post(PATH, body(n_candidates=1)))["choices"]
    assert 0 < choice["surefoot"]["relevance_score"] < 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({}, 8), ({"n": 10}, 10), ({"n_candidates": 2}, 2), ({"temperature": 0}, 1), ({"n_candidates": None}, 8)],
)
async def test_so_many_candidates_are_drawn(api, fields, expected) -> None:
    assert await num_drawn(api, **fields) == expected


async def test_usage_counts_all_candidates(api) -> None:
    usage = (await api.post(PATH, body()))["usage"]
    prompt, completion = len(PROBLEM), sum(map(len, FAKE_TEXTS))
    assert usage == {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


async def test_what_was_scored_is_told_in_a_header(api) -> None:
    response = await api.http.post(PATH, json=body())
    scored = response.json()["surefoot"]["usage"]["scoring"]["prompt_tokens"]
    assert response.headers["x-scored-tokens"] == str(scored)


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
async def test_a_choice_that_was_cut_off_says_so(api, field) -> None:
    [choice] = (await api.post(PATH, body(**{field: 4})))["choices"]
    assert (len(choice["message"]["content"]), choice["finish_reason"]) == (4, "length")


async def test_the_newer_name_of_the_token_limit_wins(api) -> None:
    [content] = contents(await api.post(PATH, body(max_tokens=9, max_completion_tokens=4)))
    assert len(content) == 4


async def test_abstaining_is_said_and_the_candidate_in_front_is_the_choice(api) -> None:
    front = contents(await api.post(PATH, body()))
    answer = await api.post(PATH, body(surefoot={"ranking": {"abstain_below": 1.5}}))
    assert (answer["surefoot"]["abstained"], answer["surefoot"]["best"], contents(answer)) == (True, None, front)


async def test_a_pick_is_not_an_abstention(api) -> None:
    assert (await api.post(PATH, body()))["surefoot"]["abstained"] is False


async def test_candidates_that_cannot_be_scored_are_no_choice(serve) -> None:
    api = await serve(sampler=FakeSampler(["", "The answer is 5."]))
    answer = await api.post(PATH, body(n=2, n_candidates=2))
    assert contents(answer) == ["The answer is 5."]


async def test_when_no_candidate_can_be_scored_the_error_is_the_answer(serve) -> None:
    api = await serve(sampler=FakeSampler([""]))
    assert (await api.refused(PATH, body(), 422))["code"] == "no_steps"


async def test_when_the_scorer_fails_on_all_its_error_is_the_answer(api) -> None:
    api.parts.backend.fail_items(lambda _: True)
    assert (await api.refused(PATH, body(), 500))["code"] == "backend_failed"


async def test_an_early_stop_draws_fewer(serve) -> None:
    api = await serve(sampler=FakeSampler(UNANIMOUS))
    answer = await api.post(PATH, body(n_candidates=16, strategy="majority", surefoot={"early_stop": {}}))
    assert answer["surefoot"]["early_stop"]["stopped"]


async def test_ranking_is_that_of_best_of_n(api) -> None:
    ranking = {"strategy": "process_weighted", "aggregation": "min", "return_documents": True}
    found = await api.post("/best_of_n", native(ranking=ranking))
    answer = await api.post(PATH, body(surefoot={"ranking": ranking}))
    assert answer["surefoot"]["results"] == found["ranking"]["results"]


@pytest.mark.parametrize("name", [None, "default", "surefoot"])
async def test_the_first_generator_answers_by_default(serve, name) -> None:
    api = await serve(sampler=None, further_samplers={"a": FakeSampler(["a 5"]), "b": FakeSampler(["b 5"])})
    assert (await api.post(PATH, body(model=name)))["model"] == "a"


async def test_a_generator_answers_by_its_name(serve) -> None:
    api = await serve(further_samplers={"far": FakeSampler(UNANIMOUS)})
    assert (await api.post(PATH, body(model="far")))["model"] == "far"


async def test_a_generator_answers_by_its_policys_name(api) -> None:
    assert (await api.post(PATH, body(model="fake-policy")))["model"] == "default"


async def test_another_name_is_refused(api) -> None:
    error = await api.refused(PATH, body(model="gpt-4o"), 404)
    assert (error["code"], error["param"]) == ("generator_not_found", "model")


async def test_unknown_fields_are_ignored(api) -> None:
    message = USER | {"name": "me"}
    further = {"user": "u", "presence_penalty": 0.5, "stream_options": {"other": 1}}
    assert contents(await api.post(PATH, body(messages=[message], **further))) == contents(await api.post(PATH, body()))


async def test_null_is_the_default(api) -> None:
    names = ("temperature", "top_p", "max_tokens", "stop", "seed", "stream", "stream_options", "logprobs", "n")
    answer = await api.post(PATH, body(**dict.fromkeys(names)))
    assert contents(answer) == contents(await api.post(PATH, body()))


@pytest.mark.parametrize("stop", ["END", ["END", "STOP"], []])
async def test_stop_is_a_text_or_a_list(api, stop) -> None:
    assert (await api.http.post(PATH, json=body(stop=stop))).status_code == 200


async def test_content_parts_of_text_are_joined_by_line_breaks(api) -> None:
    parts = [{"type": "text", "text": "2 +"}, {"type": "text", "text": "3?"}]
    await api.post(PATH, body(messages=[{"role": "user", "content": parts}]))
    assert "".join(map(chr, api.parts.sampler.prompts[0])) == "2 +\n3?"


async def test_a_developers_turn_is_a_systems_turn(api) -> None:
    def turns(role):
        return {"messages": [{"role": role, "content": "Be brief."}, USER]}

    developed = await api.post(PATH, body(**turns("developer")))
    assert developed["choices"] == (await api.post(PATH, body(**turns("system"))))["choices"]


async def test_earlier_turns_reach_the_generator(api) -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}, USER]
    await api.post(PATH, body(messages=turns))
    assert "".join(map(chr, api.parts.sampler.prompts[0])) == "HiHello" + PROBLEM


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [USER | {"role": "assistant"}]}, "messages"),
        ({"messages": [USER | {"content": "  "}]}, "messages"),
        ({"messages": [USER | {"role": "tool"}]}, "messages[0].role"),
        ({"messages": [USER | {"content": None}]}, "messages[0].content"),
        ({"messages": [USER | {"content": [{"type": "image_url", "image_url": {}}]}]}, "messages[0].content"),
        ({"messages": [USER | {"content": [{"type": "text", "text": 3}]}]}, "messages[0].content"),
        ({"messages": [USER | {"content": ["2 + 3?"]}]}, "messages[0].content"),
        ({"n": 4}, "n"),
        ({"n": 0}, "n"),
        ({"n_candidates": 10**6}, "n_candidates"),
        ({"temperature": 0}, "n_candidates"),
        ({"temperature": "0.5"}, "temperature"),
        ({"logprobs": True}, "logprobs"),
        ({"strategy": "best"}, "strategy"),
        ({"strategy": "outcome", "surefoot": {"ranking": {"strategy": "process"}}}, "strategy"),
        ({"surefoot": {"rank": {}}}, "surefoot.rank"),
        ({"surefoot": {"ranking": {"top": 1}}}, "surefoot.ranking.top"),
        ({"surefoot": {"early_stop": {}}}, "early_stop"),
    ],
)
async def test_a_bad_field_is_named(api, fields, param) -> None:
    error = await api.refused(PATH, body(**fields), 422)
    assert (error["code"], error["param"]) == ("invalid_request", param)


async def test_messages_are_needed(api) -> None:
    assert (await api.refused(PATH, {"model": "default"}, 422))["param"] == "messages"


async def test_a_strategy_may_be_said_twice_alike(api) -> None:
    fields = {"strategy": "outcome", "surefoot": {"ranking": {"strategy": "outcome"}}}
    assert (await api.post(PATH, body(**fields)))["surefoot"]["strategy"] == "outcome"


async def test_what_cannot_be_ranked_is_refused_before_anything_is_sampled(api) -> None:
    await api.refused(PATH, body(surefoot={"ranking": {"model": "other"}}), 404)
    assert api.parts.sampler.prompts == []


async def test_prompt_tokens_that_are_not_told_count_as_none(serve) -> None:
    class Secretive(FakeSampler):
        async def encode_prompt(self, messages):
            return Prompt(tuple(messages))

    api = await serve(sampler=Secretive(UNANIMOUS))
    usage = (await api.post(PATH, body()))["usage"]
    assert (usage["prompt_tokens"], usage["total_tokens"]) == (0, usage["completion_tokens"])


async def test_a_stopping_service_takes_no_new_conversation(api) -> None:
    api.app.state.drain.begin()
    assert (await api.refused(PATH, body(), 503))["code"] == "not_ready"
