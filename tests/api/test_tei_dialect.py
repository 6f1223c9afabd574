"""What clients of Text Embeddings Inference are promised: bare lists, one class, and its headers."""

import pytest

PROBLEM = "2 + 3?"
TEXTS = ["2 + 3 = 5.", "2 + 3 = 6.", "Hm."]
PATHS = ["/rerank", "/tei/rerank"]


async def native(api, model, texts=TEXTS) -> list[dict]:
    items = [{"problem": PROBLEM, "solution": text} for text in texts]
    return (await api.post("/score", {"model": model, "items": items}))["results"]


@pytest.mark.parametrize("path", PATHS)
async def test_texts_come_back_by_descending_native_score(api, path) -> None:
    ranks = await api.post(path, {"query": PROBLEM, "texts": TEXTS})
    expected = [result["score"] for result in await native(api, "prm")]
    order = sorted(range(len(TEXTS)), key=lambda index: -expected[index])
    assert ranks == [{"index": index, "score": expected[index]} for index in order]


async def test_a_text_comes_along_where_it_is_asked_for(api) -> None:
    ranks = await api.post("/tei/rerank", {"query": PROBLEM, "texts": TEXTS, "return_text": True, "truncate": True})
    assert all(rank["text"] == TEXTS[rank["index"]] for rank in ranks)


async def test_a_model_is_named_in_the_url(api) -> None:
    [rank] = await api.post("/rerank?model=orm", {"query": PROBLEM, "texts": TEXTS[:1]})
    assert rank["score"] == (await native(api, "orm", TEXTS[:1]))[0]["score"]


async def test_scores_are_inside_the_unit_interval_and_raw_ones_are_not_mapped(api) -> None:
    body = {"query": PROBLEM, "texts": TEXTS}
    mapped = await api.post("/tei/rerank?model=reward", body)
    raw = await api.post("/tei/rerank?model=reward", body | {"raw_scores": True})
    assert all(0 < rank["score"] < 1 for rank in mapped)
    values = {index: result["raw"][0] for index, result in enumerate(await native(api, "reward"))}
    assert {rank["index"]: rank["score"] for rank in raw} == values


@pytest.mark.parametrize(("query", "extra"), [("?model=raw", {}), ("", {"raw_scores": True})])
async def test_a_scale_that_a_model_has_not_is_refused(api, query, extra) -> None:
    response = await api.http.post(f"/tei/rerank{query}", json={"query": PROBLEM, "texts": TEXTS} | extra)
    assert (response.status_code, response.json()["error_type"]) == (422, "validation")


@pytest.mark.parametrize("path", ["/predict", "/tei/predict"])
async def test_a_pair_is_one_prediction(api, path) -> None:
    [result] = await native(api, "prm", TEXTS[:1])
    predicted = await api.post(path, {"inputs": [PROBLEM, TEXTS[0]]})
    assert predicted == [{"score": result["score"], "label": "LABEL_0"}]


async def test_a_batch_is_predicted_in_order(api) -> None:
    predicted = await api.post("/predict", {"inputs": [[PROBLEM, text] for text in TEXTS]})
    expected = [result["score"] for result in await native(api, "prm")]
    assert [[prediction["score"] for prediction in one] for one in predicted] == [[score] for score in expected]


async def test_a_single_text_is_a_rendered_conversation(api) -> None:
    text = f"<|im_start|>user\n{PROBLEM}<|im_end|>\n<|im_start|>assistant\n{TEXTS[0]}<|im_end|>"
    [result] = await native(api, "prm", TEXTS[:1])
    for inputs, expected in ((text, [result["score"]]), ([[text], [text]], [result["score"]] * 2)):
        predicted = await api.post("/predict", {"inputs": inputs})
        flat = [one for part in predicted for one in (part if isinstance(part, list) else [part])]
        assert [prediction["score"] for prediction in flat] == expected


@pytest.mark.parametrize("inputs", ["It is 5.", [], [["a", "b", "c"]], ["a", "b", "c"], [[]], 3, [[PROBLEM, " "]]])
async def test_inputs_that_cannot_be_read_are_refused(api, inputs) -> None:
    response = await api.http.post("/predict", json={"inputs": inputs})
    assert (response.status_code, response.json()["error_type"]) == (422, "validation")


@pytest.mark.parametrize(
    "header", ["x-total-time", "x-queue-time", "x-inference-time", "x-tokenization-time", "x-compute-tokens"]
)
async def test_its_headers_are_whole_numbers(api, header) -> None:
    response = await api.http.post("/predict", json={"inputs": [PROBLEM, TEXTS[0]]})
    assert response.headers[header].isdigit()


async def test_computed_tokens_are_the_native_ones(api) -> None:
    response = await api.http.post("/predict", json={"inputs": [PROBLEM, TEXTS[0]]})
    [result] = await native(api, "prm", TEXTS[:1])
    assert int(response.headers["x-compute-tokens"]) == result["num_tokens"]
