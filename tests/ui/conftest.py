"""Fixtures of the page: stores with runs, apps over them, and the browser that looks at them."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from runstore import RunReader, open_reader, open_store
from runstore_ui import Options, make_app
from support.browser import Serve, chromium, served, window
from support.page_stores import fill


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium. It is of a module: Playwright has an event loop as long as it runs, and other tests have theirs."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def lab_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with two experiments, for tests that only read."""
    url = f"sqlite:///{tmp_path_factory.mktemp('lab') / 'lab.db'}"
    fill(url)
    return url


@pytest.fixture
def lab(lab_url: str) -> Iterator[RunReader]:
    with open_reader(lab_url) as reader:
        yield reader


@pytest.fixture
def app(lab: RunReader) -> Any:
    """The page over ``lab``, as it is started by default."""
    return make_app(lab, Options(shown_url="sqlite:///lab.db"))


@pytest.fixture
def empty_app(tmp_path: Path) -> Iterator[Any]:
    """The page over a store without runs."""
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    open_store(url, durable=False).close()
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url=url))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves apps until the test is over, and its pages are closed."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(served(app))


@pytest.fixture
def page(browser: Any, serve: Serve) -> Iterator[Any]:  # noqa: ARG001 - closed before what it looks at
    """A new window; whatever it complains of, or asks of another origin, is an error of the test."""
    with window(browser) as opened:
        yield opened
