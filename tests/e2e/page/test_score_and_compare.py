"""Scoring on the page, over the real server and the embedded models: what is shown is what the API answers."""

import re
from collections.abc import Callable
from typing import Any, get_args

import pytest
from playwright.sync_api import expect

from surefoot.domain import Strategy

PROBLEM = "Tom has 3 boxes with 12 pens each. He gives away 7. How many pens are left?"
RIGHT = "3 * 12 = 36 pens.\n36 - 7 = 29 pens are left.\nThe answer is 29."
WRONG = "3 + 12 = 15 pens.\n15 - 7 = 8 pens are left.\nThe answer is 8."
OTHER = "12 / 3 = 4 pens.\n4 + 7 = 11 pens are left.\nThe answer is 11."


@pytest.fixture
def real(open_page, server) -> Any:
    shown = open_page(f"{server.url}/")
    shown.loaded()
    return shown


@pytest.fixture
def answered(http) -> Callable[..., dict[str, Any]]:
    def ask(path: str, **body: Any) -> dict[str, Any]:
        response = http.post(path, json=body)
        assert response.status_code == 200, response.text
        return response.json()

    return ask


def card(shown: Any, index: int) -> Any:
    return shown.page.locator(".card", has=shown.page.locator(f"#candidate-{index}"))


def numbers_on(steps: Any) -> list[str]:
    return [text.strip("✓✕") for text in steps.locator(".pill").all_inner_texts()]


def test_one_click_shows_coloured_steps(real) -> None:
    real.page.click("#example")
    expect(real.page.locator(".card")).to_have_count(5)
    strengths = real.page.eval_on_selector_all(
        ".step", "all => all.map(each => getComputedStyle(each).borderInlineStartColor)"
    )
    assert len(set(strengths)) > 5
    assert real.page.locator(".step.first-error .flag").count() >= 1
    assert real.page.locator(".card .katex").count() >= 1
    assert real.asked() == ["POST rerank"]


def test_steps_show_the_scores_and_the_first_error_of_the_api(real, answered) -> None:
    real.write(PROBLEM, RIGHT, WRONG)
    real.submit()
    items = [{"problem": PROBLEM, "solution": text} for text in (RIGHT, WRONG)]
    for index, result in enumerate(answered("/score", model="prm", items=items)["results"]):
        shown = card(real, index)
        assert [text.replace("\n", "") for text in numbers_on(shown)] == [f"{s['score']:.2f}" for s in result["steps"]]
        flagged = [place for place, step in enumerate(shown.locator(".step").all()) if step.locator(".flag").count()]
        assert flagged == ([] if result["first_error"] is None else [result["first_error"]])


def test_a_step_that_is_hovered_or_focused_tells_its_share_of_the_first_error(real, answered) -> None:
    real.write(PROBLEM, WRONG)
    real.submit()
    [result] = answered("/score", model="prm", problem=PROBLEM, solution=WRONG)["results"]
    said = card(real, 0).locator(".dist-said")
    for place, step in enumerate(result["steps"]):
        expected = f"Step {place + 1}: right {step['score']:.3f}, first error here "
        expected += f"{result['first_error_probabilities'][place]:.3f}."
        card(real, 0).locator(".step").nth(place).hover()
        expect(said).to_have_text(expected)
        real.page.mouse.move(0, 0)
        card(real, 0).locator(".pill").nth(place).focus()
        expect(said).to_have_text(expected)
    real.page.locator("#problem").focus()
    expect(said).to_contain_text("Most likely")


def test_the_threshold_marks_errors_anew_without_a_request(real) -> None:
    real.write(PROBLEM, WRONG)
    real.submit()
    slider = real.page.locator("#threshold")
    slider.fill("0")
    expect(real.page.locator(".first-error")).to_have_count(0)
    slider.fill("1")
    expect(card(real, 0).locator(".step").first).to_have_class("step leans-wrong below first-error")
    real.page.click("#threshold-reset")
    expect(real.page.locator("#threshold-value")).not_to_have_text("1.00")
    assert real.asked() == ["POST rerank"]


def test_strategies_are_switched_without_a_request_and_rank_as_the_api_does(real, answered) -> None:
    candidates = [RIGHT, WRONG, OTHER, RIGHT.replace("pens", "of them"), "I cannot say."]
    real.write(PROBLEM, *candidates)
    real.submit()
    for strategy in get_args(Strategy):
        real.page.check(f'input[name=strategy][value="{strategy}"]', force=True)
        expected = answered(
            "/rerank",
            problem=PROBLEM,
            candidates=candidates,
            strategy=strategy,
            model="prm",
            outcome_model="orm",
        )
        assert real.ranked() == [result["index"] for result in expected["results"]], strategy
        expect(real.page.locator(".card.best h3")).to_have_attribute("id", f"candidate-{expected['best']}")
        weights = [f"{vote['weight']:.2f}" for vote in expected["votes"]]
        shown = real.page.locator(".votes tbody tr td:nth-child(2)").all_inner_texts()
        assert [text.split(" (")[0].strip() for text in shown] == weights
    assert real.asked() == ["POST rerank"]


def test_two_models_stand_side_by_side(real, answered) -> None:
    real.write(PROBLEM, RIGHT, WRONG)
    real.page.click(".models summary")
    real.page.select_option("#compare-model", "prm-fp32")
    real.submit()
    [result] = answered("/score", model="prm-fp32", problem=PROBLEM, solution=WRONG)["results"]
    shown = [text.split(" (")[0] for text in card(real, 1).locator(".other").all_inner_texts()]
    assert shown == [f"prm-fp32: {step['score']:.2f}" for step in result["steps"]]
    assert real.asked() == ["POST rerank", "POST rerank"]


def test_json_lines_become_problems_to_choose_among(real) -> None:
    real.page.check('input[name=mode][value="jsonl"]', force=True)
    real.page.fill(
        "#jsonl",
        '{"problem": "2 + 3?", "steps": ["2 + 3 = 5", "It is 5."]}\n\n'
        '{"problem": "1 + 1?", "candidates": ["1 + 1 = 2", {"text": "1 + 1 = 3"}]}\n'
        '{"problem": "2 + 3?", "solution": "2 + 3 = 6"}\n',
    )
    real.submit()
    expect(real.page.locator("#problem-shown")).to_have_text("2 + 3?")
    expect(real.page.locator(".card")).to_have_count(2)
    real.page.select_option("#group", "1")
    expect(real.page.locator("#problem-shown")).to_have_text("1 + 1?")
    assert real.asked() == ["POST rerank"]


def test_live_figures_move(real) -> None:
    expect(real.page.locator("#strip-scored")).not_to_have_text("–")
    real.write(PROBLEM, RIGHT.replace("Tom", "Ann") * 3)
    real.submit()
    expect(real.page.locator("#strip-scored")).to_have_text(re.compile("^[1-9]"), timeout=20_000)
