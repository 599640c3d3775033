"""The table in Chromium."""

from collections.abc import Iterator
from typing import Any

import pytest

from support.browser import served

pytestmark = pytest.mark.server


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A new window; whatever it complains of, or asks of another origin, is an error of the test."""
    window = browser.new_page(viewport={"width": 1200, "height": 800})
    complaints: list[str] = []
    asked: list[str] = []
    window.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    window.on("pageerror", lambda error: complaints.append(str(error)))
    window.on("request", lambda request: asked.append(request.url))
    yield window
    origins = {url.split("/")[2] for url in asked if url.startswith("http")}
    window.close()
    assert complaints == []
    assert len(origins) == 1


def test_the_table_is_used_by_keys_alone(page: Any, app: Any) -> None:
    with served(app) as address:
        page.goto(f"{address}/?experiment=chest%20x-ray")
        page.keyboard.press("j")
        page.keyboard.press("Space")
        page.keyboard.press("j")
        page.keyboard.press("Space")

        chosen = page.eval_on_selector_all("input[name=run]:checked", "boxes => boxes.map(box => box.value)")
        assert chosen == ["running", "failed"]
        assert "run=running&run=failed" in page.url
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "filter"
