"""The labelling view: keys label and go on, undo goes back, and what is saved is what `surefoot train prm` reads."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from page_link import link_to
from surefoot.cli.jsonl_run import Tally
from surefoot.cli.row_file import read_file
from surefoot.cli.training_run import _checked
from surefoot.training.labelled_row import rows_from

PROBLEM = "2 + 3?"
SOLUTIONS = ("2 + 3 = 5.\nSo it is five.\nThe answer is 5.", "2 + 3 = 6.\nThe answer is 6.", "Hm.\nThe answer is 5.")


@pytest.fixture
def labelling(open_page, fakes):
    """Three solutions that are chosen in their order, in the view."""
    shown = open_page(fakes + link_to(mode="paste", problem=PROBLEM, solutions=SOLUTIONS))
    expect(shown.page.locator("#status")).to_contain_text("came with the link")
    shown.submit()
    shown.page.evaluate("[0, 1, 2].forEach(each => document.querySelector(`[data-focus=choose-${each}]`).click())")
    shown.page.click("#label-open")
    return shown


def labels(shown) -> list[str]:
    return shown.page.locator(".label-mark").all_inner_texts()


def saved(shown, path: Path) -> Path:
    with shown.page.expect_download() as download:
        shown.page.keyboard.press("s")
    assert download.value.suggested_filename == "labelled.jsonl"
    download.value.save_as(path)
    return path


def press(shown, *keys: str) -> None:
    for key in keys:
        shown.page.keyboard.press(key)


def test_what_is_saved_is_read_by_training(labelling, tmp_path) -> None:
    press(labelling, "1", "0", "1", "-", "1", "1")
    # "-" and "1" together are -1: the second solution ends there, and the third has one label of two.
    expect(labelling.page.locator("#label-where")).to_contain_text("Solution 3 of 3, step 2 of 2")
    path = saved(labelling, tmp_path / "labelled.jsonl")
    found = list(read_file(path.name, path, _checked, Tally(), lambda: None))
    rows = rows_from([item for _, item in found], path.name)
    assert [(row.problem, row.steps, row.labels, row.first_error) for row in rows] == [
        (PROBLEM, tuple(SOLUTIONS[0].split("\n")), (1, 0, 1), None),
        (PROBLEM, tuple(SOLUTIONS[1].split("\n")), (-1, None), 0),
    ]


def test_neutral_steps_alone_are_not_read_as_wrong(labelling, tmp_path) -> None:
    press(labelling, "1", "0", "1")
    [line] = saved(labelling, tmp_path / "labelled.jsonl").read_text().splitlines()
    [row] = rows_from([json.loads(line)], "page")
    assert row.labels == (1, 0, 1)


def test_undo_takes_back_one_label_and_goes_there(labelling) -> None:
    press(labelling, "1", "-")
    expect(labelling.page.locator("#label-where")).to_contain_text("Solution 2 of 3")
    press(labelling, "u")
    expect(labelling.page.locator("#label-where")).to_contain_text("Solution 1 of 3, step 2 of 3: no label")
    assert [text.strip()[:1] for text in labels(labelling)] == ["✓", "·", "·"]


def test_next_and_back_label_nothing(labelling) -> None:
    press(labelling, "n", "n", "n", "p", "p")
    expect(labelling.page.locator("#label-where")).to_contain_text("Solution 1 of 3, step 2 of 3: no label")
    expect(labelling.page.locator("#label-save")).to_be_disabled()


def test_labels_outlive_the_view_and_scores_are_kept_out_of_it(labelling) -> None:
    press(labelling, "0", "Escape")
    expect(labelling.page.locator("#label-dialog")).to_be_hidden()
    labelling.page.click("#label-open")
    assert labels(labelling)[0].startswith("○ 0")
    assert "0." not in labelling.page.locator("#label-dialog").inner_text()
