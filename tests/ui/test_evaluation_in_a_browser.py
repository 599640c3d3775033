"""The evaluation in Chromium: the slider, the form without script, on light and dark grounds, on a phone."""

from collections.abc import Iterator
from typing import Any

import pytest

from runstore import open_reader
from runstore_ui import Options, make_app
from runstore_ui.evaluation import all_cases, decide, rank
from support.browser import served, window
from support.judged_stores import fill_with_predictions, films
from support.page_stores import HOSTILE

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("judged")
    url = f"sqlite:///{folder / 'judged.db'}"
    fill_with_predictions(url, folder)
    with open_reader(url) as reader, served(make_app(reader, Options(shown_url=url))) as found:
        yield f"{found}/evaluation?run=judged"


def sensitivity(page: Any) -> str:
    return str(page.inner_text("#rates tbody tr:first-child td:last-child"))


def expected(threshold: float) -> str:
    rate = decide(rank(all_cases(films())), threshold).sensitivity
    return f"{rate.hits:g} of {rate.count:g}"


def test_the_slider_moves_the_threshold_and_the_address_and_keeps_what_was_opened(browser: Any, address: str) -> None:
    with window(browser) as page:
        page.goto(address)
        page.click("#figure-1 summary")
        page.focus("#slider")
        page.eval_on_selector(
            "#slider", "it => { it.value = 0.7; it.dispatchEvent(new Event('input', {bubbles: true})); }"
        )
        page.locator("#rates tbody tr:first-child td:last-child", has_text=expected(0.7)).wait_for()

        assert "threshold=0.7" in page.url
        assert page.input_value("#threshold") == "0.7000"
        assert page.eval_on_selector("#figure-1 details", "it => it.open")
        assert page.evaluate("document.activeElement.id") == "slider"
        page.reload()
        assert sensitivity(page) == expected(0.7)


def test_a_part_that_is_chosen_is_judged_and_a_link_shows_it_to_others(browser: Any, address: str) -> None:
    with window(browser) as page:
        page.goto(address)
        page.select_option("select[name='only.site']", HOSTILE)
        page.locator(".count:not(:has-text('600 cases'))").wait_for()
        count = page.inner_text(".count")
        link = page.get_attribute("#here", "href")
        page.goto(f"{address.rpartition('/')[0]}/{link}")

        assert page.inner_text(".count") == count
        assert page.input_value("select[name='only.site']") == HOSTILE


def test_without_script_the_form_has_a_button(browser: Any, address: str) -> None:
    with window(browser, java_script_enabled=False) as page:
        page.goto(address)
        page.fill("#threshold", "0.7")
        page.click("#choices button")

        assert sensitivity(page) == expected(0.7)
        assert not page.is_visible("#slider")


def test_figures_are_seen_on_both_grounds_and_fit_a_phone(browser: Any, address: str) -> None:
    for scheme in ("light", "dark"):
        with window(browser, color_scheme=scheme, viewport={"width": 390, "height": 800}) as page:
            page.goto(address)
            widths = page.eval_on_selector_all(".figures svg", "all => all.map(it => it.getBoundingClientRect().right)")

            assert len(widths) == 4
            assert max(widths) <= 390
            ink, ground = page.evaluate(
                "[getComputedStyle(document.querySelector('.figures svg text')).fill,"
                " getComputedStyle(document.documentElement).backgroundColor]"
            )
            assert ink != ground
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
