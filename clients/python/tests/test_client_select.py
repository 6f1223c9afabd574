"""`select`: the candidates that are worth a label."""

import httpx
import pytest

from surefoot_client import BadResponse, EmptyProblem, ItemFailure, ItemsFailed, NoSteps

ITEM = {"problem": "2+3?", "answer": "5", "candidates": ["It is 6.", "It is 5.", ""]}


@pytest.fixture
def answer():
    chosen = {"index": 0, "id": "c", "score": 0.8, "answer": "6", "is_correct": False, "first_error": 1}
    return {
        "id": "r4",
        "model": "prm",
        "fingerprint": "f1",
        "results": [
            {
                "index": 0,
                "chosen": [
                    {**chosen, "reason": "convincing_wrong_answer"},
                    {**chosen, "index": 1, "is_correct": None, "reason": "most_convincing_of_the_rest"},
                ],
                "failed": [{"index": 2, "error": {"code": "no_steps", "message": "no steps"}}],
            },
            {"index": 1, "chosen": [], "failed": [], "error": {"code": "empty_problem", "message": "empty"}},
        ],
        "usage": {"prompt_tokens": 10, "unique_tokens": 8, "cached_tokens": 0},
        "timing": {"queue_s": 0.0, "forward_s": 0.1, "total_s": 0.2},
    }


def test_it_sends_the_fields_of_the_api(driver, server, answer):
    server.reply(httpx.Response(200, json=answer))
    options = {"wrong_fraction": 0.5, "model": "prm", "aggregation": "min", "timeout_s": 30, "priority": "bulk"}
    driver.call("select", [ITEM, ITEM], top_k=2, **options)
    assert server.requests[0].url.path == "/select"
    assert server.body == {"items": [ITEM, ITEM], "top_k": 2, **options}


def test_choices_are_typed(driver, server, answer):
    server.reply(httpx.Response(200, json=answer))
    first, second = driver.call("select", [ITEM, ITEM], top_k=2).results[0].chosen
    assert (first.index, first.id, first.score, first.answer, first.first_error) == (0, "c", 0.8, "6", 1)
    assert (first.is_correct, first.reason) == (False, "convincing_wrong_answer")
    assert (second.is_correct, second.reason) == (None, "most_convincing_of_the_rest")


def test_a_failed_candidate_stands_apart(driver, server, answer):
    server.reply(httpx.Response(200, json=answer))
    [failed] = driver.call("select", [ITEM, ITEM], top_k=2).results[0].failed
    assert (failed.index, type(failed.error)) == (2, NoSteps)


def test_a_failed_item_is_a_failure_and_no_empty_choice(driver, server, answer):
    server.reply(httpx.Response(200, json=answer))
    response = driver.call("select", [ITEM, ITEM], top_k=2)
    assert isinstance(response.results[1], ItemFailure)
    with pytest.raises(ItemsFailed) as raised:
        response.raise_for_failures()
    assert isinstance(raised.value.__cause__, EmptyProblem)


def test_what_answered_and_what_it_cost_is_told(driver, server, answer):
    server.reply(httpx.Response(200, json=answer))
    response = driver.call("select", [ITEM, ITEM], top_k=2)
    assert (response.model, response.fingerprint, response.usage.unique_tokens) == ("prm", "f1", 8)


@pytest.mark.parametrize("items", [[ITEM], [ITEM] * 3])
def test_results_that_do_not_line_up_are_a_bad_response(driver, server, answer, items):
    server.reply(httpx.Response(200, json=answer))
    with pytest.raises(BadResponse, match=r"response\.results must have the indices"):
        driver.call("select", items, top_k=2)


def test_a_single_item_must_be_wrapped(driver):
    with pytest.raises(TypeError, match="items must be a list"):
        driver.call("select", ITEM, top_k=2)
