"""The page of a run in Chromium: what changes is changed by one answer, and what was opened stays open."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore_ui import Options, make_app
from support.browser import Serve
from support.held import Held
from support.page_stores import fill

pytestmark = pytest.mark.server


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[Any, str]]:
    """The page over a store of this test's own, and the store's URL."""
    url = f"sqlite:///{tmp_path / 'live.db'}"
    fill(url)
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url=url)), url


def test_a_run_that_goes_on_is_followed_by_one_request_a_time(page: Any, serve: Serve, live: tuple[Any, str]) -> None:
    app, url = live
    page.goto(f"{serve(app)}/run?id=running")
    page.evaluate("window.times = 0; document.addEventListener('runstore:refreshed', () => { window.times += 1; })")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/run?" in request.url else None)

    with open_store(url, durable=False) as store:
        store.log_metrics("running", [MetricPoint("auroc", 0.75, step=3, dataset_type="validation")])
        store.ensure_run(store.get_run("running").experiment_id, run_id="below", parent_run_id="running")
        store.finalize("below", "completed")
        store.finalize("running", "completed")
    page.evaluate("window.runstore.refresh()")
    page.wait_for_selector("h1:has-text('completed after')")  # the last of it: the page asks of itself, too

    assert page.locator("#child-below").count() == 1
    assert "0.75" in page.inner_text("#metrics")
    assert len(asked) <= page.evaluate("window.times") + 1, "one that is under way may not be counted yet"


def test_a_refresh_that_is_asked_for_while_another_is_under_way_comes_after_it_and_nothing_seems_away(
    page: Any, serve: Serve, live: tuple[Any, str]
) -> None:
    app, _ = live
    held = Held(app)
    page.goto(f"{serve(held)}/run?id=running")
    page.evaluate("window.times = 0; document.addEventListener('runstore:refreshed', () => { window.times += 1; })")

    held.hold()
    page.evaluate("window.all = [window.runstore.refresh()]; 0")
    held.wait_for_a_request()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as when somebody comes back to the page
    page.evaluate("window.all.push(window.runstore.refresh()); new Promise((then) => setTimeout(then, 100))")
    told = page.inner_text("#live")
    held.let_go()
    page.evaluate("Promise.all(window.all)")

    assert "live" in told
    assert "the database does not answer" not in told
    assert "live" in page.inner_text("#live")
    assert held.waiting.count("GET /run") == 1, "one at a time"
    assert page.evaluate("window.times") >= 2, "the answer that was under way may be older than what is asked for then"
