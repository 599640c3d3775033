"""Charts over epochs, with values by their logarithm, and smoothed."""

import json
import math
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore_ui import Options, make_app
from support.asgi import ask
from support.browser import Serve

STEPS = 30_000
EVERY = 1000
"""Steps of an epoch."""


def wave(step: int) -> float:
    return math.nan if step == 12_345 else math.sin(step / 40) * math.exp(-step / 9000)


@pytest.fixture(scope="module")
def axes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """``told`` logs its epochs as Lightning does, but for its last points; ``untold`` logs none."""
    url = f"sqlite:///{tmp_path_factory.mktemp('axes') / 'runs.db'}"
    with open_store(url, durable=False) as store:
        for name in ("told", "untold"):
            run = store.ensure_run(store.get_or_create_experiment("e"), run_id=name)
            store.log_metrics(run, [MetricPoint("wave", wave(step), step, "train") for step in range(STEPS)])
            store.log_metrics(
                run, [MetricPoint("few", value, step) for step, value in enumerate((1.0, 0.0, -2.0, 10.0))]
            )
            if name == "told":
                told = range(0, STEPS - EVERY, 50)
                store.log_metrics(run, [MetricPoint("epoch", step // EVERY, step) for step in told])
                ends = range(EVERY - 1, STEPS - EVERY - 50, EVERY)
                store.log_metrics(run, [MetricPoint("auroc", 0.5, step, "validation") for step in ends])
            store.finalize(run, "completed")
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url=url))


def chart(app: Any, query: str) -> Any:
    return json.loads(ask(app, f"/chart.json?{query}").body)


def mean_of_all(share: float) -> dict[int, float | None]:
    """The smoothed value at each step, in the plainest way."""
    found: dict[int, float | None] = {}
    total = weight = 0.0
    for step in range(STEPS):
        value = wave(step)
        if math.isfinite(value):
            total, weight = share * total + (1 - share) * value, share * weight + 1 - share
        found[step] = total / weight if math.isfinite(value) else None
    return found


def test_points_lie_by_their_epoch_and_within_it_by_their_steps(axes: Any) -> None:
    (train,) = chart(axes, "run=told&metric=wave&by=epoch")["series"]
    (validation,) = chart(axes, "run=told&metric=auroc&by=epoch")["series"]

    last = [step for step in train["steps"] if step < STEPS - EVERY]
    assert train["x"][: len(last)] == pytest.approx([step / EVERY for step in last], abs=0.051)
    assert validation["x"] == pytest.approx([step / EVERY for step in validation["steps"]])
    assert (validation["x"][0], validation["steps"][0]) == (0.999, 999)


def test_points_without_an_epoch_are_counted_and_not_drawn(axes: Any) -> None:
    both = chart(axes, "run=told&run=untold&metric=wave&by=epoch")
    narrow = chart(axes, "run=told&metric=wave&by=epoch&from=28900&to=29099")

    untold = next(each for each in both["series"] if each["run"] == "untold")
    assert (untold["x"], both["total"]) == ([], 2 * STEPS)
    assert STEPS < both["without_place"] < 2 * STEPS
    assert (len(narrow["series"][0]["x"]), narrow["without_place"]) == (51, 149)


@pytest.mark.parametrize("share", [0.9, 0.999])
def test_a_curve_is_smoothed_over_all_points_of_its_series_whatever_part_is_looked_at(axes: Any, share: float) -> None:
    expected = mean_of_all(share)
    for part in ("", "&from=12000&to=12800"):
        found = chart(axes, f"run=told&metric=wave&smooth={share}{part}")
        (train,) = found["series"]

        assert found["smoothed"] == "all"
        assert train["smooth"] == [
            None if expected[step] is None else pytest.approx(expected[step], rel=1e-9, abs=1e-12)
            for step in train["steps"]
        ]
    assert None in train["smooth"], "what is not finite stays a gap"


def test_of_more_points_than_are_read_the_drawn_ones_are_smoothed_and_the_chart_says_so(
    axes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runstore_ui.charts.smoothing.MOST_READ", STEPS - 1)
    found = chart(axes, "run=told&metric=wave&smooth=0.9")

    assert found["smoothed"] == "drawn"
    assert found["series"][0]["smooth"][0] == found["series"][0]["y"][0]
    assert chart(axes, "run=told&metric=few&smooth=0.9")["smoothed"] == "all"
    assert chart(axes, "run=told&metric=few")["smoothed"] == ""


def test_a_picture_is_as_the_chart_is_shown(axes: Any) -> None:
    plain, log = (ask(axes, f"/chart.svg?run=told&metric=few{more}").text for more in ("", "&y=log&smooth=0"))
    smooth = ask(axes, "/chart.svg?run=told&metric=wave&smooth=0.9&by=epoch").text

    assert (plain.count("l6 6m0 -6l-6 6"), log.count("l6 6m0 -6l-6 6")) == (0, 2), "0 and -2 have no place"
    assert ">wave, smoothed by 0.9</text>" in smooth
    assert ">epoch</text>" in smooth


def test_files_of_a_chart_follow_the_axes_of_the_page(axes: Any) -> None:
    text = ask(axes, "/run?id=told&y=log&but=few&by=epoch&smooth=0.5").text

    assert 'href="chart.svg?run=told&amp;metric=wave&amp;by=epoch&amp;smooth=0.5&amp;y=log"' in text
    assert 'href="chart.svg?run=told&amp;metric=few&amp;by=epoch&amp;smooth=0.5"' in text
    assert 'href="chart.csv?run=told&amp;metric=wave&amp;by=epoch"' in text


@pytest.mark.server
def test_axes_are_chosen_for_all_charts_or_one_and_stand_in_the_address_in_the_browser(
    page: Any, serve: Serve, axes: Any
) -> None:
    few, wave_chart = 'figure[data-title="few"]', 'figure[data-title="wave"]'
    page.set_viewport_size({"width": 1200, "height": 1600})
    page.goto(f"{serve(axes)}/run?id=told")
    page.wait_for_selector(f"{few} .drawn:text-is('4 points')")
    page.click(f"{few} .log")
    page.wait_for_selector(f"{few} .drawn:text-is('4 points, 2 values ≤ 0 with no place here')")
    assert parse_qs(urlsplit(page.url).query) == {"id": ["told"], "but": ["few"]}
    page.reload()
    page.wait_for_selector(f"{few} .log[aria-pressed=true]")
    assert page.get_attribute(f"{wave_chart} .log", "aria-pressed") == "false"

    page.select_option("#axis select[name=y]", "log")
    page.wait_for_selector(f"{wave_chart} .drawn:has-text('at least')")
    assert parse_qs(urlsplit(page.url).query) == {"id": ["told"], "y": ["log"]}
    page.select_option("#axis select[name=y]", "linear")
    page.fill("#axis input[name=smooth]", "0.9")
    page.dispatch_event("#axis input[name=smooth]", "change")
    page.wait_for_selector(f"{wave_chart} .drawn:has-text('smoothed over all points')")
    page.select_option("#axis select[name=by]", "epoch")
    page.wait_for_selector(f"{wave_chart} .drawn:has-text('without an epoch')")
    page.focus(f"{wave_chart} .plot")
    page.keyboard.press("Home")
    assert page.inner_text(f"{wave_chart} .reading").startswith("epoch 0: train 0")
    page.keyboard.press("End")
    page.keyboard.press("+")
    page.wait_for_url("**from=*&to=*")
    assert int(parse_qs(urlsplit(page.url).query)["from"][0]) > STEPS / 2
