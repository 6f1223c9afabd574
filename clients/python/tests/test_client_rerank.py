"""`rerank` and `rerank_groups`."""

import httpx
import pytest

from surefoot_client import BadResponse, ItemFailure, ItemsFailed, NoSteps, Ranking, raise_for_failures


def test_body_has_the_fields_of_the_api(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json=ranking_answer))
    options = {
        "strategy": "process_weighted",
        "model": "prm",
        "outcome_model": "orm",
        "aggregation": "min",
        "threshold": 0.5,
        "top_n": 2,
        "return_documents": True,
        "tie_seed": 3,
        "abstain_below": 0.1,
        "timeout_s": 9,
        "priority": "bulk",
    }
    driver.call("rerank", "2+3?", ["5", {"steps": ["a"], "id": None}], **options)
    assert server.requests[0].url.path == "/rerank"
    assert server.body == {"problem": "2+3?", "candidates": ["5", {"steps": ["a"]}], **options}


def test_only_given_fields_are_sent(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json=ranking_answer))
    driver.call("rerank", "2+3?", ["5"])
    assert server.body == {"problem": "2+3?", "candidates": ["5"]}


def test_ranking_is_typed(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json=ranking_answer))
    ranking = driver.call("rerank", "2+3?", ["6", "5", ""])
    assert [result.index for result in ranking.results] == [1, 0, 2]
    assert (ranking.best, ranking.answer, ranking.agreement, ranking.tie) == (1, "5", 0.5, False)
    assert (ranking.models, ranking.fingerprints) == ({"process": "prm"}, {"process": "f1"})
    assert ranking.votes[0].indices == (1,)
    assert ranking.results[1].document == "It is 6."


def test_best_result_is_the_chosen_candidate(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json=ranking_answer))
    assert driver.call("rerank", "2+3?", ["6", "5", ""]).best_result.id == "x"


def test_an_abstention_has_no_best_result(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json={**ranking_answer, "best": None, "answer": None}))
    ranking = driver.call("rerank", "2+3?", ["6", "5", ""])
    assert (ranking.best, ranking.best_result) == (None, None)


def test_a_failed_candidate_has_an_error_and_no_score(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json=ranking_answer))
    failed = driver.call("rerank", "2+3?", ["6", "5", ""]).results[-1]
    assert isinstance(failed.error, NoSteps)
    assert failed.relevance_score is None


def test_a_candidate_with_neither_score_nor_error_is_refused(driver, server, ranking_answer):
    ranking_answer["results"][0]["relevance_score"] = None
    server.reply(httpx.Response(200, json=ranking_answer))
    with pytest.raises(BadResponse, match=r"results\[0\].relevance_score is missing"):
        driver.call("rerank", "2+3?", ["6", "5", ""])


def test_one_text_in_place_of_the_candidates_is_refused(driver):
    with pytest.raises(TypeError, match="candidates must be a list"):
        driver.call("rerank", "2+3?", "5")


def test_groups_are_sent_as_items(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json={"id": "g", "groups": [ranking_answer]}))
    driver.call("rerank_groups", [{"problem": "2+3?", "candidates": ["5"], "top_n": None}])
    assert server.body == {"items": [{"problem": "2+3?", "candidates": ["5"]}]}


def test_a_failed_group_stands_in_its_place(driver, server, ranking_answer):
    failure = {"index": 1, "error": {"code": "no_steps", "message": "no steps"}}
    server.reply(httpx.Response(200, json={"id": "g", "groups": [ranking_answer, failure]}))
    groups = driver.call("rerank_groups", [{"problem": "a", "candidates": ["5"]}] * 2)
    assert [type(group) for group in groups] == [Ranking, ItemFailure]
    with pytest.raises(ItemsFailed, match="1 of 2 items failed"):
        raise_for_failures(groups)


def test_a_missing_group_is_refused(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json={"id": "g", "groups": [ranking_answer]}))
    with pytest.raises(BadResponse, match="1 entries for 2 groups"):
        driver.call("rerank_groups", [{"problem": "a", "candidates": ["5"]}] * 2)


def test_a_group_that_waits_longest_sets_the_time_of_the_call(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json={"id": "g", "groups": [ranking_answer] * 2}))
    groups = [{"problem": "a", "candidates": ["5"], "timeout_s": seconds} for seconds in (100, 300)]
    driver.call("rerank_groups", groups)
    assert server.requests[0].extensions["timeout"]["read"] == 305


@pytest.mark.parametrize("name", ["threshold", "abstain_below"])
def test_numbers_that_are_not_finite_are_never_sent(driver, server, name):
    with pytest.raises(ValueError, match=f"{name} must be a finite number"):
        driver.call("rerank", "2+3?", ["5"], **{name: float("nan")})
    assert server.requests == []
