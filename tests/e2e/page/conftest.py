"""Chromium before the page: every page that a test opens must end without a script error or a refused policy."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from page_window import Shown
from surefoot.api.app import create_app
from surefoot.wiring.fake_service import FakeParts, build_fake_service

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 60_000


# Playwright keeps an event loop running in this thread, in which no test with a loop of its own could run.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("chromium is missing: run .ci/programs, or install Debian's package chromium")
    # A busy machine takes its time.
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Shown]]:
    """Opens an address in a window of its own; keywords are the window's, as Playwright has them."""
    windows: list[tuple[BrowserContext, Shown]] = []

    def opened(url: str, **window: Any) -> Shown:
        context = browser.new_context(**window)
        context.set_default_timeout(WAIT_MS)
        shown = Shown(context.new_page())
        windows.append((context, shown))
        shown.page.on(
            "request", lambda request: None if request.url.endswith("/metrics") else shown.sent.append(request)
        )
        shown.page.on("pageerror", lambda error: shown.complaints.append(str(error)))
        # Chromium reports every status of 400 and above too: those are the tests' own doing.
        shown.page.on(
            "console",
            lambda message: (
                shown.complaints.append(message.text)
                if message.type in ("error", "warning") and "Failed to load resource" not in message.text
                else None
            ),
        )
        shown.page.goto(url)
        return shown

    yield opened
    complaints = [complaint for _, shown in windows for complaint in shown.complaints]
    for context, _ in windows:
        context.close()
    assert complaints == []


@contextmanager
def _running(parts: FakeParts) -> Iterator[str]:
    app = create_app(build_fake_service(parts).service)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def serve_fakes() -> Iterator[Callable[..., str]]:
    """Serves the page over `FakeParts` given by keywords, and gives its address."""
    with ExitStack() as running:
        yield lambda **parts: running.enter_context(_running(FakeParts(**parts)))


@pytest.fixture(scope="session")
def fakes() -> Iterator[str]:
    """The address of one service over the default fakes."""
    with _running(FakeParts()) as url:
        yield url


@pytest.fixture
def page(open_page: Callable[..., Shown], fakes: str) -> Shown:
    """The page over the fakes, its models loaded."""
    shown = open_page(fakes)
    shown.loaded()
    return shown
