"""Whose a body on /score and /rerank is: a native key makes it native and strict, else another system's keys decide."""

import json

import pytest

PROBLEM = "2 + 3?"
VLLM = {"query": PROBLEM, "documents": ["It is 5.", "It is 6."]}
TEI = {"query": PROBLEM, "texts": ["It is 5.", "It is 6."]}


@pytest.mark.parametrize("extra", [{}, {"model": "prm"}, {"top_n": 1}, {"return_documents": True}, {"unknown": 1}])
async def test_without_a_native_key_a_rerank_body_is_vllms(api, extra) -> None:
    answer = await api.post("/rerank", VLLM | extra)
    assert set(answer) == {"id", "model", "usage", "results"}


@pytest.mark.parametrize(
    "extra", [{"strategy": "process"}, {"aggregation": "min"}, {"threshold": 0.5}, {"timeout_s": 9.0}, {"tie_seed": 1}]
)
async def test_a_native_key_makes_a_rerank_body_native(api, extra) -> None:
    assert "fingerprints" in await api.post("/rerank", VLLM | extra)


async def test_a_native_key_makes_a_rerank_body_strict(api) -> None:
    error = await api.refused("/rerank", VLLM | {"strategy": "process", "stratgy": "majority"}, 422)
    assert error["param"] == "stratgy"


async def test_a_native_key_makes_a_score_body_strict(api) -> None:
    body = {"problem": PROBLEM, "solution": "It is 5.", "text_1": PROBLEM, "text_2": "It is 5."}
    assert (await api.refused("/score", body, 422))["param"] in ("text_1", "text_2")


async def test_texts_are_text_embeddings_inferences(api) -> None:
    assert isinstance(await api.post("/rerank", TEI), list)


@pytest.mark.parametrize("body", [{"text_1": PROBLEM}, {"queries": 3, "documents": "a"}])
async def test_a_mistake_in_vllms_body_is_told_as_vllm_does(api, body) -> None:
    response = await api.http.post("/score", json=body)
    assert (response.status_code, response.json()["error"]["type"]) == (400, "BadRequestError")


async def test_a_mistake_in_teis_body_is_told_as_tei_does(api) -> None:
    response = await api.http.post("/rerank", json=TEI | {"raw_scores": "x"})
    assert (response.status_code, set(response.json())) == (422, {"error", "error_type"})


async def test_a_problem_that_quotes_another_systems_key_is_native(api) -> None:
    item = {"problem": 'What does {"text_1": "a"} say?', "solution": "It is JSON."}
    assert (await api.post("/score", item))["results"][0]["score"] > 0


async def test_half_a_body_belongs_to_nobody(api) -> None:
    assert (await api.refused("/score", {"text_2": "a"}, 400))["code"] == "unrecognised_body"


async def test_json_that_is_no_object_is_native(api) -> None:
    await api.refused("/score", ["text_1", "queries"], 422)


@pytest.mark.parametrize("content", [b'{"text_1": ', b'{"text_1": ' + b"[" * 100_000])
async def test_what_is_no_json_is_a_bad_request(api, content) -> None:
    response = await api.http.post("/score", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 400


async def test_on_the_prefixed_native_path_nothing_else_is_spoken(api) -> None:
    response = await api.http.post("/surefoot/v1/score", json={"text_1": PROBLEM, "text_2": "5"})
    assert response.status_code == 422


async def test_what_is_answered_is_measured_as_the_dialects_route(api) -> None:
    await api.post("/score", {"text_1": PROBLEM, "text_2": "5"})
    assert 'route="/v1/score"' in (await api.http.get("/metrics")).text


@pytest.mark.parametrize("dialects", [frozenset(), frozenset({"tei"})])
async def test_a_dialect_that_is_off_has_no_paths(serve, dialects) -> None:
    api = await serve(dialects=dialects)
    for path in ("/v1/score", "/v1/rerank", "/pooling", "/classify", "/cohere/v2/rerank", "/get_reward"):
        assert (await api.http.post(path, json={})).status_code == 404


async def test_bodies_of_a_dialect_that_is_off_are_native_ones(serve) -> None:
    api = await serve(dialects=frozenset())
    assert "fingerprints" in await api.post("/rerank", VLLM)
    assert (await api.refused("/score", {"text_1": PROBLEM, "text_2": "5"}, 400))["code"] == "unrecognised_body"


async def test_the_document_tells_no_dialect_that_is_off(serve) -> None:
    paths = json.loads((await (await serve(dialects=frozenset({"slime"}))).http.get("/openapi.json")).text)["paths"]
    assert "/slime/reward" in paths
    assert not {"/v1/score", "/predict"} & set(paths)
