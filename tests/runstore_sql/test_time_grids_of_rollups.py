"""A grid of time that is read from roll-ups is the one that all points give, whatever their times are like."""

import random
from array import array
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import pytest

from runstore.charts import GridSeries
from runstore.memory.store import MemoryStore
from runstore.series import Columns
from runstore_sql.store import SqlStore

COUNT = 60_000


def apart(spans: Iterable[int]) -> "array[int]":
    """Times that lie so many microseconds apart."""
    return array("q", accumulate(spans, initial=10**15))[1:]


def some_times() -> dict[str, "array[int]"]:
    rng = random.Random(0)
    steps = range(COUNT)
    times = {
        "irregular": apart(rng.choice([1, 10, 1000, 50_000]) for _ in steps),
        "paused within a piece": apart(10**10 if step == 30_001 else 1000 for step in steps),
        "a hundred times slower at its end": apart(100_000 if step > 50_000 else 1000 for step in steps),
        "late in the midst": apart(1000 for _ in steps),
    }
    times["late in the midst"][20_000:20_500] = array("q", [10**15 + 59_000_000]) * 500
    return times


def grids(
    store: SqlStore | MemoryStore, series: dict[tuple[str, str], Columns]
) -> list[tuple[tuple[int, ...], bool, tuple[GridSeries, ...]]]:
    """Of each series by itself and of all of them, of the whole and of parts."""
    experiment_id = store.get_or_create_experiment("experiment")
    run_id = store.ensure_run(experiment_id, run_id="run", start_time=datetime(2001, 9, 9, tzinfo=UTC))
    store.append(run_id, series)
    keys = [(run_id, *key) for key in series]
    found = [
        store.sample_histories(some, max_points=60, by="time", min_step=low, max_step=high)
        for some in ([keys[0]], [keys[1]], [keys[2]], [keys[3]], keys)
        for low, high in ((None, None), (777, 50_001), (29_990, 30_010))
    ]
    return [(grid.edges, grid.is_exact, grid.series) for grid in found]  # not how it was read


def test_a_grid_of_time_is_that_of_the_points(store: SqlStore) -> None:
    rng = random.Random(1)
    values = array("d", [rng.random() for _ in range(COUNT)])
    series = {
        (name, "train"): Columns(array("q", range(3, COUNT + 3)), values, times) for name, times in some_times().items()
    }

    found, expected = grids(store, series), grids(MemoryStore(), series)

    assert found == expected
    assert {is_exact for _, is_exact, _ in found} == {False, True}


def test_of_a_paused_series_only_the_points_around_its_pauses_are_read(
    store: SqlStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, values = array("q", range(COUNT)), array("d", [0.5]) * COUNT
    pauses = range(5_000, 50_000, 10_001)
    steady, paused = (apart(1000 + (10**10 if step in some else 0) for step in steps) for some in ((), pauses))
    store.append(run_id, {("steady", "train"): Columns(steps, values, steady)})
    store.append(run_id, {("paused", "train"): Columns(steps, values, paused)})
    histories, read = store._histories, [0]  # noqa: SLF001 - to count
    within, scattered = histories.within, histories.scattered

    def points(*given: Any) -> Columns:
        read[-1] += len((found := within(*given)).steps)
        return found

    def short(*given: Any) -> Columns:
        read[-1] += len((found := scattered(*given)).steps)
        return found

    monkeypatch.setattr(histories, "within", points)
    monkeypatch.setattr(histories, "scattered", short)
    for name in ("steady", "paused"):
        read.append(0)
        assert store.sample_histories([(run_id, name, "train")], max_points=60, by="time").is_bounded

    _, steady_points, paused_points = read
    assert steady_points < paused_points <= steady_points + len(pauses) * 128


def test_a_pause_leaves_its_buckets_empty(store: SqlStore) -> None:
    times = apart(10**10 if step == 30_001 else 1000 for step in range(COUNT))
    columns = Columns(array("q", range(COUNT)), array("d", [0.5]) * COUNT, times)

    (_, _, (series,)) = grids(store, {(name, "train"): columns for name in "abcd"})[0]

    assert list(series.last.steps) == [30_000, COUNT - 1]
    assert list(series.counts) == [30_001, 29_999]
