"""Pages of runs with very many metrics."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore_ui import Options, make_app
from support.asgi import ask
from support.browser import Serve

COUNT = 2500


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two runs with thousands of metrics, the most of them of layers, and one with few."""
    url = f"sqlite:///{tmp_path_factory.mktemp('many') / 'runs.db'}"
    names = [*(f"layer{index // 100}/gradient{index % 100:02}" for index in range(COUNT - 1)), "auroc"]
    with open_store(url, durable=False) as store:
        for run_id, found in (("one", names), ("two", names), ("few", names[-20:])):
            run = store.ensure_run(store.get_or_create_experiment("e"), run_id=run_id)
            store.log_metrics(run, [MetricPoint(name, 0.5, step) for name in found for step in range(2)])
            store.finalize(run, "completed")
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url=url))


def charts(text: str) -> list[str]:
    return re.findall(r'<figure class="chart"[^>]* data-title="([^"]+)"', text)


@pytest.mark.parametrize("view", ["/run?id=one", "/compare?run=one&run=two"])
def test_of_very_many_metrics_some_are_shown_and_the_others_are_a_link_away(many: Any, view: str) -> None:
    first = ask(many, view).text
    following = unescape(re.findall(r'rel="next" href="([^"#]+)#charts"', first)[0])
    found = ask(many, f"{view}&metric=LAYER7/gradient4").text
    beyond = ask(many, f"{view}&skip=999999").text

    assert "1 to 60 of 2,500 metrics" in first
    assert len(charts(first)) == 60
    assert charts(first)[0].startswith("auroc"), "results come first"
    assert len(first) < 200_000
    assert charts(ask(many, f"/{following}").text)[0] not in charts(first)
    assert len(charts(found)) == 10
    assert "1 to 10 of 10 metrics with “LAYER7/gradient4” in their names" in found
    assert "2,500 to 2,500 of 2,500 metrics" in beyond


def test_the_charts_and_rows_of_a_run_are_of_the_same_metrics_and_its_head_is_of_all(many: Any) -> None:
    text = ask(many, "/run?id=one&metric=layer24/&by=time").text

    assert set(charts(text)) == set(re.findall(r'<tr data-source="[^"]+" data-title="([^"]+)"', text))
    assert "<dt>auroc <small>other, best</small></dt>" in text
    assert "<div><dt>points</dt><dd>5,000</dd></div>" in text
    assert '<a href="run?id=one&amp;by=time&amp;metric=layer3/#charts">layer3/</a> <small>100</small>' in text
    assert '<input type="hidden" name="by" value="time">' in text


def test_a_run_with_few_metrics_has_no_search_for_them_but_where_one_was_made(many: Any) -> None:
    assert 'name="metric"' not in ask(many, "/run?id=few").text
    nothing = ask(many, "/run?id=few&metric=nothing").text
    assert "0 metrics with “nothing” in their names" in nothing
    assert 'href="run?id=few#charts">all metrics' in nothing


@pytest.mark.server
def test_metrics_are_found_by_a_part_of_their_name_in_the_browser(page: Any, serve: Serve, many: Any) -> None:
    page.goto(f"{serve(many)}/run?id=one&by=log")
    page.fill("input[name=metric]", "layer3/gradient07")
    page.keyboard.press("Enter")
    page.wait_for_url("**by=log&metric=layer3*")
    page.wait_for_selector('figure[data-title="layer3/gradient07"] .drawn:has-text("2 points")')
    assert page.locator("figure.chart").count() == 1
    page.evaluate("window.runstore.refresh()")
    page.click("text=all metrics")
    page.wait_for_selector("figure.chart:nth-of-type(2)")
    assert page.locator("figure.chart").count() == 60
