"""Columns of the table: what is shown by default, what can be chosen, and what a filter may have at a place."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore_ui import Options, make_app
from runstore_ui.table.numbers import bars, number_texts
from support.asgi import ask

_WIDE = 12_000


def offers(app: Any, text: str) -> list[str]:
    found = json.loads(ask(app, f"/complete?text={quote(text)}").text)
    return [text[: found["start"]] + each["text"] for each in found["offers"]]


def heads(text: str) -> list[str]:
    return re.findall(r'<a href="[^"]*" title="sort by ([^"]+)"', text)


def test_the_columns_that_fit_the_runs_are_their_best_values_and_the_settings_in_which_they_differ(app: Any) -> None:
    assert heads(ask(app, "/?experiment=chest%20x-ray").text) == [
        "name",
        "status",
        "start_time",
        "duration",
        "metric.validation.auroc.max",
        "metric.validation.loss.min",
        "config.model.name",
        "config.optimizer.learning_rate",
        "config.batch_size",
    ]


def test_the_best_of_a_column_is_marked_and_the_mean_of_folded_children_is_not(app: Any) -> None:
    text = ask(app, "/?experiment=chest%20x-ray&column=name&column=metric.validation.auroc.max").text

    assert re.findall(r"<b>([^<]+)</b>", text) == ["0.949"]
    assert "0.946 ± 0.01" in text
    assert "mean ± standard deviation of 3 children" in text


def test_a_column_that_is_none_is_told_and_hides_no_table(app: Any) -> None:
    answer = ask(app, "/?column=name&column=metric.nothing")

    assert answer.status == 200
    assert heads(answer.text) == ["name"]
    assert 'class="remark"' in answer.text


def test_the_columns_are_found_by_a_part_of_their_name(app: Any) -> None:
    text = ask(app, "/columns?experiment=chest%20x-ray&column=name&search=LOSS").text

    offered = text.partition('id="offered"')[2]
    assert re.findall(r'value="([^"]+)"', offered) == ["metric.train.loss.min", "metric.validation.loss.min"]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page over two runs that have twelve thousand keys."""
    url = f"sqlite:///{tmp_path_factory.mktemp('wide') / 'wide.db'}"
    with open_store(url, durable=False) as store:
        for index in range(2):
            run = store.ensure_run(store.get_or_create_experiment("wide"), run_id=f"wide{index}")
            store.log_metrics(run, [MetricPoint(f"m{each}", index, step=0) for each in range(_WIDE)])
            store.finalize(run, "completed")
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url=url))


def test_of_twelve_thousand_columns_fifty_are_offered_and_the_last_is_found(wide: Any) -> None:
    all_, last = ask(wide, "/columns").text, ask(wide, f"/columns?search=m{_WIDE - 1}").text

    assert all_.count('<input type="checkbox"') < 80
    assert "the 50 keys of most runs; a part of a name finds the others" in all_
    assert "1 or more keys with “m11999”" in last
    assert f"metric.other.m{_WIDE - 1}" in last
    assert len(heads(ask(wide).text)) < 10


def test_a_filter_is_completed_by_fields_operators_values_and_words(app: Any) -> None:
    assert "status " in offers(app, "sta")
    assert "config.optimizer.learning_rate " in offers(app, "learning")
    assert "metric.validation.auroc.max " in offers(app, "metric.validation.auroc.m")
    assert "status = " in offers(app, "status ")
    assert "status = 'failed' " in offers(app, "status = ")
    assert offers(app, "status = 'fa") == ["status = 'failed' "]
    assert "config.batch_size in (64, 32 " in offers(app, "config.batch_size in (64, ")
    assert offers(app, "status = 'failed' ") == ["status = 'failed' and ", "status = 'failed' or "]
    assert offers(app, "id = '") == []


def test_a_value_leads_to_the_runs_that_have_it(app: Any) -> None:
    text = ask(app, "/?experiment=chest%20x-ray&filter=name+like+%27res%25%27").text

    assert "filter=name%20like%20%27res%25%27%20and%20config.model.name%20%3D%20%27resnet34%27" in text


def test_the_csv_has_all_runs_that_match_with_all_digits(app: Any) -> None:
    answer = ask(app, "/runs.csv?filter=config.batch_size%20%3D%2032&column=name&column=metric.validation.auroc.max")

    lines = answer.text.splitlines()
    assert lines[0] == "id,name,metric.validation.auroc.max"
    assert len(lines) == 1 + 6
    assert all(len(line.rpartition(".")[2]) > 10 for line in lines[1:])
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_store_without_runs_shows_how_to_log_the_first(empty_app: Any) -> None:
    text = ask(empty_app).text

    assert "No runs yet" in text
    assert "runstore.start_run" in text


def test_numbers_have_as_many_digits_as_tell_them_apart() -> None:
    assert [number_texts([0.9, 0.91, 0.923])(each) for each in (0.9, 0.91)] == ["0.90", "0.91"]
    assert number_texts([0.9001, 0.9002, 0.9003])(0.9001) == "0.9001"
    assert number_texts([1.0, 20.0])(20.0) == "20"
    assert number_texts([1e-9, 1.0])(1e-9) == "1e-09"
    assert [number_texts([])(each) for each in (float("nan"), float("inf"), float("-inf"))] == ["NaN", "∞", "-∞"]


def test_bars_go_from_the_lowest_to_the_highest_and_those_that_are_not_finite_have_none() -> None:
    assert bars([1.0, None, 3.0, float("nan"), 2.0]) == [8, None, 100, None, 54]
    assert bars([-1.7e308, 1.7e308]) == [8, 100]
    assert bars([1.0, 1.0]) == [None, None]
