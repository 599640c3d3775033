"""The page over a store that has everything, with the right to change it."""

from collections.abc import Iterator
from typing import Any

import pytest

from runstore import open_store
from runstore_ui import Options, make_app
from support.browser import plain_window, served
from support.whole_store import fill_with_everything


@pytest.fixture(scope="session")
def whole_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("whole")
    url = f"sqlite:///{folder / 'whole.db'}"
    fill_with_everything(url, folder)
    return url


@pytest.fixture(scope="module")
def whole_app(whole_url: str) -> Iterator[Any]:
    with open_store(whole_url, durable=False) as store:
        yield make_app(store, Options(shown_url=whole_url, write_token="may"), open_editor=lambda: store)


@pytest.fixture(scope="module")
def whole(whole_app: Any) -> Iterator[str]:
    """Its address, with a slash at the end."""
    with served(whole_app) as address:
        yield f"{address}/"


@pytest.fixture(scope="module")
def looking(browser: Any, whole: str) -> Iterator[Any]:
    """A window that has shown the token. Failures are views, too, so what it complains of is no error here."""
    with plain_window(browser, viewport={"width": 1200, "height": 800}) as window:
        window.goto(f"{whole}?token=may")
        yield window
