"""Requests that are refused whole, with the field at fault: 400, 404, 405 and 422."""

import pytest

ITEM = {"problem": "2 + 3?", "steps": ["2 + 3 = 5"]}
TURNS = [{"role": "user", "content": "p"}, {"role": "assistant", "content": "s"}]
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"items": [{"problem": 3, "steps": ["a"]}]}, "items[0].problem"),
        ({"items": [ITEM, {"problem": "p", "steps": ["a", 5]}]}, "items[1].steps[1]"),
        ({"items": [{"problem": "p", "steps": "a"}]}, "items[0].steps"),
        ({"items": [ITEM | {"answer": "5"}]}, "items[0].answer"),
        ({"items": [{"steps": ["a"]}]}, "items[0]"),
        ({"items": [{"problem": "p", "steps": ["a"], "solution": "a"}]}, "items[0]"),
        ({"items": [{"problem": "p", "messages": TURNS}]}, "items[0]"),
        ({"items": [{"messages": TURNS[:1]}]}, "items[0]"),
        ({"items": [{"messages": TURNS[1:]}]}, "items[0]"),
        ({"items": [{"messages": []}]}, "items[0]"),
        ({"items": [{"messages": [{"role": "tool", "content": "x"}]}]}, "items[0].messages[0].role"),
        ({"items": []}, "items"),
        ({"items": {}}, "items"),
        ({"items": [3]}, "items[0]"),
        ({"items": [ITEM]} | ITEM, None),
        (ITEM | {"thresold": 0.5}, "thresold"),
        (ITEM | {"threshold": "0.5"}, "threshold"),
        (ITEM | {"threshold": True}, "threshold"),
        (ITEM | {"aggregation": "product"}, "aggregation"),
        (ITEM | {"priority": "urgent"}, "priority"),
        (ITEM | {"timeout_s": 0}, "timeout_s"),
        (ITEM | {"timeout_s": 1e9}, "timeout_s"),
        (ITEM | {"trace": "yes"}, "trace"),
        (ITEM | {"model": 1}, "model"),
    ],
)
async def test_a_malformed_score_request_names_its_field(api, body, param) -> None:
    error = await api.refused("/score", body, 422)
    assert (error["code"], error["param"]) == ("invalid_request", param)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"problem": "p"}, None),
        ({"problem": "p", "candidates": []}, "candidates"),
        ({"problem": "p", "candidates": ["a", 3]}, "candidates[1]"),
        ({"problem": "p", "candidates": ["a", {"text": 3}]}, "candidates[1].text"),
        ({"problem": "p", "candidates": [{"text": "a", "txt": "b"}]}, "candidates[0].txt"),
        ({"problem": "p", "candidates": [{"text": "a", "steps": ["b"]}]}, "candidates[0]"),
        ({"problem": "p", "candidates": [{"answer": "5"}]}, "candidates[0]"),
        ({"candidates": ["a"]}, None),
        ({"query": 3, "documents": ["a"], "strategy": "process"}, "query"),
        ({"query": "p", "documents": ["a"], "candidates": ["b"]}, "documents"),
        ({"items": [{"problem": "p", "candidates": ["a", 3]}]}, "items[0].candidates[1]"),
        ({"items": [{"problem": "p", "candidates": ["a"]}], "problem": "p"}, None),
        ({"items": []}, "items"),
        ({"problem": "p", "candidates": ["a"], "strategy": "best"}, "strategy"),
        ({"problem": "p", "candidates": ["a"], "top_n": 0}, "top_n"),
        ({"problem": "p", "candidates": ["a"], "tie_seed": 0.5}, "tie_seed"),
    ],
)
async def test_a_malformed_rerank_request_names_its_field(api, body, param) -> None:
    error = await api.refused("/rerank", body, 422)
    assert (error["code"], error["param"]) == ("invalid_request", param)


@pytest.mark.parametrize(
    ("path", "rest", "field"),
    [
        ("/score", b'"problem": "p", "steps": ["a"]', b"threshold"),
        ("/score", b'"problem": "p", "steps": ["a"]', b"timeout_s"),
        ("/rerank", b'"problem": "p", "candidates": ["a"]', b"threshold"),
        ("/rerank", b'"problem": "p", "candidates": ["a"]', b"abstain_below"),
        ("/sample", b'"problem": "p"', b"temperature"),
        ("/sample", b'"problem": "p"', b"top_p"),
    ],
)
@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
async def test_numbers_that_are_not_finite_are_refused(api, error_of, path, rest, field, value) -> None:
    response = await api.http.post(path, content=b'{%s, "%s": %s}' % (rest, field, value), headers=JSON)
    assert (response.status_code, error_of(response)["param"]) == (422, field.decode())


@pytest.mark.parametrize("value", [b"NaN", b"Infinity"])
async def test_numbers_that_are_not_finite_are_never_echoed(api, value) -> None:
    content = b'{"problem": "p", "steps": ["a"], "threshold": %s}' % value
    response = await api.http.post("/score", content=content, headers=JSON)
    assert value not in response.content


@pytest.mark.parametrize(
    "content", [b"{", b"problem=2", b"\xff\xfe", b'{"problem": "p",}', b"[" * 20_000, b'{"n": %s}' % (b"9" * 5000)]
)
async def test_a_body_that_is_not_json_is_a_bad_request(api, error_of, content) -> None:
    response = await api.http.post("/score", content=content, headers=JSON)
    assert (response.status_code, error_of(response)["code"]) == (400, "bad_request")


@pytest.mark.parametrize("headers", [{}, {"content-type": "text/plain"}])
async def test_a_body_that_does_not_say_it_is_json_is_told_how(api, error_of, headers) -> None:
    response = await api.http.post("/score", content=b'{"problem": "p", "steps": ["a"]}', headers=headers)
    error = error_of(response)
    assert (response.status_code, error["code"], "application/json" in error["message"]) == (400, "bad_request", True)


@pytest.mark.parametrize("path", ["/score", "/rerank"])
async def test_a_body_that_fits_nothing_is_unrecognised(api, path) -> None:
    assert (await api.refused(path, {"input": "hello"}, 400))["code"] == "unrecognised_body"


@pytest.mark.parametrize(("path", "body"), [("/sample", {"n": 3}), ("/surefoot/v1/score", {"input": "hello"})])
async def test_where_no_other_system_speaks_the_body_is_ours_with_a_mistake(api, path, body) -> None:
    assert (await api.refused(path, body, 422))["code"] == "invalid_request"


@pytest.mark.parametrize("body", [{}, [], "text", 3, None])
async def test_a_body_without_an_item_is_invalid(api, body) -> None:
    assert (await api.refused("/score", body, 422))["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("path", "fields", "param"),
    [
        ("/score", {"steps": ["a"], "model": "other"}, "model"),
        ("/rerank", {"candidates": ["a"], "model": "other"}, "model"),
        ("/rerank", {"candidates": ["a"], "strategy": "outcome", "outcome_model": "other"}, "outcome_model"),
    ],
)
async def test_an_unknown_model_is_not_found(api, path, fields, param) -> None:
    error = await api.refused(path, {"problem": "p"} | fields, 404)
    assert (error["code"], error["param"]) == ("model_not_found", param)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"strategy": "outcome", "outcome_model": "prm"}, "outcome_model"),
        ({"strategy": "process", "model": "orm"}, "model"),
        ({"strategy": "majority", "outcome_model": "prm"}, "outcome_model"),
    ],
)
async def test_a_model_of_the_wrong_kind_is_refused(api, fields, param) -> None:
    error = await api.refused("/rerank", {"problem": "p", "candidates": ["a"]} | fields, 422)
    assert (error["code"], error["param"]) == ("wrong_model_kind", param)


async def test_a_strategy_without_a_model_of_its_kind_says_so(serve) -> None:
    profiles = (await serve()).parts.profiles
    api = await serve(profiles={"prm": profiles["prm"]})
    body = {"problem": "p", "candidates": ["a"], "strategy": "outcome"}
    assert (await api.refused("/rerank", body, 404))["code"] == "model_not_found"


async def test_an_unknown_path_has_the_native_shape(api, error_of) -> None:
    response = await api.http.get("/nowhere")
    assert (response.status_code, error_of(response)["code"]) == (404, "not_found")


async def test_a_wrong_method_has_the_native_shape(api, error_of) -> None:
    response = await api.http.get("/score")
    assert (response.status_code, error_of(response)["code"]) == (405, "method_not_allowed")


async def test_the_allowed_methods_are_named(api) -> None:
    assert (await api.http.get("/score")).headers["allow"] == "POST"


async def test_an_unknown_field_is_not_quoted_back_with_its_value(api) -> None:
    response = await api.http.post("/score", json=ITEM | {"note": "my secret"})
    assert "my secret" not in response.text


@pytest.mark.parametrize("bad", [{"problem": ["my secret"]}, {"aggregation": "my secret"}, {"threshold": "my secret"}])
async def test_a_bad_value_is_not_quoted_back(api, bad) -> None:
    response = await api.http.post("/score", json=ITEM | bad)
    assert (response.status_code, "my secret" in response.text) == (422, False)


async def test_a_field_name_that_is_no_text_is_refused(api, error_of) -> None:
    response = await api.http.post("/score", content=b'{"\\ud800": 1, "items": []}', headers=JSON)
    assert (response.status_code, error_of(response)["code"]) == (422, "invalid_request")
