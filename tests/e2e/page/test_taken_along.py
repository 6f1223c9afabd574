"""What leaves the page: links that no server sees, and commands that ask what the page asked."""

import ast
import json
import os
import subprocess
import sys

import httpx
import pytest
from playwright.sync_api import expect

PROBLEM = 'What is it\'s "price", $5 or \\frac{1}{2}? 😀\nSay!'
SOLUTION = "It's $5.\nThe answer is 5."


@pytest.fixture
def written(open_page, fakes):
    shown = open_page(fakes, permissions=["clipboard-read", "clipboard-write"])
    shown.loaded()
    shown.write(PROBLEM, SOLUTION, "The answer is 6.")
    return shown


def copied(shown, button: str) -> str:
    shown.page.click(button)
    expect(shown.page.locator("#copy-said")).to_contain_text("copied")
    return shown.page.evaluate("navigator.clipboard.readText()")


def test_a_link_brings_the_request_and_sends_nothing(written, open_page, fakes) -> None:
    written.submit()
    written.page.check('input[name=strategy][value="majority"]', force=True)
    link = copied(written, "#copy-link")
    assert link.startswith(f"{fakes}#ask=")
    other = open_page(link)
    expect(other.page.locator("#status")).to_contain_text("came with the link")
    assert other.page.input_value("#problem") == PROBLEM
    assert other.page.locator("#solutions textarea").first.input_value() == SOLUTION
    assert other.asked() == []
    assert [each.url for each in other.sent if "ask=" in each.url.split("#")[0]] == []
    other.submit()
    assert json.loads(next(each for each in other.sent if each.method == "POST").post_data)["strategy"] == "majority"


@pytest.mark.parametrize("fragment", ["#ask=", "#ask=AAAA", "#ask=%%%", "#ask=q1YqS8wpTVWyUkpMUqoFAA"])
def test_a_damaged_link_is_told(open_page, fakes, fragment) -> None:
    shown = open_page(fakes + fragment)
    shown.loaded()
    if "q1Y" not in fragment:
        expect(shown.page.locator("#error")).to_contain_text("The link is damaged")


def test_what_is_too_long_for_a_link_is_told(written) -> None:
    rows = "".join(chr(0x4E00 + (7 * place) % 20000) for place in range(9000))
    written.page.fill("#problem", rows)
    written.page.click("#copy-link")
    expect(written.page.locator("#copy-said")).to_contain_text("Copy it as curl or Python instead")


@pytest.mark.parametrize("button", ["#copy-curl", "#copy-python"])
def test_a_copied_program_asks_the_same(written, button) -> None:
    program = copied(written, button)
    start = ["bash", "-c"] if button == "#copy-curl" else [sys.executable, "-c"]
    said = subprocess.run([*start, program], capture_output=True, text=True, timeout=60, check=True).stdout
    written.submit()
    [request] = [each for each in written.sent if each.method == "POST"]
    expected = httpx.post(request.url, json=json.loads(request.post_data)).json()
    answer = json.loads(said) if button == "#copy-curl" else ast.literal_eval(said)
    assert [answer[name] for name in ("results", "votes", "best")] == [
        expected[name] for name in ("results", "votes", "best")
    ]


def test_a_copied_stream_streams(written) -> None:
    written.page.check('input[name=mode][value="sample"]', force=True)
    for button in ("#copy-curl", "#copy-python"):
        program = copied(written, button)
        start = ["bash", "-c"] if button == "#copy-curl" else [sys.executable, "-c"]
        said = subprocess.run([*start, program], capture_output=True, text=True, timeout=60, check=True).stdout
        assert said.count("event: candidate") == 8
        assert said.count("event: result") == 1


def test_a_key_is_a_placeholder_in_what_is_copied(open_page, serve_fakes, keys_in_file) -> None:
    key = keys_in_file.new("alice", "score")
    url = serve_fakes(keys=keys_in_file.ring())
    shown = open_page(url, permissions=["clipboard-read", "clipboard-write"])
    shown.page.fill("#key-input", key)
    shown.page.keyboard.press("Enter")
    shown.loaded()
    shown.write("2 + 3?", "The answer is 5.")
    for button, start in (("#copy-curl", ["bash", "-c"]), ("#copy-python", [sys.executable, "-c"])):
        program = copied(shown, button)
        assert key not in program
        given = {**os.environ, "SUREFOOT_API_KEY": key}
        done = subprocess.run([*start, program], capture_output=True, text=True, timeout=60, check=True, env=given)
        assert "relevance_score" in done.stdout
    assert key not in copied(shown, "#copy-link")
