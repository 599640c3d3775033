"""The page over a backend that this project does not know: the one of the page "Write a backend"."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from documentation.pages import run_blocks
from runstore.backend import BackendStore
from runstore_ui import Options, make_app
from support.asgi import ask
from support.browser import Serve
from support.page_stores import fill_store

VIEWS = (
    "/chart.json?run=run01&run=run02&metric=auroc",
    "/chart.svg?run=run01&metric=loss",
    "/runs.csv?order=name&column=name&column=metric.validation.auroc.max&column=config.optimizer.learning_rate",
    "/complete?text=status%20%3D%20",
)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page over runs in a store of that backend."""
    kind = cast("type[BackendStore]", run_blocks("docs/write-a-backend.md", "python")["NotesStore"])
    url = f"notes:///{tmp_path_factory.mktemp('notes')}/runs.notes"
    with kind(url) as store:  # type: ignore[call-arg]  # made by the page
        fill_store(store)
        yield make_app(store, Options(shown_url=url))


@pytest.mark.parametrize("view", VIEWS)
def test_what_the_page_answers_is_the_same_as_over_sqlite(theirs: Any, app: Any, view: str) -> None:
    found, expected = ask(theirs, view), ask(app, view)

    assert found.status == 200
    assert found.body == expected.body


@pytest.mark.server
def test_table_run_charts_and_comparison_work_in_the_browser(page: Any, serve: Serve, theirs: Any) -> None:
    page.goto(
        f"{serve(theirs)}/?experiment=chest%20x-ray&order=metric.validation.auroc.max%20desc&filter=name%20like%20'res%25'"
    )
    page.locator("tr[data-run] .name a").first.click()
    page.wait_for_selector("figure.chart .drawn:has-text('40 points')")
    page.go_back()
    for box in page.locator("input[name=run]").all()[:2]:
        box.check()
    page.click("#compare")
    page.wait_for_selector("figure.chart .drawn:has-text('40 points')")

    assert page.locator("#comparison thead th").count() == 2
    assert page.locator("#comparison .differs").count() > 0
