"""`score`: what is sent, and how results and failures come back."""

import pickle
from fractions import Fraction

import httpx
import pytest

from surefoot_client import BadResponse, InputTooLong, ItemFailure, ItemResult, ItemsFailed, ScoreItem, ScoreResponse

ITEM = {"problem": "2+3?", "steps": ["one", "two"]}


def test_results_are_typed(driver, server, score_answer):
    server.reply(httpx.Response(200, json=score_answer))
    response = driver.call("score", [ITEM])
    result = response.results[0]
    assert isinstance(result, ItemResult)
    assert (result.score, result.kind, result.first_error, result.id) == (0.931, "process", None, "a0")
    assert [(step.score, step.span) for step in result.steps] == [(0.98, (0, 3)), (pytest.approx(0.95), (4, 7))]
    assert result.aggregations["min"] == 0.95
    assert result.steps[0].probabilities == {"positive": 0.9, "neutral": 0.08, "negative": 0.02}


def test_response_carries_model_scale_usage_and_timing(driver, server, score_answer):
    server.reply(httpx.Response(200, json=score_answer))
    response = driver.call("score", [ITEM])
    assert (response.model, response.fingerprint, response.scale) == ("prm", "f1", "probability")
    assert (response.usage.unique_tokens, response.timing.forward_s) == (352, 0.021)


def test_body_has_the_fields_of_the_api(driver, server, score_answer):
    server.reply(httpx.Response(200, json=score_answer))
    driver.call(
        "score",
        [ITEM],
        model="prm",
        aggregation="min",
        threshold=0.4,
        timeout_s=30,
        priority="bulk",
        trace=True,
        checks=["language"],
        combine_checks=True,
        rewards={"cap": (0.1, 0.9), "scaling": "group"},
    )
    assert server.body == {
        "items": [ITEM],
        "model": "prm",
        "aggregation": "min",
        "threshold": 0.4,
        "timeout_s": 30,
        "priority": "bulk",
        "trace": True,
        "checks": ["language"],
        "combine_checks": True,
        "rewards": {"cap": [0.1, 0.9], "scaling": "group"},
    }


def test_it_posts_to_the_score_route_below_the_base_url(driver, server, score_answer):
    server.reply(httpx.Response(200, json=score_answer))
    driver.call("score", [ITEM], settings={"base_url": "http://gateway:9000/rewards/"})
    assert server.requests[0].method == "POST"
    assert str(server.requests[0].url) == "http://gateway:9000/rewards/score"


def test_fields_that_are_none_are_never_sent(driver, server, score_answer):
    server.reply(httpx.Response(200, json=score_answer))
    driver.call("score", [{**ITEM, "id": None}])
    assert server.body == {"items": [ITEM]}


@pytest.mark.parametrize(
    ("item", "sent"),
    [
        (ScoreItem(problem="p", steps=("one", "two"), id="a"), {"problem": "p", "steps": ["one", "two"], "id": "a"}),
        (ScoreItem(problem="p", solution="s"), {"problem": "p", "solution": "s"}),
        (
            ScoreItem(messages=[{"role": "user", "content": "p"}]),
            {"messages": [{"role": "user", "content": "p"}]},
        ),
    ],
)
def test_typed_items_become_their_wire_form(driver, server, score_answer, item, sent):
    server.reply(httpx.Response(200, json=score_answer))
    driver.call("score", [item])
    assert server.body == {"items": [sent]}


def test_a_failed_item_stands_in_its_place(driver, server, partial_answer):
    server.reply(httpx.Response(200, json=partial_answer))
    results = driver.call("score", [ITEM] * 3).results
    assert [type(result) for result in results] == [ItemResult, ItemFailure, ItemResult]
    failure = results[1]
    assert (failure.index, failure.id, failure.error.message) == (1, "b", "5120 tokens, limit 4096")
    assert isinstance(failure.error, InputTooLong)


def test_a_failed_item_has_no_score(driver, server, partial_answer):
    server.reply(httpx.Response(200, json=partial_answer))
    assert not hasattr(driver.call("score", [ITEM] * 3).results[1], "score")


def test_raise_for_failures_raises_with_every_failure(driver, server, partial_answer):
    server.reply(httpx.Response(200, json=partial_answer))
    response = driver.call("score", [ITEM] * 3)
    with pytest.raises(ItemsFailed, match=r"1 of 3 items failed \(item 1: input_too_long\)") as caught:
        response.raise_for_failures()
    assert caught.value.failures == response.failures
    assert isinstance(caught.value.__cause__, InputTooLong)


def test_raise_for_failures_returns_the_results_when_all_went_well(driver, server, score_answer):
    server.reply(httpx.Response(200, json=score_answer))
    response = driver.call("score", [ITEM])
    assert [result.score for result in response.raise_for_failures()] == [0.931]


def test_an_item_error_of_unknown_code_keeps_its_code(driver, server, partial_answer):
    partial_answer["results"][1]["error"]["code"] = "moon_phase"
    server.reply(httpx.Response(200, json=partial_answer))
    assert driver.call("score", [ITEM] * 3).failures[0].error.code == "moon_phase"


def test_an_outcome_result_is_read(driver, server, score_answer):
    outcome = {"index": 0, "kind": "outcome", "text": "t", "score": -0.4, "raw": [-0.4], "trace": [0.1, -0.4]}
    server.reply(httpx.Response(200, json={**score_answer, "scale": "signed", "results": [outcome]}))
    result = driver.call("score", [ITEM]).results[0]
    assert (result.kind, result.score, result.trace, result.steps) == ("outcome", -0.4, (0.1, -0.4), ())


@pytest.mark.parametrize("indices", [[0], [1, 0], [0, 0], [0, 1, 2]])
def test_results_that_do_not_line_up_with_the_items_are_refused(driver, server, score_answer, result_json, indices):
    results = [result_json(index) for index in indices]
    server.reply(httpx.Response(200, json={**score_answer, "results": results}))
    with pytest.raises(BadResponse, match="indices 0 to 1 in order"):
        driver.call("score", [ITEM, ITEM])


@pytest.mark.parametrize("item", [ITEM, ScoreItem(problem="p", steps=["one", "two"])])
def test_steps_without_their_scores_are_refused(driver, server, score_answer, result_json, item):
    server.reply(httpx.Response(200, json={**score_answer, "results": [result_json(0, num_steps=1)]}))
    with pytest.raises(BadResponse, match="1 of 2 scores"):
        driver.call("score", [item])


def test_unknown_fields_are_tolerated_and_kept(driver, server, score_answer):
    score_answer["novelty"] = {"deep": [1, None]}
    score_answer["results"][0]["steps"][0]["novelty"] = "x"
    server.reply(httpx.Response(200, json=score_answer))
    response = driver.call("score", [ITEM])
    assert response.to_dict() == score_answer
    assert response.results[0].steps[0].to_dict()["novelty"] == "x"


def test_changing_the_raw_json_leaves_the_response_alone(driver, server, score_answer):
    server.reply(httpx.Response(200, json=score_answer))
    response = driver.call("score", [ITEM])
    response.to_dict()["results"].clear()
    assert response.to_dict() == score_answer


def test_a_response_is_read_back_from_its_raw_json(score_answer):
    response = ScoreResponse.from_dict(score_answer)
    assert ScoreResponse.from_dict(response.to_dict()) == response


def test_a_response_travels_between_processes(partial_answer):
    copied = pickle.loads(pickle.dumps(ScoreResponse.from_dict(partial_answer)))
    assert copied.to_dict() == partial_answer
    assert isinstance(copied.failures[0].error, InputTooLong)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", ["threshold", "timeout_s"])
def test_numbers_that_are_not_finite_are_never_sent(driver, server, name, value):
    with pytest.raises(ValueError, match=f"{name} must be a finite number"):
        driver.call("score", [ITEM], **{name: value})
    assert server.requests == []


def test_numbers_of_other_libraries_are_sent_as_numbers(driver, server, score_answer):
    server.reply(httpx.Response(200, json=score_answer))
    driver.call("score", [ITEM], threshold=Fraction(1, 4))
    assert server.body["threshold"] == 0.25


def test_what_json_does_not_know_is_named_by_its_field(driver, server):
    with pytest.raises(TypeError, match=r"items\[0\].steps has a type that JSON does not know: set"):
        driver.call("score", [{"problem": "secret", "steps": {"secret"}}])


@pytest.mark.parametrize("items", [ITEM, "text", ScoreItem(problem="p", solution="s"), iter([ITEM])])
def test_a_single_item_in_place_of_the_list_is_refused(driver, server, items):
    with pytest.raises(TypeError, match="items must be a list"):
        driver.call("score", items)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"problem": "p"},
        {"steps": ["s"]},
        {"problem": "p", "steps": ["s"], "solution": "s"},
        {"problem": "p", "messages": []},
    ],
)
def test_an_item_of_no_known_form_is_refused(fields):
    with pytest.raises(ValueError, match="messages"):
        ScoreItem(**fields)


def test_one_text_in_place_of_steps_is_refused():
    with pytest.raises(TypeError, match="pass one whole text as solution"):
        ScoreItem(problem="p", steps="one")
