"""What POST /sample promises: candidates with the policy's own tokens, and what it refuses."""

import asyncio
import json

import pytest

from surefoot.domain import Message
from surefoot.sampling.fake_sampler import FakeSampler
from surefoot.wiring.fake_service import FAKE_TEXTS

BODY = {"problem": "2 + 3?", "n": 3}


async def test_it_draws_n_candidates_in_order(api) -> None:
    candidates = (await api.post("/sample", BODY))["candidates"]
    assert [(candidate["index"], candidate["text"]) for candidate in candidates] == list(enumerate(FAKE_TEXTS))


async def test_one_candidate_is_the_default(api) -> None:
    assert len((await api.post("/sample", {"problem": "2 + 3?"}))["candidates"]) == 1


async def test_candidates_carry_steps_and_answer(api) -> None:
    first = (await api.post("/sample", BODY))["candidates"][0]
    assert (first["steps"], first["answer"]) == (["2 + 3 = 5.", "The answer is 5."], "5")


async def test_candidates_carry_the_policys_tokens(api) -> None:
    first = (await api.post("/sample", BODY))["candidates"][0]
    assert first["token_ids"] == [ord(character) for character in FAKE_TEXTS[0]]
    assert first["num_tokens"] == len(FAKE_TEXTS[0])


async def test_the_prompts_tokens_are_the_policys(api) -> None:
    assert (await api.post("/sample", BODY))["prompt_token_ids"] == [ord(character) for character in BODY["problem"]]


async def test_logprobs_come_when_asked_for(api) -> None:
    first = (await api.post("/sample", BODY | {"logprobs": True}))["candidates"][0]
    assert len(first["logprobs"]) == first["num_tokens"]
    assert sum(first["logprobs"]) == pytest.approx(first["cumulative_logprob"])


async def test_logprobs_stay_away_by_default(api) -> None:
    assert "logprobs" not in (await api.post("/sample", BODY))["candidates"][0]


async def test_a_cut_candidate_says_so(api) -> None:
    first = (await api.post("/sample", BODY | {"max_tokens": 4}))["candidates"][0]
    assert (first["finish_reason"], first["num_tokens"]) == ("length", 4)


async def test_a_blank_candidate_has_no_steps(serve) -> None:
    api = await serve(sampler=FakeSampler(["  "]))
    assert (await api.post("/sample", {"problem": "p"}))["candidates"][0]["steps"] == []


async def test_usage_counts_the_prompt_once(api) -> None:
    answer = await api.post("/sample", BODY)
    drawn = sum(candidate["num_tokens"] for candidate in answer["candidates"])
    assert answer["usage"] == {"prompt_tokens": len(BODY["problem"]), "completion_tokens": drawn}


async def test_it_names_the_generator_and_its_fingerprint(api) -> None:
    answer = await api.post("/sample", BODY | {"generator": "default"})
    assert (answer["generator"], answer["fingerprint"]) == ("default", "fake")


async def test_a_bare_problem_stands_after_the_preface(serve) -> None:
    api = await serve(preface=(Message("system", "Short!"),))
    prompt = (await api.post("/sample", {"problem": "2 + 3?"}))["prompt_token_ids"]
    assert "".join(map(chr, prompt)) == "Short!2 + 3?"


async def test_messages_are_sent_as_they_are(serve) -> None:
    api = await serve(preface=(Message("system", "Short!"),))
    messages = [{"role": "system", "content": "Long!"}, {"role": "user", "content": "2 + 3?"}]
    prompt = (await api.post("/sample", {"messages": messages}))["prompt_token_ids"]
    assert "".join(map(chr, prompt)) == "Long!2 + 3?"


async def test_a_beginning_stands_after_preface_and_problem(serve) -> None:
    api = await serve(preface=(Message("system", "Short!"),))
    prompt = (await api.post("/sample", {"problem": "2 + 3?", "beginning": "2 + 3 = 5\n"}))["prompt_token_ids"]
    assert "".join(map(chr, prompt)) == "Short!2 + 3?2 + 3 = 5\n"


async def test_a_beginning_goes_with_messages_too(api) -> None:
    messages = [{"role": "user", "content": "2 + 3?"}]
    prompt = (await api.post("/sample", {"messages": messages, "beginning": "It is"}))["prompt_token_ids"]
    assert "".join(map(chr, prompt)) == "2 + 3?It is"


async def test_candidates_hold_what_follows_the_beginning(api) -> None:
    [candidate] = (await api.post("/sample", {"problem": "2 + 3?", "beginning": "Well,\n"}))["candidates"]
    assert candidate["text"] == FAKE_TEXTS[0]


@pytest.mark.parametrize("beginning", [None, "", " \n"])
async def test_a_blank_beginning_is_none(api, beginning: str | None) -> None:
    prompt = (await api.post("/sample", BODY | {"beginning": beginning}))["prompt_token_ids"]
    assert "".join(map(chr, prompt)) == BODY["problem"]


@pytest.mark.parametrize("path", ["/best_of_n", "/v1/chat/completions"])
async def test_only_sampling_alone_takes_a_beginning(api, path: str) -> None:
    body = {"problem": "p"} if path == "/best_of_n" else {"messages": [{"role": "user", "content": "p"}]}
    assert "beginning" not in json.dumps(api.app.openapi()["paths"][path])
    await api.http.post(path, json=body | {"beginning": "It is"})
    assert all(prompt == (ord("p"),) for prompt in api.parts.sampler.prompts)


async def test_a_conversation_that_ends_with_the_assistant_is_refused(api) -> None:
    messages = [{"role": "user", "content": "p"}, {"role": "assistant", "content": "It is"}]
    error = await api.refused("/sample", {"messages": messages}, 422)
    assert "the problem must be the last user turn" in error["message"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 0}, "n"),
        ({"n": 10**6}, "n"),
        ({"temperature": -0.1}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"top_k": 0}, "top_k"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"seed": -1}, "seed"),
        ({"n": 1.5}, "n"),
        ({"n": "2"}, "n"),
        ({"stop": "x"}, "stop"),
        ({"best_of": 3}, "best_of"),
        ({"beginning": 5}, "beginning"),
    ],
)
async def test_a_bad_field_is_named(api, fields, param) -> None:
    error = await api.refused("/sample", BODY | fields, 422)
    assert (error["code"], error["param"]) == ("invalid_request", param)


@pytest.mark.parametrize(
    "body",
    [
        {"problem": "p", "n": 2, "temperature": 0},
        {"problem": " "},
        {"problem": "p", "messages": [{"role": "user", "content": "p"}]},
        {"messages": [{"role": "assistant", "content": "p"}]},
        {"messages": []},
        {"problem": "p", "stop": [""]},
    ],
)
async def test_fields_that_contradict_each_other_are_refused(api, body) -> None:
    assert (await api.refused("/sample", body, 422))["code"] == "invalid_request"


async def test_greedy_with_one_candidate_is_served(api) -> None:
    assert len((await api.post("/sample", {"problem": "p", "temperature": 0}))["candidates"]) == 1


async def test_an_unknown_generator_is_not_found(api) -> None:
    error = await api.refused("/sample", BODY | {"generator": "other"}, 404)
    assert (error["code"], error["param"]) == ("generator_not_found", "generator")


async def test_a_sampler_that_is_down_answers_503_with_retry_after(api) -> None:
    api.parts.sampler.fails_with = "the engine did not start"
    response = await api.http.post("/sample", json=BODY)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "sampler_unavailable")
    assert int(response.headers["retry-after"]) >= 1


async def test_scoring_goes_on_while_the_sampler_is_down(api) -> None:
    api.parts.sampler.fails_with = "the engine did not start"
    await api.refused("/sample", BODY, 503)
    assert (await api.post("/score", {"problem": "p", "steps": ["a"]}))["results"][0]["kind"] == "process"


async def test_without_a_generator_it_says_what_to_do(serve) -> None:
    api = await serve(sampler=None)
    error = await api.refused("/sample", BODY, 503)
    assert error["code"] == "sampler_unavailable"
    assert "/rerank" in error["message"]


async def test_requests_sample_side_by_side(api) -> None:
    answers = await asyncio.gather(*(api.post("/sample", BODY) for _ in range(8)))
    assert [len(answer["candidates"]) for answer in answers] == [3] * 8


async def test_the_native_prefix_gives_the_same_answer(api) -> None:
    native = await api.post("/surefoot/v1/sample", BODY)
    assert native["candidates"] == (await api.post("/sample", BODY))["candidates"]
