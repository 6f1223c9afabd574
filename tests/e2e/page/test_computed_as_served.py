"""What the page computes by itself equals what the service computes: every strategy, the first error, exact sums."""

import math
import random
from collections.abc import Iterator
from dataclasses import asdict
from typing import get_args

import httpx
import pytest

from page_window import Shown
from surefoot.aggregation import first_error, first_error_distribution
from surefoot.domain import Strategy
from surefoot.selection import RankEntry, select

STRATEGIES = get_args(Strategy)
PROBLEM = "2 + 3?"
CANDIDATES = [
    "2 + 3 = 5.\nThe answer is 5.",
    "2 + 3 = 6.\nThe answer is 6.",
    "Five 😀 of them.\nThe answer is 5.",
    "I do not know.",
    "",
    "The answer is 6.",
]
OF_PAGE = {
    "answer_group": "answerGroup",
    "process_unit": "processUnit",
    "outcome_unit": "outcomeUnit",
}
SELECT = """value.map(([strategy, entries]) => {
    const found = m.select(strategy, entries);
    return {...found, relevance: [...found.relevance]};
})"""


@pytest.fixture(scope="module")
def page(browser, fakes) -> Iterator[Shown]:
    """One page for all: nothing here changes it."""
    context = browser.new_context()
    shown = Shown(context.new_page())
    shown.page.goto(fakes)
    yield shown
    context.close()


def drawn_entries(rng: random.Random) -> list[RankEntry]:
    """Few values and few answers, so that ties are frequent; indices with gaps, in any order."""
    few = [0.1, 0.2, 0.3, 0.7, 0.1 + 0.2, 1.0, 0.0]
    indices = rng.sample(range(20), rng.randint(1, 8))
    return [
        RankEntry(index, answer, None if answer is None else int(answer), *scores, failed=rng.random() < 0.15)
        for index in indices
        for answer in [rng.choice([None, "0", "1", "2"])]
        for scores in [[rng.choice(few) for _ in range(4)]]
    ]


def test_every_strategy_selects_as_the_service_does(page) -> None:
    rng = random.Random(7)
    cases = [(strategy, drawn_entries(rng)) for strategy in STRATEGIES for _ in range(60)]
    asked = [
        [strategy, [{OF_PAGE.get(name, name): value for name, value in asdict(entry).items()} for entry in entries]]
        for strategy, entries in cases
    ]
    for (strategy, entries), found in zip(cases, page.call("selection", SELECT, asked), strict=True):
        expected = select(strategy, entries)
        assert found == {
            "order": list(expected.order),
            "relevance": [[index, value] for index, value in expected.relevance.items()],
            "best": expected.best,
            "answer": expected.answer,
            "votes": [{**asdict(vote), "indices": list(vote.indices)} for vote in expected.votes],
            "agreement": expected.agreement,
            "tie": expected.tie,
        }


def test_the_page_knows_every_strategy(page) -> None:
    assert set(page.call("selection", "Object.keys(m.STRATEGIES)")) == set(STRATEGIES)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_switching_shows_what_the_service_would_answer(page, fakes, strategy) -> None:
    named = {"model": "prm", "outcome_model": "orm"}
    asked = {"problem": PROBLEM, "candidates": CANDIDATES, **named, "return_documents": True}
    answer = httpx.post(f"{fakes}rerank", json={**asked, "strategy": "process"}).json()
    expected = httpx.post(f"{fakes}rerank", json={**asked, "strategy": strategy}).json()
    found = page.page.evaluate(
        """async ({asked, answer, strategy}) => {
            const { groupsOf } = await import("/web/js/group.js");
            const { select } = await import("/web/js/selection.js");
            const found = select(strategy, groupsOf(asked, answer)[0].candidates);
            return {...found, relevance: [...found.relevance]};
        }""",
        {"asked": asked, "answer": answer, "strategy": strategy},
    )
    assert found["order"] == [result["index"] for result in expected["results"]]
    assert dict(map(tuple, found["relevance"])) == {
        result["index"]: result["relevance_score"] for result in expected["results"]
    }
    assert {name: found[name] for name in ("best", "answer", "votes", "agreement", "tie")} == {
        name: expected[name] for name in ("best", "answer", "votes", "agreement", "tie")
    }


def test_sums_are_rounded_once(page) -> None:
    rng = random.Random(3)
    cases = [[rng.choice([1, -1]) * rng.random() * 10 ** rng.randint(-18, 18) for _ in range(9)] for _ in range(300)]
    cases += [[], [0.1] * 10, [1e308, 1.0, -1e308], [1.0, 2**-53, 2**-106], [1e16, 1.0, 1e-16]]
    # JSON has whole numbers come as int, which compares exactly with what it is not.
    assert [float(found) for found in page.call("fsum", "value.map(m.fsum)", cases)] == [
        math.fsum(each) for each in cases
    ]


def test_first_errors_and_their_distribution_are_the_services(page) -> None:
    rng = random.Random(5)
    cases = [[round(rng.random(), 2) for _ in range(rng.randint(1, 9))] for _ in range(200)]
    found = page.call(
        "probability",
        "value.map(each => [m.firstError(each, 0.5), m.firstErrorDistribution(each)])",
        cases,
    )
    for case, (first, shares) in zip(cases, found, strict=True):
        expected, none = first_error_distribution(case)
        assert (first, shares) == (first_error(case, 0.5), {"firstErrors": list(expected), "noError": none})


def test_spans_count_characters_as_the_service_does(page) -> None:
    text = "Zwei 😀 und 𝟛.\nDas sind fünf."
    assert page.call("group", "m.stepTexts(value, [{span: [0, 13]}, {span: [14, 28]}])", text) == [
        text[0:13],
        text[14:28],
    ]
