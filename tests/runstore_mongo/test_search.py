"""Searching: what the server scans for it, and runs with more series than are copied into them."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from runstore.memory.store import MemoryStore
from runstore.model import MetricPoint
from runstore_mongo.documents import summaries
from runstore_mongo.search import pages
from runstore_mongo.store import MongoStore

START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def filled(mongodb_url: str) -> Iterator[MongoStore]:
    """150 runs in three experiments."""
    with MongoStore(mongodb_url) as store:
        fill(store, 150)
        yield store


def fill(store: Any, count: int) -> None:
    for index in range(count):
        run_id = store.ensure_run(
            store.get_or_create_experiment(f"e{index % 3}"), run_id=f"run-{index:04}", tags={"owner": f"o{index % 7}"}
        )
        store.log_config(run_id, {"lr": index % 10 / 10, "net": f"resnet{index % 4}", "deep": index % 2 == 0})
        if index % 4:
            store.log_metrics(
                run_id,
                [
                    MetricPoint(name=name, value=float(index * 37 % 101), step=step, dataset_type="validation")
                    for step, name in enumerate(["auroc", "f1.macro", "$a%", "loss", "x"])
                ],
            )


def plan_of(store: MongoStore, commands: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
    with commands.heard() as heard:
        store.search_runs(*arguments, **options)
    (command,) = (command for command in heard if "aggregate" in command)
    explained = store._connection.database.command(  # noqa: SLF001 - asks the server itself
        {
            "explain": {"aggregate": "runs", "pipeline": command["pipeline"], "cursor": {}},
            "verbosity": "executionStats",
        }
    )
    return {
        "totalDocsExamined": sum(each["totalDocsExamined"] for each in statistics_in(explained)),
        "plans": explained,
    }


def statistics_in(explained: Any) -> list[dict[str, Any]]:
    """What was looked at, of each part of a union."""
    if isinstance(explained, list):
        return [found for item in explained for found in statistics_in(item)]
    if not isinstance(explained, dict):
        return []
    if "executionStats" in explained:
        return [explained["executionStats"]]
    return [found for item in explained.values() for found in statistics_in(item)]


@pytest.mark.parametrize(
    ("query", "options", "at_most"),
    [
        (None, {}, 11),
        (None, {"experiment_id": "e1"}, 11),
        ("status = 'completed'", {}, 0),
        ("config.lr = 0.3", {"order_by": ["metric.validation.auroc desc"]}, 15),
        ("config.net = 'resnet1' and metric.validation.auroc.max > 50", {}, 38),
        ("tag.owner = 'o3'", {}, 22),
        ("id = 'run-0042'", {}, 1),
        ("name = 'none'", {}, 0),
    ],
)
def test_a_hot_query_looks_at_no_more_runs_than_match(
    filled: MongoStore, commands: Any, query: str | None, options: dict[str, Any], at_most: int
) -> None:
    if "experiment_id" in options:
        options = options | {"experiment_id": filled.get_or_create_experiment(options["experiment_id"])}

    stats = plan_of(filled, commands, query, limit=10, **options)

    assert stats["totalDocsExamined"] <= at_most
    assert "COLLSCAN" not in repr(stats)


def test_the_next_page_begins_where_the_last_one_ended(filled: MongoStore, commands: Any) -> None:
    page = filled.search_runs(limit=100)

    stats = plan_of(filled, commands, limit=10, cursor=page.next_cursor)

    assert stats["totalDocsExamined"] <= 12


@pytest.mark.parametrize(
    "query",
    [
        "metric.validation.auroc > 50",
        'not (metric.validation."f1.macro".max <= 50)',
        'metric.validation."$a%".count = 1 and config.deep = true',
        "metric.validation.x is null or config.lr = 0.5",
    ],
)
def test_runs_with_more_series_than_are_copied_are_found_all_the_same(
    mongodb_replica_url: str, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(summaries, "MOST_COPIED", 2)
    with MongoStore(mongodb_replica_url) as store, MemoryStore() as reference:
        for each in (store, reference):
            fill(each, 24)
            for name in "abc":
                each.log_metrics("run-0000", [MetricPoint(name=name, value=1.0, step=0, dataset_type="train")])

        order = ["metric.validation.auroc desc", "id"]
        found = [run.id for run in store.search_runs(query, order_by=order).items]

        assert store._connection.collection("runs").count_documents({"has_more_series": True}) > 0  # noqa: SLF001 - the case
        assert found == [run.id for run in reference.search_runs(query, order_by=order).items]


def test_a_name_or_a_value_of_a_filter_is_never_an_operator(store: MongoStore) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("e"), name="$ne", tags={"$where": "$$ROOT"})
    store.log_config(run_id, {"$gt": "$name", "a": {"$ne": "x"}})
    store.log_metrics(run_id, [MetricPoint(name="$$NOW.x", value=1.0, step=0)])

    for query in (
        "name = '$ne'",
        "tag.\"$where\" = '$$ROOT'",
        "config.\"$gt\" = '$name'",
        "config.a.\"$ne\" like '_'",
        'metric.other."$$NOW.x" = 1',
    ):
        assert [run.id for run in store.search_runs(query, order_by=['tag."$where"', 'config."$gt"']).items] == [run_id]


def test_the_best_runs_are_sorted_while_they_are_fetched(filled: MongoStore, commands: Any) -> None:
    with commands.heard() as heard:
        page = filled.search_runs("config.deep = true", order_by=["metric.validation.auroc desc"], limit=10)
    (command,) = (command for command in heard if "aggregate" in command)

    assert len(page.items) == 10
    by_index = ["$match", "$sort", "$limit", "$project"]
    stages = [next(iter(stage)) for stage in command["pipeline"]]
    assert stages == [*by_index, "$unionWith", "$unionWith", "$group", "$replaceRoot", "$sort", "$limit"]
    assert [list(stage["$unionWith"]["pipeline"][1]) for stage in command["pipeline"] if "$unionWith" in stage] == [
        ["$sort"],
        ["$sort"],
    ]


def test_pages_go_on_from_finite_values_to_those_that_are_none(store: MongoStore) -> None:
    values = [0.5, math.inf, -1.0, math.nan, 0.5, None, -math.inf, 2.0]
    with MemoryStore() as reference:
        for each in (store, reference):
            for index, value in enumerate(values):
                run_id = each.ensure_run(each.get_or_create_experiment("e"), run_id=f"run-{index}")
                if value is not None:
                    each.log_metrics(run_id, [MetricPoint(name="auroc", value=value, step=0)])

        for order in ("metric.other.auroc desc", "metric.other.auroc"):
            found, cursor = [], None
            while True:
                page = store.search_runs(order_by=[order, "id"], limit=3, cursor=cursor)
                found += [run.id for run in page.items]
                cursor = page.next_cursor
                if cursor is None:
                    break

            assert found == [run.id for run in reference.search_runs(order_by=[order, "id"]).items]


def test_the_summaries_of_many_runs_are_one_command(store: MongoStore, commands: Any) -> None:
    fill(store, 24)

    with commands.heard() as heard:
        found = store.get_summaries_of([f"run-{index:04}" for index in range(24)])

    assert {run_id: len(summaries) for run_id, summaries in found.items()} == {
        f"run-{index:04}": 5 if index % 4 else 0 for index in range(24)
    }
    assert [next(iter(command)) for command in heard] == ["find"]


def test_more_run_ids_than_one_command_holds_are_read(store: MongoStore) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("e"))
    store.log_config(run_id, {"a": 1})
    store.log_metrics(run_id, [MetricPoint(name="x", value=1.0, step=0)])
    ids = [*(f"{number:0255}" for number in range(70_000)), run_id]

    assert store.get_configs(ids) == {run_id: {"a": 1}}
    assert store.get_summaries_of(ids) == {run_id: store.get_summaries(run_id)}


@pytest.mark.parametrize(
    "order", ["metric.validation.auroc.max desc", "metric.validation.auroc.min", "metric.validation.auroc.count"]
)
def test_ended_and_live_runs_that_tie_are_listed_as_in_memory_on_all_pages(
    store: MongoStore, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    monkeypatch.setattr(pages, "_MORE", 1)
    monkeypatch.setattr(summaries, "MOST_COPIED", 2)
    with MemoryStore() as reference:
        for each in (store, reference):
            experiment_id = each.get_or_create_experiment("e")
            for index in range(60):
                run_id = each.ensure_run(experiment_id, run_id=f"run-{index:02}", start_time=START)
                names = ["auroc", "a", "b"] if index % 13 == 0 else ["auroc"] if index % 11 else ["a"]
                value = float(index % 3) if index % 7 else math.inf
                each.log_metrics(
                    run_id, [MetricPoint(name=name, value=value, step=0, dataset_type="validation") for name in names]
                )
                if index % 4:
                    each.finalize(run_id, "completed", end_time=START)
        expected = [run.id for run in reference.search_runs(order_by=[order], limit=1000).items]

        found: list[str] = []
        cursor = None
        while True:
            page = store.search_runs(order_by=[order], limit=4, cursor=cursor)
            found += [run.id for run in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break

        assert found == expected
        for text in (
            "metric.validation.auroc.max >= 1",
            "not metric.validation.auroc.max = 2",
            "metric.validation.auroc is null",
        ):
            wanted = [run.id for run in reference.search_runs(text, order_by=["id"], limit=1000).items]
            assert [run.id for run in store.search_runs(text, order_by=["id"], limit=1000).items] == wanted
            assert store.count_runs(text) == len(wanted)


@pytest.mark.parametrize(("option", "level"), [("", "snapshot"), ("&w=majority", "snapshot"), ("&w=1", None)])
def test_a_search_is_of_one_moment_that_has_all_that_was_acknowledged(
    mongodb_replica_url: str, commands: Any, option: str, level: str | None
) -> None:
    with MongoStore(mongodb_replica_url + option) as store:
        fill(store, 5)

        with commands.heard() as heard:
            found = store.search_runs("metric.validation.auroc > 0", order_by=["metric.validation.auroc"]).items
            count = store.count_runs("metric.validation.auroc > 0")

    assert (len(found), count) == (3, 3)
    reads = [command.get("readConcern", {}) for command in heard if {"aggregate", "find"} & command.keys()]
    assert {read.get("level") for read in reads} == {level}
    assert any("atClusterTime" in read for read in reads) == (level is not None)


@pytest.mark.parametrize("order", ["start_time desc", "metric.validation.auroc desc"])
def test_a_page_of_many_runs_is_sent_in_one_batch(filled: MongoStore, commands: Any, order: str) -> None:
    with commands.heard() as heard:
        page = filled.search_runs(order_by=[order], limit=105)

    assert (len(page.items), page.next_cursor is None) == (105, False)
    assert "getMore" not in {next(iter(command)) for command in heard}
