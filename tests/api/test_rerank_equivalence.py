"""Votes with the judge of production: answers that mean the same are one vote even where their keys differ."""

import pytest

from surefoot.answers import MathVerifyJudge


@pytest.fixture(scope="module")
def judge():
    with MathVerifyJudge() as started:
        assert started.start()
        yield started


async def test_answers_that_mean_the_same_are_one_vote(serve, judge) -> None:
    api = await serve(judge=judge)
    candidates = [r"\boxed{x^2 + 2x + 1}", r"\boxed{(x+1)^2}", r"\boxed{x^2}"]
    answer = await api.post("/rerank", {"problem": "Expand.", "strategy": "majority", "candidates": candidates})
    assert [vote["indices"] for vote in answer["votes"]] == [[0, 1], [2]]


async def test_a_half_is_a_half_however_it_is_written(serve, judge) -> None:
    api = await serve(judge=judge)
    candidates = [r"\boxed{1/2}", r"\boxed{0.5}", r"\boxed{\frac12}", r"\boxed{\frac{1}{2}}"]
    answer = await api.post("/rerank", {"problem": "Half?", "strategy": "majority", "candidates": candidates})
    assert answer["agreement"] == 1.0
