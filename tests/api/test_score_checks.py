"""`checks` and `combine_checks`: verdicts beside the model, and never in its own numbers."""

import math

import pytest

ITEM = {"problem": "2 + 3?", "steps": ["2 + 3 = 6 apples", "6 - 1 = 5", "The answer is 5."]}
ASKED = {"checks": ["arithmetic"]}
COMBINED = ASKED | {"combine_checks": True}


async def scored(api, **fields):
    [result] = (await api.post("/score", ITEM | fields))["results"]
    return result


async def test_verdicts_stand_at_their_steps(api) -> None:
    checks = [step["checks"] for step in (await scored(api, **ASKED))["steps"]]
    failed = [{"span": [0, 9], "expected": "5", "found": "6"}]
    assert checks == [
        [{"name": "arithmetic", "verdict": "fail", "detail": {"equations": 1, "failed": failed}}],
        [{"name": "arithmetic", "verdict": "pass", "detail": {"equations": 1, "failed": []}}],
        [{"name": "arithmetic", "verdict": "nothing_to_check", "detail": {"equations": 0, "failed": []}}],
    ]


async def test_without_being_asked_for_there_are_none(api) -> None:
    result = await scored(api)
    assert "checked" not in result
    assert all("checks" not in step for step in result["steps"])


@pytest.mark.parametrize("asked", [ASKED, COMBINED])
async def test_the_models_own_numbers_stay_as_they_were(api, asked) -> None:
    plain, checked = await scored(api), await scored(api, **asked)
    for step in checked["steps"]:
        del step["checks"]
    checked.pop("checked", None)
    assert checked == plain


async def test_the_combined_scores_follow_from_the_stated_rule(api) -> None:
    result = await scored(api, **COMBINED)
    first, *others = [step["score"] for step in result["steps"]]
    combined = [first * 0.01, *others]
    assert result["checked"]["step_scores"] == pytest.approx(combined)
    assert result["checked"]["score"] == pytest.approx(math.prod(combined))
    assert result["checked"]["aggregations"]["min"] == pytest.approx(min(combined))


async def test_a_failed_check_is_the_combined_first_error(api) -> None:
    result = await scored(api, **COMBINED, threshold=0.02)
    assert (result["first_error"], result["checked"]["first_error"]) == (None, 0)


async def test_the_combined_first_error_probabilities_sum_to_one(api) -> None:
    checked = (await scored(api, **COMBINED))["checked"]
    assert sum(checked["first_error_probabilities"]) + checked["no_error_probability"] == pytest.approx(1)


async def test_a_check_named_twice_is_made_once(api) -> None:
    steps = (await scored(api, checks=["arithmetic"] * 2))["steps"]
    assert [len(step["checks"]) for step in steps] == [1, 1, 1]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"checks": ["spelling"]}, "checks[0]"),
        ({"checks": "arithmetic"}, "checks"),
        ({"combine_checks": True}, None),
        ({"checks": ["arithmetic"], "model": "orm"}, "checks"),
    ],
)
async def test_checks_that_cannot_be_made_are_refused(api, fields, param) -> None:
    error = await api.refused("/score", ITEM | fields, 422)
    assert (error["code"], error["param"]) == ("invalid_request", param)


async def test_an_unknown_check_is_told_the_known_ones(api) -> None:
    error = await api.refused("/score", ITEM | {"checks": ["spelling"]}, 422)
    assert "'arithmetic'" in error["message"]


async def test_verdicts_are_combined_with_probabilities_alone(serve) -> None:
    profile = (await serve()).parts.profiles["prm"].model_copy(update={"scale": "signed", "aggregation": "mean"})
    api = await serve(profiles={"signed": profile})
    error = await api.refused("/score", ITEM | COMBINED, 422)
    assert (error["code"], error["param"]) == ("invalid_request", "combine_checks")


RIVALS = {"problem": "2 + 3?", "candidates": ["2 + 3 = 6", "2 + 3 = 5"]}


@pytest.mark.parametrize("strategy", ["process", "process_weighted"])
async def test_a_ranking_goes_by_the_combined_scores(api, strategy) -> None:
    plain = await api.post("/rerank", RIVALS | {"strategy": strategy})
    ranked = await api.post("/rerank", RIVALS | COMBINED | {"strategy": strategy})
    own = {result["index"]: result["score"] for result in plain["results"]}
    assert {result["index"]: result["score"] for result in ranked["results"]} == own
    assert ranked["best"] == 1
    [wrong] = [result for result in ranked["results"] if result["index"] == 0]
    assert wrong["checked"]["score"] == pytest.approx(own[0] * 0.01)


async def test_a_ranking_with_uncombined_checks_is_the_models_own(api) -> None:
    plain, ranked = await api.post("/rerank", RIVALS), await api.post("/rerank", RIVALS | ASKED)
    order = [[(found["index"], found["relevance_score"]) for found in each["results"]] for each in (plain, ranked)]
    assert order[0] == order[1]


async def test_an_outcome_model_beside_the_process_model_is_not_asked_for_checks(api) -> None:
    ranked = await api.post("/rerank", RIVALS | COMBINED | {"strategy": "process_outcome"})
    assert all("checked" in result for result in ranked["results"])


async def test_checks_of_a_ranking_without_a_process_model_are_refused(api) -> None:
    error = await api.refused("/rerank", RIVALS | ASKED | {"strategy": "outcome"}, 422)
    assert (error["code"], error["param"]) == ("invalid_request", "checks")
