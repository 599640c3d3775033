"""The table in Chromium."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runstore import open_reader, open_store
from runstore_ui import Options, make_app
from support.browser import Serve, plain_window, served
from support.held import Held
from support.page_stores import EXPERIMENT, fill

pytestmark = pytest.mark.server


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[Any, str]]:
    """The page over a store of this test's own, and the store's URL."""
    url = f"sqlite:///{tmp_path / 'live.db'}"
    fill(url)
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url=url)), url


def test_the_table_is_used_by_keys_alone(page: Any, serve: Serve, app: Any) -> None:
    address = serve(app)
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


def test_what_is_new_appears_and_choice_focus_and_place_stay(page: Any, serve: Serve, live: tuple[Any, str]) -> None:
    app, url = live
    page.set_viewport_size({"width": 1200, "height": 300})
    address = serve(app)
    page.goto(f"{address}/?column=name&column=status")
    page.check("#tick-run03")
    page.focus("#tick-run03")
    page.evaluate("window.scrollTo(0, 200)")
    page.evaluate("document.querySelector('#run-run03').mark = 'same element'")
    before = page.evaluate("window.scrollY")

    with open_store(url, durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment(EXPERIMENT), run_id="newest")
        store.finalize(run, "completed")
        store.finalize("running", "completed")
    page.evaluate("window.runstore.refresh()")
    page.wait_for_selector("#run-running .status:has-text('completed')")  # the last of it: the page asks of itself, too

    assert page.locator("#run-newest").count() == 1
    assert page.is_checked("#tick-run03")
    assert page.evaluate("document.activeElement.id") == "tick-run03"
    assert page.evaluate("document.querySelector('#run-run03').mark") == "same element"
    assert page.evaluate("window.scrollY") >= before


def test_what_is_ticked_stays_ticked_when_the_table_is_sorted_and_on_the_next_page(
    page: Any, serve: Serve, live: tuple[Any, str]
) -> None:
    app, url = live
    with open_store(url, durable=False) as store:
        experiment = store.get_or_create_experiment("many")
        for index in range(60):
            store.finalize(store.ensure_run(experiment, run_id=f"many{index:02}"), "completed")
    page.goto(f"{serve(app)}/?experiment=many&column=name&column=status&order=id")
    page.check("#tick-many00")
    page.check("#tick-many01")

    page.click("th a:has-text('run')")
    page.wait_for_url("**/?*order=name*")
    page.click("text=next 50")
    page.wait_for_url("**/?*cursor=*")

    ticked = page.eval_on_selector_all(
        "input[name=run]:checked, #elsewhere input", "all => all.map(each => each.value)"
    )
    assert sorted(ticked) == ["many00", "many01"]
    assert page.inner_text("#compare") == "Compare 2"
    assert page.url.count("run=many") == 2
    page.click("text=untick all")
    page.wait_for_url(lambda address: "run=many" not in address)
    assert page.inner_text("#compare") == "Compare"


def test_what_was_there_stays_when_the_database_does_not_answer(browser: Any, app: Any) -> None:
    with plain_window(browser) as window:
        with served(app) as address:
            window.goto(f"{address}/")
        window.evaluate("window.runstore.refresh()")
        window.wait_for_selector("#live.away")

        assert "the database does not answer" in window.inner_text("#live")
        assert window.locator("tr[data-run]").count() > 10


def test_the_filter_is_completed_by_keys_and_what_was_asked_comes_back(page: Any, serve: Serve, app: Any) -> None:
    address = serve(app)
    page.goto(f"{address}/")
    page.focus("#filter")
    page.keyboard.type("status = 'fa")
    page.wait_for_selector("#offers li[data-text=\"'failed' \"]")
    page.keyboard.press("Tab")
    assert page.input_value("#filter") == "status = 'failed' "
    page.keyboard.press("Enter")
    page.wait_for_url("**/?filter=*")
    assert page.eval_on_selector_all("tr[data-run]", "rows => rows.map(row => row.dataset.run)") == ["failed"]
    page.goto(f"{address}/")
    page.focus("#filter")
    page.keyboard.press("ArrowUp")
    assert page.input_value("#filter") == "status = 'failed'"


def test_columns_are_found_letter_by_letter_and_ticked_over(page: Any, serve: Serve, app: Any) -> None:
    address = serve(app)
    page.goto(f"{address}/columns?column=name")
    page.keyboard.type("batch")
    page.wait_for_selector("#offered legend:has-text('batch')")
    page.check("#offered input[value='config.batch_size']")
    page.click("text=Show these")

    assert page.url.endswith("/?column=name&column=config.batch_size")


def test_columns_are_found_by_the_last_letters_however_slow_the_answers_are(page: Any, serve: Serve, app: Any) -> None:
    held = Held(app)
    page.goto(f"{serve(held)}/columns?column=name")
    held.hold()
    page.keyboard.type("b")
    held.wait_for_a_request()
    for letter in "atch":
        page.keyboard.type(letter)
        page.evaluate("new Promise((then) => setTimeout(then, 100))")  # longer than what a quick hand is waited for
    held.let_go()

    page.wait_for_url("**search=batch*")
    page.wait_for_selector("#offered legend:has-text('batch')")
    assert page.locator("#offered legend").count() == 1


def test_a_phone_shows_cards_as_wide_as_it_is(page: Any, serve: Serve, app: Any) -> None:
    page.set_viewport_size({"width": 380, "height": 800})
    address = serve(app)
    page.goto(f"{address}/?experiment=chest%20x-ray")

    assert page.evaluate("document.documentElement.scrollWidth") <= 380


def test_without_script_the_table_is_filtered_sorted_and_unfolded(browser: Any, serve: Serve, app: Any) -> None:
    with plain_window(browser, java_script_enabled=False) as window:
        address = serve(app)
        window.goto(f"{address}/?experiment=chest%20x-ray&column=name&column=metric.validation.auroc.max")
        window.click("#fold-fedavg")
        window.click("text=auroc")
        window.fill("#filter", "metric.validation.auroc.max > 0.94")
        window.click('button:has-text("Filter")')

        assert window.locator("tr[data-run]").count() == 4
        assert window.locator("th[aria-sort=descending]").count() == 1


def test_a_name_that_turns_text_round_turns_itself_alone(page: Any, serve: Serve, live: tuple[Any, str]) -> None:
    app, url = live
    with open_store(url, durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment(EXPERIMENT), run_id="turned", name="photo\u202egnp.exe")
        store.finalize(run, "completed")
    page.goto(f"{serve(app)}/run?id=turned")

    lefts = page.evaluate(
        """() => {
            const text = document.createTreeWalker(document.querySelector(".ending"), NodeFilter.SHOW_TEXT);
            while (text.nextNode()) if (text.currentNode.data.includes("completed")) break;
            const node = text.currentNode, at = node.data.indexOf("completed");
            return [0, 8].map((step) => {
                const range = document.createRange();
                range.setStart(node, at + step);
                range.setEnd(node, at + step + 1);
                return range.getBoundingClientRect().left;
            });
        }"""
    )

    assert lefts[0] < lefts[1], "the word after the name is read from left to right"
