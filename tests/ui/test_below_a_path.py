"""The page behind a proxy that gives it a path of its own, and with names that would harm it."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from support.browser import Serve

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


def test_names_that_are_markup_are_text_in_the_browser(page: Any, serve: Serve, app: Any) -> None:
    address = serve(app)
    page.on("dialog", lambda dialog: pytest.fail(f"a name ran as a script: {dialog.message}"))
    page.goto(f"{address}/?experiment=ct%20seg")

    assert "<script>alert(1)</script>" in page.inner_text("#run-other .name")
    assert "{{7*7}}" in page.inner_text("#run-other .name")
