"""The page by keyboard alone, on a phone, without motion, in both themes, and before axe-core."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from page_link import link_to

SOLUTIONS = [
    "There are $3 \\times 12 = 36$ pens.\nSo $36 - 7 = 29$ are left.\nThe answer is 29.",
    "3 + 12 = 15 pens.\n"
    + "averyveryverylongwordwithoutanyplacetobreak" * 4
    + "\nThe answer is \\boxed{\\frac{1}{2}}.",
    " ",
]
LINK = link_to(mode="paste", problem="How many pens are left of $3 \\cdot 12$?", solutions=SOLUTIONS)
SERIOUS = {"serious", "critical"}


def serious(shown) -> list[str]:
    found = Axe().run(shown.page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in SERIOUS]


def filled(open_page, url: str, **window):
    shown = open_page(url + LINK, **window)
    expect(shown.page.locator("#status")).to_contain_text("came with the link")
    shown.submit()
    shown.page.wait_for_selector(".katex")
    return shown


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page, fakes, theme) -> None:
    shown = filled(open_page, fakes, color_scheme=theme, reduced_motion="reduce")
    assert serious(shown) == []
    shown.page.locator(".models summary").click()
    shown.page.locator(".pill").first.focus()
    shown.page.check('[data-focus="choose-0"]')
    shown.page.click("#label-open")
    shown.page.keyboard.press("1")
    assert serious(shown) == []
    shown.page.keyboard.press("Escape")
    shown.page.context.set_offline(True)
    shown.submit()
    shown.page.wait_for_selector(".error-box")
    assert serious(shown) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_description(open_page, fakes, theme) -> None:
    shown = open_page(f"{fakes}docs", color_scheme=theme)
    shown.page.locator(".operation summary", has_text="/rerank").first.click()
    expect(shown.page.locator(".operation[open] .fields")).to_be_visible()
    assert serious(shown) == []


def test_a_phone_scrolls_down_only(open_page, fakes) -> None:
    shown = filled(open_page, fakes, viewport={"width": 360, "height": 740})
    widths = "[document.documentElement.scrollWidth, document.body.scrollWidth, innerWidth]"
    for mode in ("sample", "jsonl", "paste"):
        shown.page.check(f'input[name=mode][value="{mode}"]', force=True)
        assert max(shown.page.evaluate(widths)) == 360
    shown.page.check('[data-focus="choose-1"]')
    shown.page.click("#label-open")
    assert max(shown.page.evaluate(widths)) == 360
    box = shown.page.locator("#label-dialog").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    assert max(open_page(f"{fakes}docs", viewport={"width": 360, "height": 740}).page.evaluate(widths)) == 360


def focused(shown) -> str:
    return shown.page.evaluate("document.activeElement.id || document.activeElement.dataset.focus || ''")


def tab_to(shown, wanted: str, most: int = 60) -> None:
    for _ in range(most):
        if re.fullmatch(wanted, focused(shown)):
            return
        shown.page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {wanted}, it stopped at {focused(shown)}")


def test_the_keyboard_alone_scores_inspects_switches_and_labels(page) -> None:
    keyboard = page.page.keyboard
    keyboard.press("Tab")
    assert page.page.evaluate("document.activeElement.className") == "skip"
    tab_to(page, "problem")
    keyboard.type("2 + 3?")
    keyboard.press("Tab")
    keyboard.type("2 + 3 = 5.\nThe answer is 5.")
    keyboard.press("Control+Enter")
    page.finished()
    page.page.wait_for_selector(".pill")
    tab_to(page, "run")
    outline = page.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    # Radio buttons are one stop; arrows go among them.
    for _ in range(20):
        keyboard.press("Tab")
        if page.page.evaluate("document.activeElement.name") == "strategy":
            break
    keyboard.press("ArrowRight")
    expect(page.page.locator('input[name=strategy][value="outcome"]')).to_be_checked()
    tab_to(page, "candidate-0-0")
    expect(page.page.locator(".dist-said")).to_contain_text("Step 1: right")
    tab_to(page, "choose-0")
    keyboard.press("Space")
    expect(page.page.locator("#label-open")).to_have_text("Label 1 solution")
    assert focused(page) == "choose-0"
    page.page.locator("#label-open").focus()
    keyboard.press("Enter")
    keyboard.press("0")
    expect(page.page.locator("#label-where")).to_contain_text("step 2 of 2")
    keyboard.press("Escape")
    expect(page.page.locator("#label-open")).to_be_focused()


def test_the_theme_follows_the_system_until_somebody_chooses(open_page, fakes) -> None:
    shown = open_page(fakes, color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = shown.page.evaluate(ground)
    shown.page.click("#theme")
    light = shown.page.evaluate(ground)
    assert light != dark
    shown.page.reload()
    assert shown.page.evaluate(ground) == light


def test_nothing_moves_for_those_who_want_no_motion(open_page, fakes) -> None:
    shown = open_page(fakes, reduced_motion="reduce")
    assert shown.page.evaluate("getComputedStyle(document.querySelector('#run')).transitionDuration") == "0s"


def test_the_description_lists_every_route_and_tries_one(open_page, fakes) -> None:
    shown = open_page(f"{fakes}docs")
    rows = shown.page.locator(".operation summary")
    expect(rows.filter(has_text="/best_of_n")).to_have_count(1)
    listed = set(shown.page.locator(".operation summary code").all_inner_texts())
    document = shown.page.evaluate("fetch('/openapi.json').then(answer => answer.json())")
    assert listed == set(document["paths"])
    rows.filter(has_text="/score").first.click()
    opened = shown.page.locator(".operation[open]")
    opened.get_by_role("button", name="Send").click()
    expect(opened.locator(".said")).to_contain_text("first_error_probabilities")
