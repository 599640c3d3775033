"""The system's Chromium for tests, driven by Playwright; and the page of a store for it, on a port of its own."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from support.processes import ServerUnavailableError

Serve = Callable[[Any], str]
"""Serves an app and gives its address."""

_TRIES = 3
_END_S = 30
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Any]:
    """A running Chromium.

    Raises:
        ServerUnavailableError: this machine has none; says what to install.
    """
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise ServerUnavailableError("chromium: none of " + ", ".join(_NAMES) + " is on the path; on Debian: chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it takes a while, and few tests need it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address at which an app is reached on this machine, without a slash at its end."""
    # A connection that comes in the moment of the end is closed by nobody, and a browser may keep it: no longer than that.
    config = uvicorn.Config(
        app, port=0, log_level="warning", lifespan="off", ws="none", timeout_graceful_shutdown=_END_S
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server of the page has not started")
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def window(browser: Any, **options: Any) -> Iterator[Any]:
    """A new window. Whatever it complains of, and whatever it asks of another origin, fails the test at its end."""
    complaints: list[str] = []
    asked: list[str] = []
    with plain_window(browser, **{"viewport": {"width": 1200, "height": 800}, **options}) as opened:
        opened.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("request", lambda request: asked.append(request.url))
        yield opened
        assert complaints == []
        assert len({url.split("/")[2] for url in asked if url.startswith("http")}) <= 1


@contextmanager
def plain_window(browser: Any, **options: Any) -> Iterator[Any]:
    """A new window that may complain."""
    opened = browser.new_page(**options)
    try:
        yield opened
    finally:
        leave(opened)
        opened.close()


def leave(window: Any) -> None:
    """Takes a window to an empty page. Chromium forgets that it was to close a window whose next page comes at that moment."""
    from playwright.sync_api import Error  # noqa: PLC0415 - as above

    for _ in range(_TRIES):
        with suppress(Error):  # the next page came in between, or there is no window any more
            window.goto("about:blank")
            return
