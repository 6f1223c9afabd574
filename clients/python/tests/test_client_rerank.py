"""`rerank` and `rerank_groups`."""

import httpx
import pytest

from surefoot_client import BadResponse, EmptyProblem, ItemFailure, ItemsFailed, NoSteps, Ranking, raise_for_failures

OPTIONS = {
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


def test_body_has_the_fields_of_the_api(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json=ranking_answer))
    driver.call("rerank", "2+3?", ["5", {"steps": ["a"], "id": None}], **OPTIONS)
    assert server.requests[0].url.path == "/rerank"
    assert server.body == {"problem": "2+3?", "candidates": ["5", {"steps": ["a"]}], **OPTIONS}


def test_only_given_fields_are_sent(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json=ranking_answer))
    driver.call("rerank", "2+3?", ["5"])
    assert server.body == {"problem": "2+3?", "candidates": ["5"]}


def test_ranking_is_typed(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json=ranking_answer))
    ranking = driver.call("rerank", "2+3?", ["6", "5", ""])
    assert [result.index for result in ranking.results] == [1, 0, 2]
    assert (ranking.best, ranking.answer, ranking.agreement, ranking.tie) == (1, "5", 0.5, False)
    assert (ranking.models, ranking.fingerprints) == ({"process": "prm"}, {"prm": "f1"})
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


def test_a_problem_that_cannot_be_ranked_is_an_error(driver, server):
    error = {"code": "empty_problem", "message": "the problem is empty"}
    server.reply(httpx.Response(200, json={"id": "r", "results": [], "best": None, "error": error}))
    with pytest.raises(EmptyProblem, match="the problem is empty") as caught:
        driver.call("rerank", " ", ["5"])
    assert caught.value.request_id == server.requests[0].headers["x-request-id"]


def test_scores_of_both_models_are_read(driver, server, ranking_answer):
    ranking_answer["results"][0] |= {
        "score": 0.8,
        "outcome_score": -1.5,
        "unit_score": 0.8,
        "unit_outcome_score": 0.2,
        "steps": [{"index": 0, "score": 0.8}],
    }
    server.reply(httpx.Response(200, json=ranking_answer))
    result = driver.call("rerank", "2+3?", ["6", "5", ""]).results[0]
    assert (result.score, result.outcome_score, result.steps[0].score) == (0.8, -1.5, 0.8)
    assert (result.unit_score, result.unit_outcome_score) == (0.8, 0.2)


def grouped(answer, *groups):
    """An answer for several groups: what is said once stands beside them."""
    shared = {name: answer[name] for name in ("id", "models", "fingerprints", "usage", "timing")}
    of_group = {name: value for name, value in answer.items() if name not in shared}
    return {**shared, "strategy": "process", "groups": [of_group if group is None else group for group in groups]}


def test_groups_are_sent_as_items_beside_their_options(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json=grouped(ranking_answer, None)))
    driver.call("rerank_groups", [{"problem": "2+3?", "candidates": ["5"], "messages": None}], **OPTIONS)
    assert server.requests[0].url.path == "/rerank"
    assert server.body == {"items": [{"problem": "2+3?", "candidates": ["5"]}], **OPTIONS}


def test_each_group_is_a_ranking(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json=grouped(ranking_answer, None, None)))
    groups = driver.call("rerank_groups", [{"problem": "a", "candidates": ["5"]}] * 2)
    assert [group.best for group in groups] == [1, 1]


def test_what_is_said_once_for_all_groups_is_in_each(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json=grouped(ranking_answer, None)))
    ranking = driver.call("rerank_groups", [{"problem": "a", "candidates": ["5"]}])[0]
    assert (ranking.strategy, ranking.models, ranking.fingerprints) == ("process", {"process": "prm"}, {"prm": "f1"})


def test_costs_of_the_whole_request_are_not_given_to_each_group(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json=grouped(ranking_answer, None)))
    ranking = driver.call("rerank_groups", [{"problem": "a", "candidates": ["5"]}])[0]
    assert (ranking.usage, ranking.timing) == (None, None)


@pytest.mark.parametrize("place", [{}, {"index": 1}, {"results": [], "best": None}])
def test_a_failed_group_stands_in_its_place(driver, server, ranking_answer, place):
    failure = {**place, "error": {"code": "no_steps", "message": "no steps"}}
    server.reply(httpx.Response(200, json=grouped(ranking_answer, None, failure)))
    groups = driver.call("rerank_groups", [{"problem": "a", "candidates": ["5"]}] * 2)
    assert [type(group) for group in groups] == [Ranking, ItemFailure]
    assert (groups[1].index, groups[1].error.code, groups[1].to_dict()) == (1, "no_steps", failure)


def test_failed_groups_are_raised_on_demand(driver, server, ranking_answer):
    failure = {"error": {"code": "no_steps", "message": "no steps"}}
    server.reply(httpx.Response(200, json=grouped(ranking_answer, None, failure)))
    groups = driver.call("rerank_groups", [{"problem": "a", "candidates": ["5"]}] * 2)
    with pytest.raises(ItemsFailed, match="1 of 2 items failed"):
        raise_for_failures(groups)


def test_a_missing_group_is_refused(driver, server, ranking_answer):
    server.reply(httpx.Response(200, json=grouped(ranking_answer, None)))
    with pytest.raises(BadResponse, match="1 entries for 2 groups"):
        driver.call("rerank_groups", [{"problem": "a", "candidates": ["5"]}] * 2)


@pytest.mark.parametrize("name", ["threshold", "abstain_below"])
def test_numbers_that_are_not_finite_are_never_sent(driver, server, name):
    with pytest.raises(ValueError, match=f"{name} must be a finite number"):
        driver.call("rerank", "2+3?", ["5"], **{name: float("nan")})
    assert server.requests == []
