"""Addresses and forms that nobody made by a click, and numbers at the ends of their range."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore.model import RunFailure
from runstore_ui import Options, make_app
from runstore_ui.views import table
from support.asgi import ask


@pytest.fixture
def extreme(tmp_path: Path) -> Iterator[Any]:
    """The page over a parent whose three children have the largest numbers there are."""
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    with open_store(url, durable=False) as store:
        experiment = store.get_or_create_experiment("e")
        parent = store.ensure_run(experiment, run_id="parent")
        for index, value in enumerate((1.7e308, 1.7e308, -1.7e308)):
            child = store.ensure_run(experiment, run_id=f"child{index}", parent_run_id=parent)
            points = [MetricPoint(name, each, 0, dataset_type="train") for name, each in (("a", value), ("b", 1.5e308))]
            store.log_metrics(child, points)
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url=""))


def test_the_mean_of_the_largest_numbers_is_told(extreme: Any) -> None:
    text = ask(extreme, "/?column=metric.train.a.last&column=metric.train.b.last").text

    assert re.search(r'title="mean of 3 children"[^>]*>\s*(<[^>]*>)?5.667e\+307\s*<', text)
    assert "1.5e+308 ± 0" in text


@pytest.mark.parametrize(
    ("wrong", "status"),
    [("order=garbage", 400), ("order=name+desc+x", 400), ("filter=lr+%3C", 400), ("experiment=nobody", 404)],
)
def test_a_csv_file_that_cannot_be_made_is_not_begun(app: Any, wrong: str, status: int) -> None:
    answer = ask(app, f"/runs.csv?column=name&{wrong}")

    assert answer.status == status
    assert "content-disposition" not in answer.headers


def test_a_mistake_in_the_order_is_not_marked_in_the_filter(app: Any) -> None:
    answer = ask(app, "/?filter=status+%3D+%27failed%27&order=name+desc+x")

    assert answer.status == 400
    assert "name desc x" in answer.text
    assert 'class="caret"' not in answer.text


@pytest.mark.parametrize(("name", "count"), [("column", 101), ("run", 1_001), ("unfolded", 1_001)])
def test_an_address_that_would_make_a_page_of_hundreds_of_megabytes_is_refused(app: Any, name: str, count: int) -> None:
    answer = ask(app, "/?" + "&".join(f"{name}=config.key{index}" for index in range(count)))

    assert answer.status == 400
    assert f"{count:,}" in answer.text


def test_quotes_in_a_filter_are_read_in_one_way(app: Any) -> None:
    # With two ways for each pair, fifty pairs would take longer than anybody waits.
    assert ask(app, f"/complete?text={quote('status in (' + chr(39) * 100 + '(')}").status == 200
    assert "failed" in ask(app, f"/complete?text={quote('status in (' + chr(39) * 4 + ', ' + chr(39) + 'f')}").text


@pytest.mark.parametrize("address", ["/run/?id=run01", "/compare/", "//evil.example/run/"])
def test_an_address_with_one_more_slash_leads_nowhere(app: Any, address: str) -> None:
    answer = ask(app, address)

    assert answer.status == 404
    assert "location" not in answer.headers


def test_an_unforeseen_error_is_a_page_that_tells_nothing_of_it(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("/home/me/secret")

    monkeypatch.setattr(table, "find_runs", fail)
    answer = ask(app, raises=ZeroDivisionError)

    assert answer.status == 500
    assert "ZeroDivisionError" in answer.text
    assert "secret" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
    (nonce,) = set(re.findall(r'nonce="([^"]+)"', answer.text))
    assert nonce in answer.headers["content-security-policy"]


def test_ticks_of_other_pages_stay_and_those_of_runs_that_are_not_there_go(app: Any) -> None:
    answer = ask(app, "/?filter=name+%3D+%27none%27&run=run01&run=gone&run=%00&run=" + "x" * 300)

    assert answer.status == 200
    assert re.findall(r'type="hidden" name="run" value="([^"]*)"', answer.text) == ["run01"]
    assert "1 more ticked" in answer.text


def test_the_table_shows_of_very_many_tags_and_very_long_words_the_beginning_and_no_password(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    with open_store(url, durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment("e"), run_id="r")
        store.set_tags(run, {"data": "mysql://me:hunter2@host/lab"} | {f"tag{index}": "x" for index in range(5_000)})
        store.set_tags(run, {"a": "x" * 60_000})
        store.set_note(run, "postgresql://me:hunter2@host/lab " + "x" * 60_000)
        store.finalize(run, "failed", error=RunFailure(type="Error", message="x" * 60_000, traceback=""))
    with open_reader(url) as reader:
        app = make_app(reader, Options(shown_url=""))
        text, of_run = ask(app).text, ask(app, "/run?id=r").text

    assert len(text) < 20_000
    assert "and 4,990 more tags" in text
    assert "hunter2" not in text + of_run
    assert "mysql://me:***@host/lab" in text
    assert "postgresql://me:***@host/lab" in of_run
