"""What the page says when something goes wrong: friendly words, the stable code, and nothing lost."""

import threading

import pytest
from playwright.sync_api import expect

from page_link import link_to
from surefoot.api.service import Limits
from surefoot.backends.fake_backend import FakeBackend
from surefoot.scheduling.limits import SchedulerLimits

ASKED = link_to(mode="paste", problem="2 + 3?", solutions=["2 + 3 = 5.\nThe answer is 5."])
SAMPLED = link_to(mode="sample", problem="2 + 3?", sampling={"n": 2})


@pytest.fixture
def asked(open_page):
    """Opens a service's page with a request in its form."""

    def opened(url: str, link: str = ASKED):
        shown = open_page(url + link)
        expect(shown.page.locator("#status")).to_contain_text("came with the link")
        return shown

    return opened


def error_of(shown):
    return shown.page.locator("#error")


def test_a_service_that_is_away_is_told_and_asked_again(asked, fakes) -> None:
    shown = asked(fakes)
    shown.page.context.set_offline(True)
    shown.submit()
    expect(error_of(shown)).to_contain_text("The service is away")
    expect(error_of(shown).locator("code")).to_have_text("unreachable")
    assert shown.page.input_value("#problem") == "2 + 3?"
    shown.page.context.set_offline(False)
    error_of(shown).get_by_role("button", name="Try again").click()
    expect(shown.page.locator(".card")).to_have_count(1)
    expect(error_of(shown)).to_be_hidden()


def test_a_key_is_asked_for_once_and_kept_for_the_session_only(open_page, serve_fakes, keys_in_file) -> None:
    key = keys_in_file.new("alice", "score")
    shown = open_page(serve_fakes(keys=keys_in_file.ring(), metrics_need_key=True))
    dialog = shown.page.locator("#key-dialog")
    expect(shown.page.locator("#strip-note")).to_have_text("looking…")
    shown.page.fill("#key-input", "sf-wrong")
    shown.page.keyboard.press("Enter")
    expect(shown.page.locator("#key-why")).to_have_text("The service does not know this key.")
    shown.page.fill("#key-input", key)
    shown.page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    shown.write("2 + 3?", "The answer is 5.")
    shown.submit()
    expect(shown.page.locator(".card")).to_have_count(1)
    assert shown.page.evaluate("[JSON.stringify(localStorage), document.cookie]") == ["{}", ""]
    shown.page.reload()
    shown.loaded()
    expect(dialog).to_be_hidden()
    # This key may not sample.
    shown.page.check('input[name=mode][value="sample"]', force=True)
    shown.page.fill("#problem", "2 + 3?")
    shown.submit()
    expect(error_of(shown)).to_contain_text("Your key may not do this")
    expect(error_of(shown).locator("code")).to_have_text("forbidden")
    shown.page.click("#key-forget")
    expect(dialog).to_be_visible()
    assert shown.page.evaluate("sessionStorage.length") == 0


def test_without_a_key_the_page_says_so_and_does_not_nag(open_page, serve_fakes, keys_in_file) -> None:
    shown = open_page(serve_fakes(keys=keys_in_file.ring(), metrics_need_key=True))
    shown.page.click("#key-cancel")
    expect(error_of(shown)).to_contain_text("The service wants a key")
    expect(shown.page.locator("#strip-note")).to_have_text("live figures need a key here")
    looked = []
    shown.page.on("request", lambda request: looked.append(request.url))
    shown.page.wait_for_timeout(2500)
    assert looked == []
    expect(shown.page.locator("#key-dialog")).to_be_hidden()


def test_what_is_too_long_is_told_on_its_candidate(asked, fakes) -> None:
    shown = asked(fakes)
    shown.page.click("#add-solution")
    shown.page.locator("#solutions textarea").nth(1).fill("word " * 9000)
    shown.submit()
    failed = shown.page.locator(".card-failed")
    expect(failed).to_contain_text("That is too long for the model")
    expect(failed.locator("code")).to_have_text("input_too_long")
    expect(shown.page.locator("#status")).to_have_text("1 candidate scored, 1 failed.")


def test_a_body_that_is_too_large_is_told(asked, serve_fakes) -> None:
    shown = asked(serve_fakes(limits=Limits(max_body_bytes=100)))
    shown.submit()
    expect(error_of(shown).locator("code")).to_have_text("body_too_large")


def test_a_full_queue_says_when_to_come_back(asked, serve_fakes, page) -> None:
    backend = FakeBackend()
    backend.hang()
    url = serve_fakes(backend=backend, queue=SchedulerLimits(max_queue_items=1))
    try:
        first, second, third = (asked(url) for _ in range(3))
        for shown in (first, second):
            shown.page.click("#run")
            shown.page.wait_for_timeout(300)
        third.submit()
        expect(error_of(third).locator("code")).to_have_text("queue_full")
        expect(error_of(third).locator(".retry-after")).to_contain_text("try again in")
    finally:
        threading.Thread(target=backend.release).start()


def test_a_service_that_cannot_sample_says_so(asked, serve_fakes) -> None:
    shown = asked(serve_fakes(sampler=None), SAMPLED)
    expect(shown.page.locator("#generator-note")).to_have_text("This service cannot sample.")
    shown.submit()
    expect(error_of(shown).locator("code")).to_have_text("sampler_unavailable")
    expect(error_of(shown)).to_contain_text("paste solutions instead")


def test_a_line_that_is_not_json_is_named(page) -> None:
    page.page.check('input[name=mode][value="jsonl"]', force=True)
    page.page.fill("#jsonl", '{"problem": "2?", "steps": ["2"]}\n{"problem": ')
    page.submit()
    expect(error_of(page)).to_contain_text("Line 2 is not JSON")
    assert page.asked() == []
