"""Filters of many tests: PostgreSQL plans them in no time, and they mean what the in-memory store says (READ.1)."""

import itertools
import random

import pytest

from runstore import MetricPoint, open_store
from runstore.backend import Store
from runstore.hookspecs import OpenOptions
from runstore_sql.opening import open_sql
from runstore_sql.store import SqlStore
from support.settling import settle

_TESTS = (
    "tag.a = '1'",
    "tag.b != '0'",
    "config.c > 1",
    "metric.train.m.max >= 2",
    "metric.train.m >= 1",
    "metric.train.m.count in (0, 1)",
    "metric.train.m.min != 3",
    "metric.train.m.max is not null",
    "tag.a like '%'",
    "config.c in (0, 2, 3)",
    "tag.d is not null",
    "not tag.b = '2'",
    "(tag.a = '0' or config.c < 3)",
    "not (metric.train.m.min < 1 and tag.e is null)",
)


def fill(store: Store) -> None:
    experiment_id = store.get_or_create_experiment("x")
    for number in range(24):
        tags = {"a": str(number % 2), "b": str(number % 3), **({"d": "x"} if number % 5 else {})}
        run_id = store.ensure_run(experiment_id, run_id=f"run{number:02}", tags=tags)
        store.log_config(run_id, {"c": number % 4})
        if number % 7:
            values = {0: float("inf"), 1: float("nan")}
            point = MetricPoint(name="m", value=values.get(number, number % 6), step=0, dataset_type="train")
            store.log_metrics(run_id, [point])
        if number % 3:
            store.finalize(run_id, "completed")


@pytest.mark.parametrize("order", [["metric.train.m.last desc", "tag.d", "id"], ["name", "id"]])
def test_many_tests_find_what_the_reference_finds(store: SqlStore, order: list[str]) -> None:
    with open_store("memory://", durable=False) as reference:
        fill(reference)
        fill(store)
        settle(store)
        draw = random.Random(1)
        for count, word in itertools.product((2, 3, 4, 5, 6, 10) * 4, (" and ", " or ")):
            asked = word.join(draw.sample(_TESTS, count))

            found = [run.id for run in store.search_runs(asked, order_by=order).items]

            assert found == [run.id for run in reference.search_runs(asked, order_by=order).items], asked


@pytest.mark.server
@pytest.mark.parametrize("test", ["tag.t{} != 'x'", "metric.train.m{}.last > 0", "config.c{} = 1"])
def test_a_filter_of_100_tests_is_planned_within_what_a_server_allows(postgresql_url: str, test: str) -> None:
    with open_sql(postgresql_url, OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"), tags={f"t{key}": "y" for key in range(100)})
        store.log_config(run_id, {f"c{key}": 1 for key in range(100)})
        points = [MetricPoint(name=f"m{key}", value=1.0, step=0, dataset_type="train") for key in range(100)]
        store.log_metrics(run_id, points)

    with open_sql(f"{postgresql_url}?options=-cstatement_timeout%3D10s", OpenOptions(read_only=True)) as reader:
        found = reader.search_runs(" and ".join(test.format(key) for key in range(100))).items
        order = [f"metric.train.m{key}.last" for key in range(8)]
        sorted_too = reader.search_runs(" and ".join(test.format(key) for key in range(20)), order_by=order).items

    assert [run.id for run in found] == [run.id for run in sorted_too] == [run_id]
