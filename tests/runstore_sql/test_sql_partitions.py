"""PostgreSQL's points in partitions, on request of the URL."""

from collections.abc import Sequence

import psycopg
import pytest

from runstore import MetricPoint, open_store
from runstore.backend import Store
from runstore.errors import SettingsError
from runstore_sql.dialects.postgresql.partitions import SETTING


def begin(store: Store, *, series: int) -> str:
    """A run with so many series of one point each."""
    run_id = store.ensure_run(store.get_or_create_experiment("lab"))
    store.log_metrics(run_id, [MetricPoint(name=f"m{number}", value=0.5, step=1) for number in range(series)])
    return run_id


def rows(url: str, query: str) -> Sequence[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def points_by_partition(url: str) -> dict[object, object]:
    return dict(rows(url, "SELECT tableoid::regclass::text, count(*) FROM runstore_point GROUP BY 1"))  # type: ignore[arg-type]  # pairs


def with_partitions(url: str, width: int | str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{SETTING}={width}"


def test_a_new_store_keeps_its_points_in_partitions_of_so_many_series(postgresql_url: str) -> None:
    url = with_partitions(postgresql_url, 100)

    for _ in range(4):  # each opening makes the next partition before it is needed
        with open_store(url, durable=False) as store:
            begin(store, series=80)

    assert points_by_partition(postgresql_url) == {
        "runstore_point_from_0": 99,
        "runstore_point_from_100": 100,
        "runstore_point_from_200": 100,
        "runstore_point_from_300": 21,
    }


def test_a_partitioned_store_appends_overwrites_reads_and_samples(postgresql_url: str) -> None:
    with open_store(with_partitions(postgresql_url, 1000), durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("lab"))
        for first in (0, 500, 900):
            points = [MetricPoint(name="loss", value=float(first + i), step=first + i) for i in range(600)]
            store.log_metrics(run_id, points)
        history = store.get_history(run_id, "loss", "other")
        sample = store.sample_history(run_id, "loss", "other", max_points=10)

    assert list(history.steps) == list(range(1500))
    assert list(history.values) == [float(step) for step in range(1500)]
    assert (sample.steps[0], sample.steps[-1], sample.represents) == (0, 1499, 1500)
    assert points_by_partition(postgresql_url) == {"runstore_point_from_0": 1500}


def test_series_that_come_before_their_partition_are_found_all_the_same(postgresql_url: str) -> None:
    url = with_partitions(postgresql_url, 10)
    with open_store(url, durable=False) as store:
        early = begin(store, series=50)  # far beyond the partition that is there

    with open_store(url, durable=False) as store:
        late = begin(store, series=8)
        found = [len(store.get_history(run_id, "m3", "other")) for run_id in (early, late)]

    assert found == [1, 1]
    counts = points_by_partition(postgresql_url)
    assert counts["runstore_point_rest"] == 41
    assert counts["runstore_point_from_51"] == 8


def test_without_the_setting_there_are_no_partitions_and_a_partitioned_store_opens_as_well(postgresql_url: str) -> None:
    with open_store(with_partitions(postgresql_url, 10), durable=False) as store:
        run_id = begin(store, series=5)

    with open_store(postgresql_url, durable=False) as store:
        assert len(store.get_summaries(run_id)) == 5


def test_a_store_whose_points_are_in_one_table_says_so_and_is_left_alone(postgresql_url: str) -> None:
    with open_store(postgresql_url, durable=False) as store:
        begin(store, series=5)

    with pytest.raises(SettingsError, match=r"in one table already.*docs/scale\.md"):
        open_store(with_partitions(postgresql_url, 10), durable=False)

    assert points_by_partition(postgresql_url) == {"runstore_point": 5}


@pytest.mark.parametrize("width", ["0", "-1", "many", "1e6", "²"])
def test_a_width_that_is_no_number_of_series_is_refused(postgresql_url: str, width: str) -> None:
    with pytest.raises(SettingsError, match="positive number of series"):
        open_store(with_partitions(postgresql_url, width), durable=False)


def test_other_databases_have_no_such_setting(sqlite_url: str) -> None:
    with pytest.raises(SettingsError, match=f"{SETTING}.*known for SQLite"):
        open_store(with_partitions(sqlite_url, 10), durable=False)
    with pytest.raises(SettingsError, match="PostgreSQL alone"):  # before anything is connected
        open_store(with_partitions("mysql://me@127.0.0.1:1/runs", 10), durable=False)
