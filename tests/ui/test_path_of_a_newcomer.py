"""What somebody who knows W&B's page looks for is found by what stands on the screen alone; each step is a picture in the docs.

``RUNSTORE_TEST_PICTURES=renew`` makes the pictures anew.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runstore import open_reader
from runstore_ui import Options, make_app
from support.browser import Serve
from support.path_store import SWEEP, fill_for_path
from support.pictures import take

pytestmark = pytest.mark.server

WINDOW = {"width": 1100, "height": 600}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    url = f"sqlite:///{tmp_path_factory.mktemp('path') / 'runs.db'}"
    fill_for_path(url)
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url="postgresql://lab.example/runs"))


def in_sight(page: Any, selector: str) -> Any:
    """What is to be pressed next; it must lie within the window, so that nobody has to look for it."""
    found = page.locator(selector).first
    found.wait_for()
    box = found.bounding_box()
    assert box, selector
    assert box["y"] >= 0, selector
    assert box["y"] + box["height"] <= WINDOW["height"], f"{selector} is below the window"
    return found


def sort_by(page: Any, title: str) -> None:
    in_sight(page, f"thead a:has-text('{title}')").click()
    page.wait_for_selector(f"th[aria-sort=descending]:has-text('{title}')")


@pytest.fixture
def table(page: Any, serve: Serve, app: Any) -> Any:
    """The window at the address that the command prints, with the experiment chosen at the head of the page."""
    page.set_viewport_size(WINDOW)
    page.goto(serve(app))
    in_sight(page, "#experiment").select_option("chest x-ray")
    page.wait_for_url("**experiment=chest*")
    return page


def test_the_best_run_of_an_experiment_is_the_first_once_its_metrics_head_is_pressed(
    table: Any, tmp_path: Path
) -> None:
    sort_by(table, "auroc")

    assert in_sight(table, "tbody tr:first-child .name").inner_text() == "convnext-tiny"
    assert in_sight(table, "tbody tr:first-child td.sorted b").inner_text().startswith("0.97")
    assert table.locator("tr[data-run]").count() == 50 < SWEEP
    take(table, "path-1.png", tmp_path)


def test_why_a_run_failed_stands_in_the_head_of_its_page_and_the_traceback_is_a_press_away(
    table: Any, tmp_path: Path
) -> None:
    row = "tr:has(.is-failed)"
    assert in_sight(table, f"{row} .status").inner_text().endswith("failed")
    in_sight(table, f"{row} .name a").click()

    assert "failed after 4m00s" in in_sight(table, "h1").inner_text()
    assert "CUDA out of memory" in in_sight(table, "#standing").inner_text()
    in_sight(table, "summary:has-text('Traceback')").click()
    assert "self.head(self.blocks(images))" in table.inner_text(".traceback")
    take(table, "path-2.png", tmp_path)


def test_the_two_best_are_ticked_and_compared_without_scrolling_and_the_settings_that_differ_come_under_that_name(
    table: Any, tmp_path: Path
) -> None:
    compare_two_best(table)

    assert in_sight(table, "tr.part:has-text('Settings that differ')")
    differing = table.eval_on_selector_all(".differs", "rows => rows.map(row => row.innerText.split(/\\s/)[0])")
    assert differing == ["model", "learning_rate", "batch_size"]
    take(table, "path-3.png", tmp_path)


def test_the_curves_of_both_lie_over_each_other_below(table: Any, tmp_path: Path) -> None:
    compare_two_best(table)
    in_sight(table, "h2:has-text('Charts')")
    table.evaluate("document.getElementById('charts').scrollIntoView()")
    table.wait_for_selector("figure.chart .legend button")

    names = table.eval_on_selector_all(
        "figure.chart >> nth=0 >> .legend button", "all => all.map(each => each.innerText)"
    )
    assert [name.strip() for name in names] == ["convnext-tiny", "resnet18 focal"]
    for number in range(table.locator("figure.chart").count()):
        table.locator("figure.chart .drawn").nth(number).wait_for()
    take(table, "path-4.png", tmp_path)


def compare_two_best(table: Any) -> None:
    sort_by(table, "auroc")
    for number in (1, 2):
        in_sight(table, f"tbody tr:nth-child({number}) .tick input").check()
    in_sight(table, "#compare:has-text('Compare 2')").click()
    table.wait_for_url("**/compare?*")
