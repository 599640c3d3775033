"""Columns of runs against each other: a scatter, and parallel coordinates."""

import re
from html import unescape
from typing import Any

import pytest

from support.asgi import ask
from support.page_stores import HOSTILE

COLUMNS = "column=config.optimizer.learning_rate&column=config.model.name&column=metric.validation.auroc.max"


def dots(text: str) -> list[str]:
    return [unescape(each) for each in re.findall(r"<circle[^>]*><title>([^<]*)</title>", text)]


def test_runs_of_a_filter_are_spread_over_the_columns_of_the_table(app: Any) -> None:
    text = ask(app, f"/spread?experiment=chest%20x-ray&filter=name%20like%20%27resnet34%25%27&{COLUMNS}").text

    assert '<p class="count">3 runs</p>' in text
    assert len(dots(text)) == 3
    assert dots(text)[0].startswith("resnet34 lr ")
    assert 'href="run?id=run09"' in text
    assert re.findall(r"<figcaption>(.*?)</figcaption>", text) == ["Scatter", "Parallel coordinates"]


def test_ticked_runs_alone_are_spread(app: Any) -> None:
    text = ask(app, f"/spread?run=run01&run=run02&{COLUMNS}").text

    assert [each.partition(":")[0] for each in dots(text)] == ["resnet34 lr 0.0003", "densenet121 lr 0.0001"]


def test_what_goes_across_and_up_and_how_stands_in_the_address(app: Any) -> None:
    chosen = "x=metric.validation.auroc.max&y=config.optimizer.learning_rate&ylog=yes"
    text = ask(app, f"/spread?experiment=chest%20x-ray&{COLUMNS}&{chosen}").text

    assert re.findall(r'value="([^"]*)" selected', text) == [
        "metric.validation.auroc.max",
        "config.optimizer.learning_rate",
    ]
    assert re.findall(r'name="(.log)" value="yes" data-sends( checked)?', text) == [("xlog", ""), ("ylog", " checked")]
    assert "learning_rate (optimizer, setting) over" not in text
    assert unescape(re.findall(r'href="(spread\.svg[^"]*)"', text)[0]).endswith(f"&{chosen}&figure=1")


def test_without_columns_those_that_fit_are_taken(app: Any) -> None:
    text = ask(app, "/spread?experiment=chest%20x-ray").text

    assert "12 runs; 6 without a place on these axes" in text
    assert "auroc (validation, best)" in text


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/spread?experiment=nobody", 404, "nobody"),
        ("/spread?run=nobody", 404, "nobody"),
        ("/spread?filter=status%20%3D", 400, "status"),
        ("/spread?experiment=chest%20x-ray&column=nonsense", 200, "nonsense"),
        ("/spread?experiment=chest%20x-ray&column=name", 200, "There is nothing to spread"),
    ],
)
def test_what_cannot_be_spread_is_said(app: Any, address: str, status: int, words: str) -> None:
    answer = ask(app, address)

    assert answer.status == status
    assert words in answer.text


def test_a_store_without_runs_has_nothing_to_spread(empty_app: Any) -> None:
    assert "There is nothing to spread" in ask(empty_app, "/spread").text


def test_hostile_names_are_text(app: Any) -> None:
    assert HOSTILE not in ask(app, "/spread?column=tag.owner&column=metric.validation.auroc.max").text


def test_the_table_and_a_comparison_lead_to_it(app: Any) -> None:
    assert 'href="spread?experiment=chest%20x-ray"' in ask(app, "/?experiment=chest%20x-ray").text
    assert 'href="spread?run=run01&amp;run=run02"' in ask(app, "/compare?run=run01&run=run02").text
