"""Items that fail: an error in their place, with 200, and never a neighbour's."""

import asyncio
import math

import pytest

from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import Forwarded

GOOD = {"problem": "2 + 3?", "steps": ["2 + 3 = 5", "The answer is 5."]}


async def error_of(api, item, **fields) -> dict:
    """The error of an item that stands between two good ones."""
    before, failed, after = (await api.post("/score", {"items": [GOOD, item, GOOD], **fields}))["results"]
    assert "error" not in before
    assert "error" not in after
    assert set(failed) - {"id"} == {"index", "error"}
    return failed["error"]


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"problem": "", "steps": ["a"]}, "empty_problem"),
        ({"problem": " \n\t", "steps": ["a"]}, "empty_problem"),
        ({"problem": "p", "steps": []}, "no_steps"),
        ({"problem": "p", "solution": ""}, "no_steps"),
        ({"problem": "p", "solution": " \n "}, "no_steps"),
        ({"problem": "p"}, "no_steps"),
        ({"problem": "p", "steps": ["a", " ", "b"]}, "empty_step"),
        ({"problem": "p", "steps": ["x" * 5000]}, "input_too_long"),
    ],
)
async def test_a_bad_item_fails_alone(api, item, code) -> None:
    assert (await error_of(api, item))["code"] == code


async def test_a_failed_item_keeps_its_id_and_index(api) -> None:
    answer = await api.post("/score", {"items": [GOOD, {"id": "bad", "problem": "p", "steps": []}]})
    assert (answer["results"][1]["index"], answer["results"][1]["id"]) == (1, "bad")


async def test_a_conversation_that_the_template_refuses_fails_alone(api) -> None:
    turns = [("user", "hi"), ("system", "now"), ("user", "2 + 3?"), ("assistant", "5")]
    item = {"messages": [{"role": role, "content": content} for role, content in turns]}
    assert (await error_of(api, item, model="orm"))["code"] == "unsupported_messages"


async def test_too_long_tells_both_token_counts(serve) -> None:
    api = await serve(backend=FakeBackend(max_input_tokens=500))
    error = await error_of(api, {"problem": "p", "steps": ["x" * 497]})
    assert "limit 500" in error["message"]
    fits = (await api.post("/score", {"problem": "p", "steps": ["x"]}))["results"][0]
    assert f"has {fits['num_tokens'] + 496} tokens" in error["message"]


async def test_an_input_at_the_limit_is_scored(serve) -> None:
    num_tokens = (await (await serve()).post("/score", GOOD))["results"][0]["num_tokens"]
    api = await serve(backend=FakeBackend(max_input_tokens=num_tokens))
    assert "error" not in (await api.post("/score", GOOD))["results"][0]


async def test_an_input_over_the_limit_is_never_cut(serve) -> None:
    num_tokens = (await (await serve()).post("/score", GOOD))["results"][0]["num_tokens"]
    api = await serve(backend=FakeBackend(max_input_tokens=num_tokens - 1))
    assert (await api.post("/score", GOOD))["results"][0]["error"]["code"] == "input_too_long"


async def test_the_answer_is_200_when_every_item_failed(api) -> None:
    answer = await api.post("/score", {"items": [{"problem": "", "steps": ["a"]}, {"problem": "p", "steps": []}]})
    assert [result["error"]["code"] for result in answer["results"]] == ["empty_problem", "no_steps"]


async def test_a_deadline_that_passed_in_the_queue_is_the_items_error(api) -> None:
    api.parts.backend.hold()
    running = asyncio.create_task(api.post("/score", GOOD))
    await api.until(lambda: len(api.parts.backend.batches) == 1)
    late = (await api.post("/score", GOOD | {"timeout_s": 0.01}))["results"][0]
    api.parts.backend.release()
    await running
    assert late["error"]["code"] == "deadline_exceeded"


async def test_a_failed_forward_pass_is_the_items_error(api) -> None:
    api.parts.backend.fail_items(lambda item: item.rendered.num_tokens > 1000)
    assert (await error_of(api, {"problem": "p", "steps": ["x" * 1000]}))["code"] == "backend_failed"


async def test_an_error_says_whether_trying_again_helps(api) -> None:
    api.parts.backend.fail_items(lambda item: item.rendered.num_tokens > 1000)
    retryable = (await error_of(api, {"problem": "p", "steps": ["x" * 1000]}))["retryable"]
    assert (retryable, (await error_of(api, {"problem": "", "steps": ["a"]}))["retryable"]) == (True, False)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
async def test_a_value_that_is_not_finite_is_no_score(serve, value) -> None:
    class Overflowing(FakeBackend):
        def forward(self, batch):
            return [
                Forwarded(tuple((value, 0.0) for _ in result.rows)) if item.rendered.num_tokens > 1000 else result
                for item, result in zip(batch, super().forward(batch), strict=True)
            ]

    api = await serve(backend=Overflowing())
    assert (await error_of(api, {"problem": "p", "steps": ["x" * 1000]}))["code"] == "non_finite_score"


async def test_a_backend_that_loses_a_row_is_a_mismatch(serve) -> None:
    class Losing(FakeBackend):
        def forward(self, batch):
            return [
                Forwarded(result.rows[1:]) if item.rendered.num_tokens > 1000 else result
                for item, result in zip(batch, super().forward(batch), strict=True)
            ]

    api = await serve(backend=Losing())
    assert (await error_of(api, {"problem": "p", "steps": ["x" * 1000]}))["code"] == "step_count_mismatch"


async def test_messages_of_errors_hold_no_user_text(api) -> None:
    secret = "zebra" * 1000
    assert "zebra" not in str(await error_of(api, {"problem": secret, "steps": [secret]}))
