"""Answers that attack the comparison: nested, unbalanced, huge, or costly to evaluate. The votes go on."""

import time
from collections.abc import Iterator

import pytest

from surefoot.answers import MathVerifyJudge

GOOD = [r"So \boxed{\frac{1}{2}}", r"The answer is 0.5.", r"#### 1/2"]


@pytest.fixture(scope="module")
def judge() -> Iterator[MathVerifyJudge]:
    with MathVerifyJudge(limit_s=0.5) as started:
        started.start()
        yield started


@pytest.mark.parametrize(
    "hostile",
    [
        r"\boxed{" * 10_000,
        r"\boxed{" * 10_000 + "7" + "}" * 10_000,
        r"\boxed{9^{9^{9^9}}}",
        r"\boxed{\frac{1}{9^{9^{9^9}}-9^{9^{9^9}}}}",
        r"\boxed{100000!!}",
        r"\boxed{}}}}{{{\frac{}",
        r"\boxed{\left(\left[\left\{x\right)}",
        "The answer is " + "9" * 100_000 + ".",
        "The answer is " + "$" * 100_000,
        r"\boxed{" + "x+" * 50_000 + "1}",
        r"\boxed{" + r"\sqrt{" * 5_000 + "2" + "}" * 5_000 + "}",
        "\\boxed{\x00\x01\u202e\U0001f468\u200d\U0001f469}",
        r"\boxed{__import__('os').system('true')}",
        "####" + " " * 100_000 + "7",
    ],
    ids=[
        "open",
        "nested",
        "tower",
        "towers",
        "factorial",
        "braces",
        "left",
        "digits",
        "dollars",
        "sum",
        "roots",
        "controls",
        "python",
        "spaces",
    ],
)
async def test_a_hostile_answer_costs_little_and_leaves_the_vote_alone(serve, judge, hostile) -> None:
    api = await serve(judge=judge)
    started_s = time.monotonic()
    answer = await api.post("/rerank", {"problem": "p", "candidates": [*GOOD, hostile], "strategy": "majority"})
    assert time.monotonic() - started_s < 10
    assert (answer["votes"][0]["indices"], answer["best"]) == ([0, 1, 2], 0)


async def test_many_hostile_answers_stay_within_the_budget_of_a_group(serve, judge) -> None:
    api = await serve(judge=judge)
    hostile = [rf"\boxed{{{base}^{{9^{{9^9}}}}}}" for base in range(2, 40)]
    started_s = time.monotonic()
    answer = await api.post("/rerank", {"problem": "p", "candidates": [*GOOD, *hostile], "strategy": "majority"})
    assert time.monotonic() - started_s < 15
    assert answer["votes"][0]["count"] == 3


async def test_a_hostile_right_answer_is_served(serve, judge) -> None:
    api = await serve(judge=judge)
    items = [{"problem": "p", "answer": r"9^{9^{9^9}}", "candidates": ["The answer is 7.", "#### 8"]}]
    [result] = (await api.post("/select", {"items": items, "top_k": 2}))["results"]
    assert [choice["is_correct"] for choice in result["chosen"]] == [False, False]
