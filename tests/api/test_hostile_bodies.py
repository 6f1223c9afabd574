"""Bodies that attack the reader: nested, compressed, in other encodings, with huge numbers and names."""

import json

import pytest

from surefoot.api.service import Limits

JSON = {"content-type": "application/json"}
ITEM = {"problem": "2 + 3?", "steps": ["2 + 3 = 5"]}
HUGE = 10**400


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000 + b"]" * 100_000, b'{"problem":' * 100_000 + b"1" + b"}" * 100_000],
    ids=["lists", "objects"],
)
async def test_a_hundred_thousand_levels_are_a_bad_request(api, error_of, content) -> None:
    response = await api.http.post("/score", content=content, headers=JSON)
    assert (response.status_code, error_of(response)["code"]) == (400, "bad_request")


@pytest.mark.parametrize("levels", [10, 200, 900, 2_000])
@pytest.mark.parametrize("field", ["steps", "items", "messages", "problem", "note"])
async def test_levels_inside_a_field_are_refused_by_status(api, error_of, field, levels) -> None:
    content = b'{"problem": "p", "%s": %s}' % (field.encode(), b"[" * levels + b"]" * levels)
    response = await api.http.post("/score", content=content, headers=JSON)
    assert (response.status_code in (400, 422), bool(error_of(response)["message"])) == (True, True)


@pytest.mark.parametrize("encoding", ["deflate", "br", "zstd", "gzip, identity", "gzip, gzip", "unknown"])
async def test_another_packing_than_gzip_is_refused(api, error_of, encoding) -> None:
    response = await api.http.post("/score", content=b"\x1f\x8b", headers=JSON | {"content-encoding": encoding})
    error = error_of(response)
    assert (response.status_code, error["code"]) == (415, "unsupported_encoding")
    assert "content-encoding" in error["message"]


async def test_the_encoding_identity_is_no_encoding(api) -> None:
    response = await api.http.post("/score", json=ITEM, headers={"content-encoding": "identity"})
    assert response.status_code == 200


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
async def test_json_in_another_unicode_encoding_is_read_as_what_it_says(api, encoding) -> None:
    content = json.dumps(ITEM | {"problem": "fünf"}, ensure_ascii=False).encode(encoding)
    response = await api.http.post("/score", content=content, headers=JSON)
    plain = await api.post("/score", ITEM | {"problem": "fünf"})
    assert response.json()["results"] == plain["results"]


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xc0\xaf", b"\xf8\x88\x80\x80\x80"])
async def test_bytes_that_are_no_utf8_are_a_bad_request(api, error_of, bad) -> None:
    response = await api.http.post("/score", content=b'{"problem": "p", "steps": ["%s"]}' % bad, headers=JSON)
    assert (response.status_code, error_of(response)["code"]) == (400, "bad_request")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/xml"])
async def test_another_content_type_is_told_how_to_send_json(api, error_of, kind) -> None:
    response = await api.http.post("/score", content=b"problem=p", headers={"content-type": kind})
    error = error_of(response)
    assert (response.status_code, "application/json" in error["message"]) == (400, True)


async def test_of_a_key_that_is_given_twice_the_last_one_counts(api) -> None:
    content = b'{"problem": "p", "steps": ["a"], "steps": ["b", "c"]}'
    response = await api.http.post("/score", content=content, headers=JSON)
    assert response.json()["results"][0]["text"] == "b\nc"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/score", ITEM | {"threshold": HUGE}),
        ("/score", ITEM | {"timeout_s": HUGE}),
        ("/rerank", {"problem": "p", "candidates": ["a"], "abstain_below": -HUGE}),
        ("/sample", {"problem": "p", "n": HUGE}),
        ("/sample", {"problem": "p", "seed": HUGE}),
        ("/sample", {"problem": "p", "top_k": HUGE}),
        ("/select", {"items": [{"problem": "p", "answer": "1", "candidates": ["a"]}], "top_k": HUGE}),
    ],
)
async def test_a_number_beyond_all_use_is_refused_with_its_field(api, path, body) -> None:
    error = await api.refused(path, body, 422)
    assert (error["code"], error["param"]) == ("invalid_request", list(body)[-1])


@pytest.mark.parametrize("field", ["top_n", "tie_seed"])
async def test_a_number_that_may_be_large_may_be_huge(api, field) -> None:
    body = {"problem": "p", "candidates": ["5", "5"]}
    assert (await api.post("/rerank", body | {field: HUGE}))["results"]


async def test_a_huge_field_name_is_not_sent_back_whole(api) -> None:
    response = await api.http.post("/score", json=ITEM | {"k" * 1_000_000: 1})
    assert (response.status_code, len(response.content) < 2000) == (422, True)


async def test_a_short_field_name_is_sent_back_whole(api) -> None:
    assert (await api.refused("/score", ITEM | {"k" * 200: 1}, 422))["param"] == "k" * 200


async def test_ten_thousand_steps_are_the_items_error(api) -> None:
    items = [ITEM, {"problem": "p", "steps": ["a"] * 10_000}, ITEM]
    before, failed, after = (await api.post("/score", {"items": items}))["results"]
    assert failed["error"]["code"] == "too_many_steps"
    assert "10000 steps, limit 1024" in failed["error"]["message"]
    assert before["steps"] == after["steps"]


async def test_the_limit_of_steps_can_be_set(serve) -> None:
    api = await serve(limits=Limits(max_steps=2))
    items = [{"problem": "p", "solution": "a\nb"}, {"problem": "p", "solution": "a\nb\nc"}]
    fits, failed = (await api.post("/score", {"items": items}))["results"]
    assert (len(fits["steps"]), failed["error"]["code"]) == (2, "too_many_steps")


@pytest.mark.parametrize(
    "item",
    [
        {"problem": "p", "solution": "x" * 5_000_000},
        {"problem": "p", "solution": "a\n" * 2_500_000},
        {"problem": "x" * 5_000_000, "steps": ["a"]},
    ],
    ids=["solution", "lines", "problem"],
)
async def test_five_megabytes_are_the_items_error(api, item) -> None:
    failed, fits = (await api.post("/score", {"items": [item, ITEM]}))["results"]
    assert (failed["error"]["code"], "at least" in failed["error"]["message"]) == ("input_too_long", True)
    assert "error" not in fits


async def test_five_megabytes_are_refused_by_every_ranking(api) -> None:
    body = {"problem": "p", "candidates": ["x" * 5_000_000, "5"], "strategy": "process_outcome"}
    ranked = (await api.post("/rerank", body))["results"]
    assert [one.get("error", {}).get("code") for one in ranked] == [None, "input_too_long"]
