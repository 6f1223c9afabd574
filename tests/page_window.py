"""A window with the page in it, as tests use it."""

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page, Request, expect


@dataclass
class Shown:
    """A page in a window of its own, and what it asked the service for, but for the live figures."""

    page: Page
    sent: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def asked(self) -> list[str]:
        """Method and path of each request for work."""
        return [f"{each.method} {each.url.split('/', 3)[3]}" for each in self.sent if each.method == "POST"]

    def loaded(self) -> None:
        """Wait until the models are in their menus."""
        expect(self.page.locator("#model option")).not_to_have_count(0)

    def write(self, problem: str, *solutions: str) -> None:
        """Fill the form in, as somebody who pastes."""
        self.page.fill("#problem", problem)
        for number, solution in enumerate(solutions):
            if number > 0:
                self.page.click("#add-solution")
            self.page.locator("#solutions textarea").nth(number).fill(solution)

    def submit(self) -> None:
        """Press the button, and wait until the answer is there or an error is."""
        self.page.click("#run")
        self.finished()

    def finished(self) -> None:
        self.page.wait_for_selector('#ask-form[aria-busy="false"]')

    def ranked(self) -> list[int]:
        """Numbers of the candidates, from 0, as their cards stand."""
        ids = self.page.eval_on_selector_all(".card h3", "all => all.map(each => each.id)")
        return [int(each.removeprefix("candidate-")) for each in ids]

    def call(self, module: str, expression: str, value: Any = None) -> Any:
        """What an expression over a module `m` of the page, and `value`, gives."""
        return self.page.evaluate(
            f"async (value) => {{ const m = await import('/web/js/{module}.js'); return {expression}; }}", value
        )
