"""Sampling on the page, over the real server: candidates come one by one, and end in the service's order."""

import asyncio
import json

import httpx
import pytest
from playwright.sync_api import expect

from surefoot.sampling.fake_sampler import FakeSampler

PROBLEM = "Tom has 3 boxes with 12 pens each. He gives away 7. How many pens are left?"


def start_sampling(shown, n: int) -> None:
    shown.page.check('input[name=mode][value="sample"]', force=True)
    shown.page.fill("#problem", PROBLEM)
    shown.page.fill("#n", str(n))
    shown.page.fill("#max-tokens", "64")
    shown.page.fill("#seed", "3")
    shown.page.click("#run")


def test_candidates_come_one_by_one_and_are_ranked_at_the_end(open_page, server, http) -> None:
    shown = open_page(f"{server.url}/")
    shown.loaded()
    # How many cards there are, and how many of them are ranked, each time the page changes.
    shown.page.evaluate(
        """window.seen = [];
        new MutationObserver(() => window.seen.push(
            [document.querySelectorAll(".card").length, document.querySelectorAll(".card.best").length]
        )).observe(document.querySelector("#cards"), {childList: true});"""
    )
    start_sampling(shown, 4)
    expect(shown.page.locator("#status")).to_have_text("4 candidates scored.")
    seen = shown.page.evaluate("window.seen")
    assert {cards for cards, best in seen if best == 0} >= {1, 4}
    assert seen[-1] == [4, 1]
    [request] = [each for each in shown.sent if each.method == "POST"]
    expected = http.post("/best_of_n", json={**json.loads(request.post_data), "stream": False}).json()
    assert shown.ranked() == [result["index"] for result in expected["ranking"]["results"]]
    steps = {result["index"]: len(result["steps"]) for result in expected["ranking"]["results"]}
    for place, index in enumerate(shown.ranked()):
        expect(shown.page.locator(".card").nth(place).locator(".pill")).to_have_count(steps[index])


class Halting(FakeSampler):
    """Draws its first candidate, and no other before its time is over."""

    async def sample(self, *given):
        async for candidate in super().sample(*given):
            yield candidate
            await asyncio.sleep(30)


@pytest.fixture
def halting(open_page, serve_fakes):
    shown = open_page(serve_fakes(sampler=Halting(["2 + 3 = 5.\nThe answer is 5."])))
    shown.loaded()
    return shown


def test_what_has_come_stays_when_somebody_stops(halting) -> None:
    start_sampling(halting, 3)
    halting.page.wait_for_selector(".pill")
    halting.page.click("#stop")
    expect(halting.page.locator("#status")).to_have_text("Stopped.")
    expect(halting.page.locator(".card")).to_have_count(1)
    expect(halting.page.locator("#stop")).to_be_hidden()


def test_numbers_that_cannot_be_are_told_before_anything_is_sent(page) -> None:
    page.page.check('input[name=mode][value="sample"]', force=True)
    page.page.fill("#problem", PROBLEM)
    page.page.fill("#n", "0")
    page.page.click("#run")
    expect(page.page.locator("#error")).to_contain_text("Candidates")
    assert page.asked() == []
    assert httpx.get(page.page.url).status_code == 200
