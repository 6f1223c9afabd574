"""`sample` and `best_of_n`."""

import httpx
import pytest

from surefoot_client import BackendFailed, BadResponse, EarlyStop, EarlyStopSaving

MESSAGES = [{"role": "user", "content": "2+3?"}]


def test_sample_sends_the_fields_of_the_api(driver, server, sample_answer):
    server.reply(httpx.Response(200, json=sample_answer))
    options = {
        "beginning": "2+3=",
        "generator": "default",
        "n": 4,
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 20,
        "max_tokens": 64,
        "stop": ["\n\n"],
        "seed": 1,
        "logprobs": True,
    }
    driver.call("sample", "2+3?", **options)
    assert server.requests[0].url.path == "/sample"
    assert server.body == {"problem": "2+3?", **options}


def test_sample_takes_a_conversation_in_place_of_a_problem(driver, server, sample_answer):
    server.reply(httpx.Response(200, json=sample_answer))
    driver.call("sample", MESSAGES)
    assert server.body == {"messages": MESSAGES}


def test_candidates_are_typed(driver, server, sample_answer):
    server.reply(httpx.Response(200, json=sample_answer))
    response = driver.call("sample", "2+3?")
    candidate = response.candidates[0]
    assert (response.generator, response.fingerprint, response.prompt_token_ids) == ("default", "g1", (1, 2))
    assert (candidate.steps, candidate.answer, candidate.finish_reason) == (("2+3=5", "It is 5."), "5", "stop")
    assert (candidate.token_ids, candidate.logprobs) == ((5, 6, 7), (-0.1, -0.2, -0.3))
    assert (candidate.num_tokens, candidate.cumulative_logprob) == (3, -0.6)


def test_sampling_tells_its_cost(driver, server, sample_answer):
    server.reply(httpx.Response(200, json=sample_answer))
    response = driver.call("sample", "2+3?")
    assert (response.usage.prompt_tokens, response.usage.completion_tokens) == (2, 3)
    assert (response.usage.scoring, response.timing.total_s) == (None, 0.5)


def test_logprobs_are_none_when_not_asked_for(driver, server, sample_answer):
    del sample_answer["candidates"][0]["logprobs"]
    server.reply(httpx.Response(200, json=sample_answer))
    assert driver.call("sample", "2+3?").candidates[0].logprobs is None


def test_best_of_n_nests_its_options_without_none(driver, server, best_of_n_answer):
    server.reply(httpx.Response(200, json=best_of_n_answer))
    driver.call(
        "best_of_n",
        "2+3?",
        sampling={"n": 8, "seed": None},
        ranking={"strategy": "majority", "model": None},
        early_stop=EarlyStop(confidence=0.95),
    )
    assert server.requests[0].url.path == "/best_of_n"
    assert server.body == {
        "problem": "2+3?",
        "sampling": {"n": 8},
        "ranking": {"strategy": "majority"},
        "early_stop": {"confidence": 0.95},
    }


@pytest.mark.parametrize(
    ("early_stop", "sent"),
    [
        (EarlyStop(), {}),
        (EarlyStop(0.9, 6), {"confidence": 0.9, "min_n": 6}),
        ({"confidence": 0.9, "min_n": 6}, {"confidence": 0.9, "min_n": 6}),
    ],
)
def test_an_early_stop_leaves_to_the_server_what_it_does_not_say(driver, server, best_of_n_answer, early_stop, sent):
    server.reply(httpx.Response(200, json=best_of_n_answer))
    driver.call("best_of_n", "2+3?", early_stop=early_stop)
    assert server.body["early_stop"] == sent


def test_what_an_early_stop_saved_is_typed(driver, server, best_of_n_answer):
    saving = {"stopped": True, "samples_drawn": 4, "samples_saved": 12, "confidence": 0.97}
    server.reply(httpx.Response(200, json={**best_of_n_answer, "early_stop": saving}))
    assert driver.call("best_of_n", "2+3?").early_stop == EarlyStopSaving(True, 4, 12, 0.97)


def test_without_an_early_stop_there_is_no_saving(driver, server, best_of_n_answer):
    server.reply(httpx.Response(200, json=best_of_n_answer))
    assert driver.call("best_of_n", "2+3?").early_stop is None


def test_best_of_n_refuses_a_nested_number_that_is_not_finite(driver, server):
    with pytest.raises(ValueError, match=r"ranking.threshold must be a finite number"):
        driver.call("best_of_n", "2+3?", ranking={"threshold": float("nan")})


def test_best_of_n_is_typed(driver, server, best_of_n_answer):
    server.reply(httpx.Response(200, json=best_of_n_answer))
    chosen = driver.call("best_of_n", MESSAGES, sampling={"n": 1})
    assert (chosen.best, chosen.answer, chosen.text) == (0, "5", "2+3=5\nIt is 5.")
    assert chosen.ranking.results[0].relevance_score == 0.9
    assert chosen.candidates[0].token_ids == (5, 6, 7)


def test_best_of_n_carries_the_policys_tokens_and_both_costs(driver, server, best_of_n_answer):
    server.reply(httpx.Response(200, json=best_of_n_answer))
    chosen = driver.call("best_of_n", "2+3?")
    assert (chosen.prompt_token_ids, chosen.fingerprint) == ((1, 2), "g1")
    assert (chosen.usage.completion_tokens, chosen.usage.scoring.unique_tokens) == (3, 8)


def test_best_of_n_keeps_its_candidates_when_they_cannot_be_ranked(driver, server, best_of_n_answer):
    error = {"code": "backend_failed", "message": "the forward pass failed"}
    unranked = {"results": [], "best": None, "error": error}
    server.reply(httpx.Response(200, json={**best_of_n_answer, "ranking": unranked, "best": None}))
    chosen = driver.call("best_of_n", "2+3?")
    assert len(chosen.candidates) == 1
    assert isinstance(chosen.ranking.error, BackendFailed)


def test_best_of_n_may_choose_nothing(driver, server, best_of_n_answer):
    server.reply(httpx.Response(200, json={**best_of_n_answer, "best": None, "answer": None, "text": None}))
    chosen = driver.call("best_of_n", "2+3?")
    assert (chosen.best, chosen.answer, chosen.text) == (None, None, None)


def test_a_candidate_without_text_is_refused(driver, server, sample_answer):
    del sample_answer["candidates"][0]["text"]
    server.reply(httpx.Response(200, json=sample_answer))
    with pytest.raises(BadResponse, match=r"response.candidates\[0\].text is missing"):
        driver.call("sample", "2+3?")
