"""What POST /select promises: convincing wrong answers for labelling, and a reason for each."""

import pytest

PROBLEM = "2 + 3?"
WRONG = [f"So it is {number}.\nThe answer is {number}." for number in (6, 7, 8, 9)]
RIGHT = ["2 + 3 = 5.\nThe answer is 5.", "Together 5.\nThe answer is 5.0."]


def item(*candidates, **fields):
    return {"problem": PROBLEM, "answer": "5", "candidates": list(candidates or [*WRONG, *RIGHT])} | fields


def body(*items, **fields):
    return {"items": list(items or [item()]), "top_k": 3} | fields


async def chosen(api, request):
    return (await api.post("/select", request))["results"][0]["chosen"]


async def test_scores_are_those_of_rerank(api) -> None:
    ranked = await api.post("/rerank", {"problem": PROBLEM, "candidates": [*WRONG, *RIGHT]})
    scores = {result["index"]: result["score"] for result in ranked["results"]}
    assert {found["index"]: found["score"] for found in await chosen(api, body(top_k=6))} == scores


async def test_the_share_of_wrong_answers_is_kept(api) -> None:
    found = await chosen(api, body(wrong_fraction=0.67))
    assert [choice["reason"] for choice in found] == [
        "convincing_wrong_answer",
        "convincing_wrong_answer",
        "most_convincing_of_the_rest",
    ]


async def test_wrong_answers_are_those_that_no_vote_would_join_to_the_right_one(api) -> None:
    found = await chosen(api, body(top_k=6))
    assert {choice["index"]: choice["is_correct"] for choice in found} == {
        0: False, 1: False, 2: False, 3: False, 4: True, 5: True,
    }  # fmt: skip


async def test_a_chosen_candidate_keeps_its_id(api) -> None:
    [choice] = await chosen(api, body(item({"id": "c7", "text": WRONG[0]}), top_k=1))
    assert choice["id"] == "c7"


async def test_first_error_is_that_of_score(api) -> None:
    [choice] = await chosen(api, body(item(WRONG[0]), top_k=1))
    scored = await api.post("/score", {"problem": PROBLEM, "solution": WRONG[0]})
    assert choice["first_error"] == scored["results"][0]["first_error"]


async def test_failed_candidates_are_listed_apart(api) -> None:
    [result] = (await api.post("/select", body(item("", WRONG[0]))))["results"]
    assert [(failed["index"], failed["error"]["code"]) for failed in result["failed"]] == [(0, "no_steps")]
    assert [choice["index"] for choice in result["chosen"]] == [1]


async def test_an_item_fails_alone(api) -> None:
    failed, good = (await api.post("/select", body(item(problem=" "), item())))["results"]
    assert (failed["error"]["code"], failed["chosen"], len(good["chosen"])) == ("empty_problem", [], 3)


async def test_items_are_answered_in_order_and_do_not_mix(api) -> None:
    other = item(*WRONG, answer="8")
    both = (await api.post("/select", body(item(), other)))["results"]
    alone = [(await api.post("/select", body(one)))["results"][0] for one in (item(), other)]
    assert both == [alone[0], alone[1] | {"index": 1}]


async def test_the_native_prefix_speaks_too(api) -> None:
    native = await api.post("/surefoot/v1/select", body())
    assert native["results"] == (await api.post("/select", body()))["results"]


async def test_the_cost_is_told(api) -> None:
    response = await api.http.post("/select", json=body())
    assert response.headers["x-scored-tokens"] == str(response.json()["usage"]["prompt_tokens"]) != "0"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"items": []}, "items"),
        ({"top_k": 0}, "top_k"),
        ({"wrong_fraction": 1.1}, "wrong_fraction"),
        ({"items": [item(answer=" ")]}, "items[0].answer"),
        ({"items": [item(candidates=[])]}, "items[0].candidates"),
        ({"topk": 3}, "topk"),
    ],
)
async def test_a_bad_field_is_named(api, fields, param) -> None:
    error = await api.refused("/select", body(**fields), 422)
    assert (error["code"], error["param"]) == ("invalid_request", param)


async def test_top_k_must_be_said(api) -> None:
    assert (await api.refused("/select", {"items": [item()]}, 422))["param"] == "top_k"


async def test_an_outcome_model_cannot_choose(api) -> None:
    assert (await api.refused("/select", body(model="orm"), 422))["code"] == "wrong_model_kind"


async def test_more_candidates_than_allowed_are_refused(api) -> None:
    error = await api.refused("/select", body(item(*["a"] * 2000)), 422)
    assert error["param"] == "candidates"
