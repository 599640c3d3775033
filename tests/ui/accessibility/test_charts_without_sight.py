"""Charts for who does not see them: axe-core does not notice a canvas that nobody can read."""

from typing import Any

import pytest

from support.whole_store import VIEWS

pytestmark = pytest.mark.server


@pytest.mark.parametrize("view", ["run", "run with children", "comparison"])
def test_each_chart_has_a_name_a_cursor_that_is_read_aloud_and_a_table(looking: Any, whole: str, view: str) -> None:
    looking.goto(whole + VIEWS[view])
    assert looking.locator("canvas:not(figure.chart .plot canvas)").count() == 0
    for chart in looking.locator("figure.chart").all():
        title = chart.get_attribute("data-title")
        chart.scroll_into_view_if_needed()
        chart.locator(".drawn:not(:empty)").wait_for()
        plot = chart.get_by_role("application", name=f"{title}: arrow keys")
        plot.focus()
        looking.keyboard.press("Home")
        chart.locator(".reading[aria-live=polite]:has-text('step 0: ')").wait_for()
        chart.locator("summary").press("Enter")
        rows = chart.get_by_role("group", name=f"{title}: numbers").get_by_role("row")
        rows.nth(20).wait_for()

        assert rows.count() == 21
        assert rows.first.get_by_role("columnheader").count() > 1
        for kind in ("CSV", "SVG"):
            assert chart.get_by_role("link", name=f"{title}: {kind}").count() == 1


@pytest.mark.parametrize("view", ["evaluation", "rounds", "spread"])
def test_each_figure_has_a_name_says_what_is_to_be_seen_and_has_a_table(looking: Any, whole: str, view: str) -> None:
    looking.goto(whole + VIEWS[view])
    figures = looking.locator(".figures figure").all()

    assert figures
    for figure in figures:
        title = figure.locator("figcaption").inner_text()
        drawing = figure.locator("svg[aria-label]")
        assert drawing.get_attribute("role") in {"img", "group"}
        assert len(str(drawing.get_attribute("aria-label")).removeprefix(f"{title}. ")) > 10
        figure.locator("summary").press("Enter")
        rows = figure.get_by_role("group", name=f"{title}, numbers").get_by_role("row")
        assert rows.count() > 1
