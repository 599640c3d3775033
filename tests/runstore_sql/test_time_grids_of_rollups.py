"""A grid of time that is read from roll-ups is the one that all points give, also where its edges cut very many cells."""

import random
from array import array
from datetime import UTC, datetime

from runstore.charts import GridSeries
from runstore.memory.store import MemoryStore
from runstore.series import Columns
from runstore_sql.store import SqlStore

COUNT = 60_000


def grids(store: SqlStore | MemoryStore, columns: Columns) -> list[tuple[tuple[int, ...], tuple[GridSeries, ...]]]:
    experiment_id = store.get_or_create_experiment("experiment")
    run_id = store.ensure_run(experiment_id, run_id="run", start_time=datetime(2001, 9, 9, tzinfo=UTC))
    store.append(run_id, {("loss", "train"): columns})
    keys = [(run_id, "loss", "train")]
    whole, part = (
        store.sample_histories(keys, max_points=60, by="time", min_step=low, max_step=high)
        for low, high in ((None, None), (777, 50_001))
    )
    return [(grid.edges, grid.series) for grid in (whole, part)]  # not how it was read


def test_a_grid_of_irregular_times_is_that_of_the_points(store: SqlStore) -> None:
    rng = random.Random(0)
    times, now_us = array("q"), 10**15
    for _ in range(COUNT):
        now_us += rng.choice([1, 10, 1000, 50_000])
        times.append(now_us)
    values = array("d", [rng.random() for _ in range(COUNT)])
    columns = Columns(array("q", range(3, COUNT + 3)), values, times)

    found, expected = grids(store, columns), grids(MemoryStore(), columns)

    assert found == expected
