"""Charts as a browser gets them, and as files."""

import csv
import io
import itertools
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore_ui import Options, make_app
from support.asgi import ask
from support.browser import Serve
from support.page_stores import HOSTILE

START = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = 60_000


@pytest.fixture(scope="module")
def curves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two runs: a long series with one peak and one NaN, a short one beside it, and some of one prefix."""
    url = f"sqlite:///{tmp_path_factory.mktemp('curves') / 'runs.db'}"
    with open_store(url, durable=False) as store:
        experiment = store.get_or_create_experiment("e")
        for name in ("one", "two"):
            run = store.ensure_run(experiment, run_id=name, name=f"run {name}", start_time=START)
            values = [math.exp(-step / 9000) for step in range(STEPS)]
            values[31_234], values[40_000] = 9.0, math.nan
            points = [
                MetricPoint("loss", value, step, "train", START + timedelta(seconds=step / 10))
                for step, value in enumerate(values)
            ]
            store.log_metrics(run, points)
            few = [MetricPoint("loss", 1 / (1 + epoch), epoch * 3000, "validation", START) for epoch in range(20)]
            gpus = [MetricPoint(f"system/gpu{index}", 0.5, 1) for index in range(2)]
            store.log_metrics(run, few + gpus)
            store.finalize(run, "completed", end_time=START + timedelta(hours=2))
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url=url))


def chart(app: Any, query: str) -> Any:
    return json.loads(ask(app, f"/chart.json?{query}").body)


def test_a_chart_has_the_datasets_of_a_metric_and_says_how_many_of_how_many_points_it_draws(curves: Any) -> None:
    found = chart(curves, "run=one&metric=loss")
    by = {each["dataset"]: each for each in found["series"]}

    assert {kind: each["dash"] for kind, each in by.items()} == {"train": "6 3", "validation": None}
    assert found["total"] == STEPS + 20
    assert found["drawn"] == sum(len(each["x"]) for each in found["series"]) < 2100
    assert len(by["validation"]["x"]) == 20
    assert found == chart(curves, "run=one&metric=loss")


def test_extremes_are_kept_and_what_is_not_finite_is_a_mark(curves: Any) -> None:
    train = chart(curves, "run=one&metric=loss&dataset=train")["series"][0]

    assert dict(zip(train["x"], train["y"], strict=True))[31_234] == 9.0
    (mark,) = train["marks"]
    assert mark["word"] == "NaN"
    assert abs(mark["x"] - 40_000) < STEPS / 400


def test_a_range_is_cut_before_it_is_sampled(curves: Any) -> None:
    near = chart(curves, "run=one&metric=loss&dataset=train&from=39900&to=40100")

    assert near["drawn"] == near["total"] == 201
    assert near["series"][0]["y"][100] is None
    assert near["series"][0]["marks"] == [{"x": 40_000, "word": "NaN"}]


def test_time_lies_along_in_seconds_and_points_of_one_moment_stand_side_by_side(curves: Any) -> None:
    by = {each["dataset"]: each for each in chart(curves, "run=one&metric=loss&by=time")["series"]}

    assert by["train"]["x"][-1] == pytest.approx((STEPS - 1) / 10)
    assert (by["validation"]["y"], by["validation"]["count"]) == ([1.0, 0.05], 20)
    assert all(low < high for each in by.values() for low, high in itertools.pairwise(each["x"]))


def test_a_logarithmic_axis_has_no_place_for_step_0_and_says_so(curves: Any) -> None:
    found = chart(curves, "run=one&metric=loss&by=log")

    assert found["without_place"] == 2
    assert min(x for each in found["series"] for x in each["x"]) == 1


def test_several_runs_have_one_grid_and_each_its_own_colour_for_good(curves: Any) -> None:
    both = chart(curves, "run=one&run=two&metric=loss&dataset=train")["series"]
    other = chart(curves, "run=two&run=one&metric=loss&dataset=train")["series"]

    assert [each["label"] for each in both] == ["run one", "run two"]
    assert both[0]["x"] == both[1]["x"]
    assert {each["run"]: (each["colour"], each["dash"]) for each in both} == {
        each["run"]: (each["colour"], each["dash"]) for each in other
    }


def test_every_point_is_in_the_csv_and_the_picture_stands_alone(curves: Any) -> None:
    table = list(csv.DictReader(io.StringIO(ask(curves, "/chart.csv?run=one&metric=loss").text)))
    part = ask(curves, "/chart.csv?run=one&metric=loss&dataset=train&from=39999&to=40001")
    svg = ask(curves, "/chart.svg?run=one&metric=loss")

    assert len(table) == STEPS + 20
    assert [row["value"] for row in csv.DictReader(io.StringIO(part.text))][1] == "nan"
    assert part.headers["content-disposition"] == "attachment; filename*=UTF-8''loss.csv"
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert svg.headers["content-disposition"].startswith("attachment")
    assert svg.text.count("<polyline") >= 2


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("run=one", 400, "no run or no metric"),
        ("run=nobody&metric=loss", 404, "nobody"),
        ("run=one&metric=loss&by=luck", 400, "'step', 'epoch', 'time', 'log'"),
        ("run=one&metric=loss&from=-1", 400, "from is '-1'; give the number of a step"),
        ("run=one&metric=loss&smooth=1", 400, "smooth is '1'; give a number from 0 to 0.9999"),
        ("run=one&metric=loss&dataset=all", 400, "'validation'"),
        ("run=one&metric=nothing", 200, '"total":0'),
    ],
)
def test_what_cannot_be_drawn_is_said_with_what_helps(curves: Any, query: str, status: int, words: str) -> None:
    answer = ask(curves, f"/chart.json?{query}")

    assert answer.status == status
    assert words in unescape(answer.text)


def test_metrics_that_begin_alike_are_a_group_and_results_come_first(curves: Any) -> None:
    text = ask(curves, "/run?id=one&by=time&from=10").text

    assert text.index('data-title="loss"') < text.index("<h3>system</h3>") < text.index('data-title="system/gpu0"')
    assert 'href="chart.csv?run=one&amp;metric=loss&amp;by=time&amp;from=10"' in text
    assert ask(curves, "/run?id=one&by=luck&from=x&smooth=nan&y=luck&but=nothing").status == 200


@pytest.mark.server
def test_charts_are_drawn_read_by_keys_zoomed_and_smoothed_in_the_browser(page: Any, serve: Serve, curves: Any) -> None:
    address = serve(curves)
    loss = 'figure[data-title="loss"]'
    page.goto(f"{address}/run?id=one")
    page.wait_for_selector(f"{loss} .legend button:nth-of-type(1)")
    assert " of 60,020 points" in page.inner_text(f"{loss} .drawn")

    page.focus(f"{loss} .plot")
    page.keyboard.press("Home")
    assert "step 0: validation 1, train 1" in page.inner_text(f"{loss} .reading")
    page.keyboard.press("ArrowRight")
    assert "step 0:" not in page.inner_text(f"{loss} .reading")
    page.click(f"{loss} summary")
    page.wait_for_selector(f"{loss} tbody tr:nth-child(101)")

    box = page.locator(f"{loss} .u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.52, box["y"] + 50, steps=4)
    page.mouse.up()
    page.wait_for_url("**from=*&to=*")
    narrower = f"{loss} .drawn:has-text('points'):not(:has-text('60,020'))"
    page.wait_for_selector(narrower)
    page.reload()
    page.wait_for_selector(narrower)

    page.keyboard.press("Tab")
    page.fill("#axis input[name=smooth]", "0.9")
    page.dispatch_event("#axis input[name=smooth]", "change")
    page.select_option("#axis select", "time")
    page.wait_for_url("**by=time*")
    page.click("#whole")
    page.wait_for_selector(f"{loss} .drawn:has-text('60,020')")
    assert "smooth=0.9" in page.url
    assert "from=" not in page.url
    with page.expect_download() as download:
        page.click(f"{loss} .png")
    assert download.value.suggested_filename == "loss.png"


@pytest.mark.server
def test_the_smallest_values_have_ticks_that_tell_them_apart_in_the_browser(
    page: Any, serve: Serve, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    with open_store(url, durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment("e"), run_id="one")
        rates = [MetricPoint("learning_rate", 0.0009 * math.cos(step / 10) ** 2, step) for step in range(16)]
        store.log_metrics(run, rates)
        store.finalize(run, "completed")
    page.add_init_script("""
      window.written = new Set();
      const write = CanvasRenderingContext2D.prototype.fillText;
      CanvasRenderingContext2D.prototype.fillText = function (text, ...place) { window.written.add(text); return write.call(this, text, ...place); };
    """)

    with open_reader(url) as reader:
        page.goto(f"{serve(make_app(reader, Options(shown_url=url)))}/run?id=one")
        page.wait_for_selector(".chart canvas")
        page.wait_for_function("window.written.size > 4")
        written = page.evaluate("[...window.written]")

    assert {"2e-4", "4e-4", "6e-4", "8e-4"} <= {*written}


def test_compared_runs_lie_over_each_other_a_chart_for_each_dataset(curves: Any) -> None:
    text = unescape(ask(curves, "/compare?run=two&run=one&from=10&smooth=0.5").text)

    assert 'data-source="chart.json?run=two&run=one&metric=loss&dataset=validation"' in text
    assert 'data-source="chart.json?run=two&run=one&metric=loss&dataset=train"' in text
    assert 'href="compare?run=two&run=one&baseline=one&from=10&smooth=0.5"' in text


@pytest.mark.server
def test_a_run_is_hidden_by_its_name_in_the_legend_of_compared_runs(page: Any, serve: Serve, curves: Any) -> None:
    train = 'figure[data-title="loss, train"]'
    page.goto(f"{serve(curves)}/compare?run=one&run=two")
    page.wait_for_selector(f"{train} .legend button")
    page.focus(f"{train} .plot")
    page.keyboard.press("Home")
    assert page.inner_text(f"{train} .reading") == "step 0: run one 1, run two 1"
    page.click(f"{train} .legend button:has-text('run one')")
    page.focus(f"{train} .plot")
    page.keyboard.press("Home")

    assert page.inner_text(f"{train} .reading") == "step 0: run two 1"


@pytest.mark.server
def test_a_metric_that_a_run_begins_to_log_gets_its_chart_in_the_browser(
    page: Any, serve: Serve, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    with open_store(url, durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment("e"), run_id="r")
        page.goto(f"{serve(make_app(store, Options(shown_url=url)))}/run?id=r")
        assert page.locator("figure.chart").count() == 0
        for count, name in enumerate(("loss", "auroc"), 1):
            store.log_metrics(run, [MetricPoint(name, 0.5, step) for step in range(3)])
            page.evaluate("window.runstore.refresh()")
            page.wait_for_selector(f'figure[data-title="{name}"] .drawn:has-text("3 points")')
            assert page.locator("figure.chart").count() == count
        store.log_metrics(run, [MetricPoint("loss", 0.25, 3)])
        page.evaluate("window.runstore.refresh()")
        page.wait_for_selector('figure[data-title="loss"] .drawn:has-text("4 points")')
        store.finalize(run, "completed")


@pytest.mark.server
def test_hostile_names_are_names_in_the_browser_and_a_phone_is_wide_enough(
    page: Any, serve: Serve, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    page.set_viewport_size({"width": 380, "height": 800})
    with open_store(url, durable=False) as store:
        experiment = store.get_or_create_experiment(HOSTILE)
        for run_id in (HOSTILE, f"{HOSTILE}/2"):
            run = store.ensure_run(experiment, run_id=run_id, name=HOSTILE)
            store.log_metrics(run, [MetricPoint(HOSTILE, step / 2, step, "train") for step in range(5)])
            store.finalize(run, "completed")
        address = serve(make_app(store, Options(shown_url=url)))
        for view in (f"run?id={quote(HOSTILE)}", f"compare?run={quote(HOSTILE)}&run={quote(HOSTILE)}%2F2"):
            page.goto(f"{address}/{view}")
            page.wait_for_selector(".drawn:has-text('points')")
            assert HOSTILE in page.inner_text("figcaption")
            page.click("figure summary")
            page.wait_for_selector("figure tbody tr:nth-child(5)")
            assert page.evaluate("document.documentElement.scrollWidth") <= 380


@pytest.mark.server
def test_a_range_of_time_is_a_range_of_steps_in_the_address_and_back_leads_back_in_the_browser(
    page: Any, serve: Serve, curves: Any
) -> None:
    loss = 'figure[data-title="loss"]'
    page.goto(f"{serve(curves)}/run?id=two&by=time")
    page.wait_for_selector(f"{loss} .drawn:has-text('60,020')")
    page.focus(f"{loss} .plot")
    page.keyboard.press("End")
    assert page.inner_text(f"{loss} .reading").startswith("1h40m: ")
    page.keyboard.press("+")
    page.wait_for_url("**/run?id=two&by=time&from=*&to=59999")
    page.wait_for_selector(f"{loss} .drawn:has-text('points'):not(:has-text('60,020'))")
    page.go_back()
    page.wait_for_selector(f"{loss} .drawn:has-text('60,020')")

    assert page.is_hidden("#whole")


@pytest.mark.server
def test_steps_beyond_what_a_browser_can_tell_apart_are_drawn(page: Any, serve: Serve, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    with open_store(url, durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment("e"), run_id="far")
        store.log_metrics(run, [MetricPoint("loss", index / 4, step=2**53 + index) for index in range(5)])
        store.log_metrics(run, [MetricPoint("one", 1.0, step=2**63 - 1)])
    with open_reader(url) as reader:
        page.goto(f"{serve(make_app(reader, Options(shown_url='')))}/run?id=far")
        page.wait_for_selector(".drawn:has-text('5 points')")
        page.wait_for_selector(".drawn:text-is('1 point')")

        page.focus(".plot >> nth=0")
        page.keyboard.press("End")
        assert "step 9,007,199,254,740,99" in page.inner_text(".reading >> nth=0"), "the page answers to keys"
        page.goto("about:blank")


@pytest.mark.server
def test_of_many_runs_the_line_under_the_pointer_stands_out_and_is_said_first(
    page: Any, serve: Serve, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    with open_store(url, durable=False) as store:
        experiment = store.get_or_create_experiment("e")
        for index in range(30):
            run = store.ensure_run(experiment, run_id=f"r{index}", name=f"run {index}")
            store.log_metrics(run, [MetricPoint("loss", float(index), step) for step in range(3)])
            store.finalize(run, "completed")
        runs = "&".join(f"run=r{index}" for index in range(30))
        page.goto(f"{serve(make_app(store, Options(shown_url=url)))}/compare?{runs}")
        page.wait_for_selector("figure .legend button")
        page.locator("figure").scroll_into_view_if_needed()
        box = page.locator("figure .u-over").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 2)
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 2, steps=3)
        page.wait_for_function("document.querySelector('figure .reading').textContent.startsWith('step 1: run 0 0, ')")

        assert page.inner_text("figure .reading").endswith("and 22 more")
        assert page.locator("figure .legend button").count() == 30
