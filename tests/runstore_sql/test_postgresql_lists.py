"""Lists of PostgreSQL: what a run's series are packed into needs no more memory for many runs than for one."""

from collections.abc import Iterator

import pytest

from runstore import MetricPoint
from runstore.hookspecs import OpenOptions
from runstore_sql.dialects.postgresql.listing import PACKED
from runstore_sql.opening import open_sql
from runstore_sql.store import SqlStore

pytestmark = pytest.mark.server

RUNS, SERIES = 60, 30


@pytest.fixture
def store(postgresql_url: str) -> Iterator[SqlStore]:
    with open_sql(postgresql_url, OpenOptions()) as store:
        yield store


def test_a_list_of_summaries_writes_nothing_to_disk_however_little_memory_there_is(store: SqlStore) -> None:
    experiment_id = store.get_or_create_experiment("lists")
    runs = [store.ensure_run(experiment_id) for _ in range(RUNS)]
    for run_id in runs:
        store.log_metrics(run_id, [MetricPoint(name=f"metric {n:02}", value=0.5, step=0) for n in range(SERIES)])

    def plan(connection: object) -> str:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("SET work_mem = '64kB'")
        cursor.execute("ANALYZE runstore_run, runstore_series")
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {PACKED}", (runs,))
        found = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("RESET work_mem")
        return found

    assert f"rows={RUNS} " in (found := store.database.with_driver(plan))
    assert "temp read" not in found
    assert "Disk" not in found
    assert all(len(summaries) == SERIES for summaries in store.get_summaries_of(runs).values())
