"""Figures are sound XML whatever names they show, need nothing besides themselves, and come with their numbers."""

import math
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from runstore.predictions import Predictions
from runstore_ui.evaluation import all_cases, decide, precision_points, rank, reliability, roc_points
from runstore_ui.figures import (
    COLOURS,
    Curve,
    Dot,
    Figure,
    Line,
    ParallelAxis,
    history_figure,
    look_of,
    looks,
    looks_of,
    matrix_figure,
    parallel_figure,
    precision_figure,
    reliability_figure,
    roc_figure,
    scatter_figure,
)
from ui.evaluation.judged import drawn, predictions_of

SVG = "{http://www.w3.org/2000/svg}"
EVIL = "<script>alert(1)</script>\"'&]]>\x01\x0b\ud800\u202e" + "long" * 40


def predictions() -> Predictions:
    return predictions_of(*drawn(1, 200))


def roc(name: str) -> Figure:
    return roc_figure([Curve(name=name, points=roc_points(rank(all_cases(predictions()))), mark=(0.2, 0.8))])


def precision(name: str) -> Figure:
    return precision_figure([Curve(name=name, points=precision_points(rank(all_cases(predictions()))))], prevalence=0.4)


def calibration(name: str) -> Figure:
    found = reliability(rank(all_cases(predictions())))
    assert found is not None
    return reliability_figure(found, title=name)


def matrix(name: str) -> Figure:
    return matrix_figure(["normal", name], [[90, 10], [5, 45.5]])


def scatter(name: str) -> Figure:
    dots = [Dot(name=name, x=0.1, y=1e308, is_chosen=True, address=f"run?id={name}"), Dot(name="b", x=-1, y=math.nan)]
    return scatter_figure(dots, x_title=name, y_title=name, x_log=True)


def parallel(name: str) -> Figure:
    axes = [
        ParallelAxis(title=name, values=[1e-4, None, math.nan], is_log=True),
        ParallelAxis(title="model", values=[name, "b", None]),
        ParallelAxis(title="auroc", values=[0.5, 0.75, math.inf]),
    ]
    return parallel_figure([name, "two", "three"], axes)


def history(name: str) -> Figure:
    lines = [
        Line(name=name, xs=[1, 2, 3, 4], ys=[0.5, math.nan, math.inf, 0.25]),
        Line(name="wide", xs=[1, 4], ys=[-1e308, 1.7e308]),
    ]
    return history_figure(lines, x_title="step", y_title=name)


ALL = [roc, precision, calibration, matrix, scatter, parallel, history]


@pytest.mark.parametrize("make", ALL)
def test_a_figure_shows_a_name_as_text_whatever_it_holds(make: Callable[[str], Figure]) -> None:
    figure = make(EVIL)

    root = ElementTree.fromstring(figure.svg.encode("utf-8"))

    assert {element.tag for element in root.iter()} <= {
        SVG + name for name in ("svg", "title", "desc", "text", "line", "polyline", "circle", "rect", "path", "a")
    }
    attributes = {name for element in root.iter() for name in element.attrib}
    assert [name for name in attributes if name.startswith("on") or name == "style"] == []
    assert "<script" not in figure.svg


@pytest.mark.parametrize("make", ALL)
def test_a_figure_says_what_it_shows_and_gives_its_numbers(make: Callable[[str], Figure]) -> None:
    figure = make("resnet")

    root = ElementTree.fromstring(figure.svg)

    assert root.attrib["role"] == ("group" if list(root.iter(f"{SVG}a")) else "img")
    assert [(each.tag, each.text) for each in root[:2]] == [
        (f"{SVG}title", figure.title),
        (f"{SVG}desc", figure.description),
    ]
    assert root.attrib["aria-label"] == f"{figure.title}. {figure.description}"
    assert figure.rows
    assert {len(row) for row in figure.rows} == {len(figure.heads)}


@pytest.mark.parametrize("make", ALL)
def test_a_figure_lies_within_its_frame_and_is_always_the_same(make: Callable[[str], Figure]) -> None:
    figure = make("resnet")

    root = ElementTree.fromstring(figure.svg)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    across = [
        float(each.attrib[name]) for each in root.iter() for name in ("x", "x1", "x2", "cx") if name in each.attrib
    ]
    down = [float(each.attrib[name]) for each in root.iter() for name in ("y", "y1", "y2", "cy") if name in each.attrib]
    for each in root.iter(f"{SVG}polyline"):
        for pair in each.attrib["points"].split():
            x, y = pair.split(",")
            across.append(float(x))
            down.append(float(y))

    assert all(0 <= value <= width for value in across)
    assert all(0 <= value <= height for value in down)
    assert make("resnet") == figure
    assert "nan" not in re.sub(r"<(title|desc|text)[^>]*>[^<]*", "", figure.svg).lower()


def test_a_curve_begins_and_ends_in_the_corners_and_its_threshold_is_marked() -> None:
    root = ElementTree.fromstring(roc("resnet").svg)

    (line,) = root.iter(f"{SVG}polyline")
    (mark,) = root.iter(f"{SVG}circle")
    points = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert (points[0], points[-1]) == ((52.0, 282.0), (322.0, 12.0))
    assert (float(mark.attrib["cx"]), float(mark.attrib["cy"])) == (52 + 0.2 * 270, 12 + 0.2 * 270)


def test_a_matrix_tells_counts_and_shares_of_the_row() -> None:
    decision = decide(rank(all_cases(predictions_of([0.9, 0.1, 0.6, 0.2], [1, 1, 0, 0]))), 0.5)

    figure = matrix_figure(
        ["no", "yes"],
        [[decision.true_negatives, decision.false_positives], [decision.false_negatives, decision.true_positives]],
    )

    assert figure.rows == (
        ("no", "no", "1", "0.5000"),
        ("no", "yes", "1", "0.5000"),
        ("yes", "no", "1", "0.5000"),
        ("yes", "yes", "1", "0.5000"),
    )
    assert figure.description == "2 of 4 are taken for what they are"


def test_what_has_no_place_is_counted_and_told() -> None:
    assert scatter("a").description == "1 run; 1 without a place on these axes"
    assert ("a", "2", "nan") in history("a").rows
    assert len(list(ElementTree.fromstring(history("a").svg).iter(f"{SVG}path"))) == 2


def test_no_two_of_thirty_lines_look_the_same_and_a_run_always_looks_the_same() -> None:
    assert len(set(looks(30))) == 30
    assert look_of("run 7") == look_of("run 7")
    assert {look_of(f"run {number}").colour for number in range(60)} == set(COLOURS)


def test_runs_of_the_same_colour_and_dash_are_told_apart_by_a_marker_that_depends_on_nothing_but_who_is_compared() -> (
    None
):
    ids = [f"run {number}" for number in range(100)]

    found = dict(zip(ids, looks_of(ids), strict=True))

    assert len(set(found.values())) == 100
    assert dict(zip(reversed(ids), looks_of(ids[::-1]), strict=True)) == found
    assert all((look.colour, look.dash) == (look_of(each).colour, look_of(each).dash) for each, look in found.items())
    assert looks_of(["run 1"]) == [look_of("run 1")]


def test_a_mean_has_its_deviation_as_a_band_and_single_runs_have_no_place_in_the_legend() -> None:
    mean = Line(name="mean", xs=[1, 2, 3], ys=[1.0, 2.0, 3.0], spread=[0.5, None, 0.25], runs=[3, 1, 2])
    banded = Line(name="banded", xs=[1, 2], ys=[1.0, 2.0], spread=[0.5, 0.5], runs=[3, 3])
    single = Line(name="single", xs=[1, 3], ys=[1.0, 9.0], is_faint=True)

    figure = history_figure([mean, banded, single], x_title="step", y_title="loss")

    assert figure.heads == ("series", "step", "loss", "sd", "n")
    assert figure.rows[:2] == (("mean", "1", "1", "0.5", "3"), ("mean", "2", "2", "", "1"))
    assert figure.svg.count("<polygon") == 1
    assert ">banded</text>" in figure.svg
    assert ">single</text>" not in figure.svg
