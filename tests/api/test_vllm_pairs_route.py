"""What /score, /rerank and /classify promise clients of vLLM: its fields, and the native routes' scores."""

import pytest

PROBLEM = "Ann has 2 apples and buys 3. How many has she?"
SOLUTIONS = ["2 + 3 = 5.\nThe answer is 5.", "2 + 3 = 6.\nThe answer is 6.", "Hm."]
CHATML = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n{}<|im_end|>\n"
SCORE_PATHS = ["/score", "/v1/score"]
RERANK_PATHS = ["/rerank", "/v1/rerank", "/v2/rerank"]


async def native(api, model="prm", solutions=SOLUTIONS, problem=PROBLEM) -> list[dict]:
    items = [{"problem": problem, "solution": solution} for solution in solutions]
    return (await api.post("/score", {"model": model, "items": items}))["results"]


async def scores(api, model="prm", **given) -> list[float]:
    return [result["score"] for result in await native(api, model, **given)]


async def refused(api, path, body, status=400) -> dict:
    response = await api.http.post(path, json=body)
    assert response.status_code == status, response.text
    return response.json()["error"]


@pytest.mark.parametrize("path", SCORE_PATHS)
@pytest.mark.parametrize(
    "names", [("text_1", "text_2"), ("data_1", "data_2"), ("queries", "documents"), ("queries", "items")]
)
async def test_scores_are_the_native_ones(api, path, names) -> None:
    answer = await api.post(path, dict(zip(names, (PROBLEM, SOLUTIONS), strict=True)))
    assert [datum["score"] for datum in answer["data"]] == await scores(api)


@pytest.mark.parametrize("path", SCORE_PATHS)
async def test_a_score_answer_has_vllms_fields(api, path) -> None:
    answer = await api.post(path, {"text_1": PROBLEM, "text_2": SOLUTIONS[0], "model": "prm", "user": "me"})
    [result] = await native(api, solutions=SOLUTIONS[:1])
    tokens = result["num_tokens"]
    assert {name: answer[name] for name in ("object", "model", "data", "usage")} == {
        "object": "list",
        "model": "prm",
        "data": [{"index": 0, "object": "score", "score": result["score"]}],
        "usage": {
            "prompt_tokens": tokens,
            "total_tokens": tokens,
            "completion_tokens": 0,
            "prompt_tokens_details": None,
        },
    }
    assert isinstance(answer["created"], int)


async def test_as_many_problems_as_solutions_are_pairs(api) -> None:
    problems = [PROBLEM, "2 + 4?"]
    answer = await api.post("/score", {"text_1": problems, "text_2": SOLUTIONS[:2]})
    singly = [(await scores(api, solutions=[s], problem=p))[0] for p, s in zip(problems, SOLUTIONS[:2], strict=True)]
    assert [datum["score"] for datum in answer["data"]] == singly


@pytest.mark.parametrize("path", RERANK_PATHS)
async def test_documents_are_ranked_by_the_native_scores(api, path) -> None:
    answer = await api.post(path, {"query": PROBLEM, "documents": SOLUTIONS})
    expected = await scores(api)
    order = sorted(range(len(SOLUTIONS)), key=lambda index: -expected[index])
    assert answer["results"] == [
        {
            "index": index,
            "document": {"text": SOLUTIONS[index], "multi_modal": None},
            "relevance_score": expected[index],
        }
        for index in order
    ]


async def test_a_process_models_order_is_the_native_ones(api) -> None:
    answer = await api.post("/rerank", {"query": PROBLEM, "documents": SOLUTIONS})
    ranked = await api.post("/rerank", {"problem": PROBLEM, "candidates": SOLUTIONS})
    pairs = [[(r["index"], r["relevance_score"]) for r in found["results"]] for found in (answer, ranked)]
    assert pairs[0] == pairs[1]


@pytest.mark.parametrize(("top_n", "count"), [(0, 3), (1, 1), (2, 2), (9, 3), (None, 3)])
async def test_top_n_counts_results_and_zero_means_all(api, top_n, count) -> None:
    answer = await api.post("/v1/rerank", {"query": PROBLEM, "documents": SOLUTIONS, "top_n": top_n})
    assert len(answer["results"]) == count


async def test_an_outcome_model_may_be_named(api) -> None:
    answer = await api.post("/score", {"text_1": PROBLEM, "text_2": SOLUTIONS, "model": "orm"})
    assert [datum["score"] for datum in answer["data"]] == await scores(api, "orm")


@pytest.mark.parametrize(
    "asked", [{"input": CHATML.format(PROBLEM, SOLUTIONS[0])}, {"messages": [("user", PROBLEM), ("assistant", "5.")]}]
)
async def test_a_classified_conversation_has_the_native_score(api, asked) -> None:
    solution = SOLUTIONS[0]
    if "messages" in asked:
        solution = "5."
        asked = {"messages": [{"role": role, "content": content} for role, content in asked["messages"]]}
    answer = await api.post("/classify", asked)
    [score] = await scores(api, solutions=[solution])
    assert answer["data"] == [{"index": 0, "label": "LABEL_0", "probs": [score], "num_classes": 1}]


async def test_verl_reads_an_outcome_models_value_before_its_activation(api) -> None:
    rendered = CHATML.format(PROBLEM, SOLUTIONS[0])
    answer = await api.post("/classify", {"model": "reward", "input": rendered, "use_activation": False})
    [result] = await native(api, "reward", solutions=SOLUTIONS[:1])
    assert answer["data"][-1]["probs"][-1] == result["raw"][-1]


async def test_several_conversations_are_classified_in_order(api) -> None:
    answer = await api.post("/classify", {"input": [CHATML.format(PROBLEM, solution) for solution in SOLUTIONS]})
    assert [datum["probs"][-1] for datum in answer["data"]] == await scores(api)


async def test_without_activation_a_scalar_head_gives_its_value(api) -> None:
    answer = await api.post(
        "/score", {"text_1": PROBLEM, "text_2": SOLUTIONS, "model": "reward", "use_activation": False}
    )
    expected = [result["raw"][0] for result in await native(api, "reward")]
    assert [datum["score"] for datum in answer["data"]] == expected


async def test_with_activation_an_unbounded_score_is_mapped(api) -> None:
    body = {"text_1": PROBLEM, "text_2": SOLUTIONS, "model": "reward"}
    own, mapped = [(await api.post("/score", body | extra))["data"] for extra in ({}, {"use_activation": True})]
    assert [datum["score"] for datum in own] == await scores(api, "reward")
    assert all(0 < datum["score"] < 1 for datum in mapped)
    assert [datum["score"] for datum in mapped] != [datum["score"] for datum in own]


@pytest.mark.parametrize("model", ["prm", "orm"])
async def test_what_has_no_value_before_an_activation_is_refused_one(api, model) -> None:
    body = {"text_1": PROBLEM, "text_2": SOLUTIONS, "model": model, "use_activation": False}
    assert (await refused(api, "/score", body))["param"] == "use_activation"


async def test_what_has_no_place_in_the_unit_interval_is_refused_one(api) -> None:
    body = {"text_1": PROBLEM, "text_2": SOLUTIONS, "model": "raw", "use_activation": True}
    assert (await refused(api, "/score", body))["param"] == "use_activation"


@pytest.mark.parametrize("limit", ["truncate_prompt_tokens", "max_tokens_per_doc"])
async def test_what_vllm_would_cut_is_refused(api, limit) -> None:
    body = {"query": PROBLEM, "documents": SOLUTIONS}
    longest = max(result["num_tokens"] for result in await native(api))
    assert f"limit {longest - 1}" in (await refused(api, "/v1/rerank", body | {limit: longest - 1}))["message"]
    assert (await api.post("/v1/rerank", body | {limit: longest}))["results"]


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/score", {}, None),
        ("/v1/score", {"text_1": PROBLEM}, None),
        ("/v1/score", {"text_1": PROBLEM, "text_2": []}, "text_2"),
        ("/v1/score", {"text_1": [PROBLEM] * 2, "text_2": SOLUTIONS}, None),
        ("/v1/score", {"text_1": PROBLEM, "text_2": "a", "data_1": PROBLEM, "data_2": "a"}, None),
        ("/v1/score", {"text_1": PROBLEM, "text_2": [{"content": []}]}, "text_2[0]"),
        ("/v1/rerank", {"query": PROBLEM}, "documents"),
        ("/v1/rerank", {"query": PROBLEM, "documents": SOLUTIONS, "top_n": -1}, "top_n"),
        ("/v1/rerank", {"query": PROBLEM, "documents": ["It is 5.", " "]}, "documents[1]"),
        ("/classify", {}, None),
        ("/classify", {"input": [1, 2]}, "input"),
        ("/classify", {"input": "It is 5."}, None),
        ("/classify", {"input": "<|im_start|>user\n2 + 3?<|im_end|>\n"}, None),
    ],
)
async def test_a_bad_body_is_a_bad_request(api, path, body, param) -> None:
    error = await refused(api, path, body)
    assert (error["type"], error["param"], error["code"]) == ("BadRequestError", param, 400)


async def test_a_callers_own_id_comes_back(api) -> None:
    answer = await api.post("/v1/score", {"text_1": PROBLEM, "text_2": "5", "request_id": "mine"})
    assert answer["id"] == "score-mine"
