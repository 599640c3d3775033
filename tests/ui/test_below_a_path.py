"""The page behind a proxy that gives it a path of its own, and with names that would harm it."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from runstore import Store, open_store
from runstore_ui import Options, make_app
from support.browser import Serve, plain_window
from support.whole_store import VIEWS, fill_with_everything

pytestmark = pytest.mark.server


class Proxy:
    """Takes a path away before it hands a request on, as proxies do, and tells nobody."""

    def __init__(self, app: Any, path: str) -> None:
        self._app, self._path = app, path

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(self._path):
            await Starlette(routes=[Mount("/nothing")])(scope, receive, send)
            return
        path = scope.get("path", "").removeprefix(self._path.rstrip("/"))
        await self._app({**scope, "path": path, "raw_path": path.encode()}, receive, send)


def test_below_any_path_all_links_and_files_are_found(page: Any, serve: Serve, app: Any) -> None:
    address = serve(Proxy(app, "/user/me/proxy/8420/"))
    page.goto(f"{address}/user/me/proxy/8420/?experiment=chest%20x-ray&column=name&column=metric.validation.auroc.max")
    page.click("th a:has-text('auroc')")
    page.click("#fold-fedavg")
    page.fill("#filter", "name like 'res%'")
    page.press("#filter", "Enter")
    page.wait_for_url("**/?*filter=*")
    page.click("text=Columns")

    assert page.url.startswith(f"{address}/user/me/proxy/8420/columns?")


@pytest.fixture(scope="module")
def changeable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Store]]:
    """The page over a store that has everything, with the right to change it; and the store."""
    folder = tmp_path_factory.mktemp("whole")
    url = f"sqlite:///{folder / 'whole.db'}"
    fill_with_everything(url, folder)
    with open_store(url, durable=False) as store:
        yield make_app(store, Options(shown_url=url, write_token="may"), open_editor=lambda: store), store


def test_below_a_path_each_view_finds_what_it_asks_for_and_changes_are_made(
    browser: Any, serve: Serve, changeable: tuple[Any, Store]
) -> None:
    app, store = changeable
    path = "/user/me/proxy/8420/"
    below = f"{serve(Proxy(app, path))}{path}"
    with plain_window(browser) as window:
        missed: list[str] = []
        window.on("response", lambda answer: missed.append(answer.url) if answer.status >= 400 else None)
        window.goto(f"{below}?token=may")
        for name, address in VIEWS.items():
            failed = window.goto(below + address).status >= 400
            if failed:
                assert missed.pop().startswith(below), name
            for chart in window.locator("figure.chart").all()[:1]:
                chart.locator(".drawn:has-text(' points')").wait_for()
        window.goto(below)
        window.check("#tick-run05")
        window.fill("input[name=tag_text]", "below=yes")
        window.click("button:has-text('Tag')")
        window.wait_for_selector("#run-run05 .tag:has-text('below: yes')")
        window.check("#tick-run06")
        window.click("button:has-text('Delete')")
        window.click("button:has-text('Delete')")
        window.wait_for_selector("#run-run05")
        (cookie,) = window.context.cookies()

    assert missed == []
    assert store.get_run("run05").tags == {"below": "yes"}
    assert "run06" not in {run.id for run in store.iter_runs()}
    assert cookie["path"] == path.rstrip("/")


def test_names_that_are_markup_are_text_in_the_browser(page: Any, serve: Serve, app: Any) -> None:
    address = serve(app)
    page.on("dialog", lambda dialog: pytest.fail(f"a name ran as a script: {dialog.message}"))
    page.goto(f"{address}/?experiment=ct%20seg")

    assert "<script>alert(1)</script>" in page.inner_text("#run-other .name")
    assert "{{7*7}}" in page.inner_text("#run-other .name")
