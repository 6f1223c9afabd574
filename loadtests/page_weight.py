"""`python -m loadtests.page_weight URL`: what the page weighs on its way, and when it is first painted, in Chromium.

The service must be running. Each run has a browser window with nothing in its cache; then the page is opened once more
in the same window, and the example is scored, which loads what draws mathematics.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from typing import Annotated, Any

import typer
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
_FIGURES = """() => {
    const files = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
        .filter((each) => !/\\/(metrics|models|rerank)$/.test(each.name));
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    const sum = (name) => files.reduce((total, each) => total + each[name], 0);
    return {
        files: files.length,
        transferred_bytes: sum("transferSize"),
        unpacked_bytes: sum("decodedBodySize"),
        first_paint_ms: paint ? paint.startTime : null,
    };
}"""


def main(
    url: Annotated[str, typer.Argument(help="Of the page: http://127.0.0.1:8080/")],
    runs: Annotated[int, typer.Option(min=1, help="Windows to open; figures are medians.")] = 5,
) -> None:
    """Print the page's weight and first paint as JSON."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is missing: run .ci/programs, or install Debian's package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        measured = [_one(browser, url) for _ in range(runs)]
        browser.close()
    parts = {part: _medians([each[part] for each in measured]) for part in measured[0]}
    sys.stdout.write(json.dumps({"url": url, "runs": runs, **parts}, indent=2) + "\n")


def _one(browser: Browser, url: str) -> dict[str, dict[str, Any]]:
    context = browser.new_context()
    page = context.new_page()
    found = {"first_visit": _opened(page, url), "again": _opened(page, url)}
    page.click("#example")
    page.wait_for_selector(".card .katex")
    page.evaluate("document.fonts.ready.then(() => true)")
    found["with_mathematics"] = {**page.evaluate(_FIGURES), "first_paint_ms": None}
    context.close()
    return found


def _opened(page: Page, url: str) -> dict[str, Any]:
    page.goto(url)
    page.wait_for_selector("#model option", state="attached")
    # The paint is told a little later.
    page.wait_for_timeout(300)
    figures: dict[str, Any] = page.evaluate(_FIGURES)
    return figures


def _medians(measured: list[dict[str, Any]]) -> dict[str, float | None]:
    names = measured[0]
    return {
        name: None if measured[0][name] is None else round(statistics.median(each[name] for each in measured), 1)
        for name in names
    }


if __name__ == "__main__":
    typer.run(main)
