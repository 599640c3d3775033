"""Roll-ups: what they say is what the points say, in any order of arrival, and a chart reads them instead of the points."""

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from runstore.memory.store import MemoryStore
from runstore.model import MetricPoint
from runstore_mongo.documents.packed import packed as packed_points
from runstore_mongo.documents.packed import unpacked
from runstore_mongo.points import chart_reader, pending, plans, rollups, writer
from runstore_mongo.store import MongoStore

Points = dict[int, float]
START = datetime(2026, 11, 1, tzinfo=UTC)
SIZES = (4, 9, 60, 300)
RANGES: tuple[tuple[int | None, int | None], ...] = ((None, None), (100, None), (None, 777), (333, 3333), (5, 6))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tails, buckets and pieces that are full after a few points."""
    monkeypatch.setattr(pending, "MOVE_AT", 4_000)
    monkeypatch.setattr(plans, "SEAL_AT", 60)
    monkeypatch.setattr(plans, "BUCKET_POINTS", 100)
    monkeypatch.setattr(writer, "LARGE_TAIL", 400)
    monkeypatch.setattr(rollups, "ROLL_AT", 1_000)
    monkeypatch.setattr(rollups, "POINTS_A_PIECE", 8_000)
    monkeypatch.setattr(rollups, "MOST_MENDED", 2)


@pytest.fixture
def both(url: str) -> Iterator[tuple[MongoStore, MemoryStore]]:
    with MongoStore(url) as store, MemoryStore() as reference:
        for each in (store, reference):
            each.ensure_run(each.get_or_create_experiment("e"), run_id="r", start_time=START)
        yield store, reference


_CALLS = count()


def log(stores: Any, points: Points, name: str = "loss") -> None:
    """Logs points a second apart: the times of a series rise with its steps if its calls do."""
    began = START + timedelta(seconds=5_000 * next(_CALLS))
    batch = [
        MetricPoint(name=name, value=value, step=step, dataset_type="train", logged_at=began + timedelta(seconds=index))
        for index, (step, value) in enumerate(points.items())
    ]
    for store in stores:
        store.log_metrics("r", batch)


def told(store: Any, name: str = "loss") -> list[Any]:
    """Samples of all sizes and ranges, and a grid of each kind."""
    found: list[Any] = []
    for low, high in RANGES:
        for size in SIZES:
            sample = store.sample_history("r", name, "train", max_points=size, min_step=low, max_step=high)
            found.append((low, high, size, sample.represents, list(sample.steps), repr(sample.values)))
        for by in ("step", "log_step", "time"):
            grid = store.sample_histories([("r", name, "train")], max_points=50, min_step=low, max_step=high, by=by)
            series = [
                (each.buckets, each.counts, each.first, each.last, each.low, each.high, each.non_finite)
                for each in grid.series
            ]
            found.append((low, high, by, grid.edges, repr(series)))
    return found


def state(store: MongoStore, name: str = "loss") -> dict[str, Any]:
    found = store._connection.database["run_series"].find_one({"metric_name": name})  # noqa: SLF001 - what is stored
    assert found is not None
    return found


@pytest.mark.usefixtures("small")
def test_points_that_follow_one_another_are_rolled_up_and_told_the_same(both: Any) -> None:
    store, _ = both
    values = random.Random(1)
    for first in range(0, 12_000, 1_500):
        log(both, {step: values.random() for step in range(first, first + 1_500)})

    found = state(store)

    assert found["rolled"] >= 12_000 - 4_096 - 1_500
    assert found["rollup_version"] == found["version"]
    assert told(store) == told(both[1])


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_arrival_with_values_that_are_not_finite_is_told_the_same(both: Any, seed: int) -> None:
    store, reference = both
    drawn = random.Random(seed)
    top = 0
    for _ in range(25):
        if drawn.random() < 0.5:
            first, width, size = top, drawn.choice([1, 1, 1, 7, 300]), drawn.choice([10, 200, 1_200])
        else:
            first, width, size = drawn.randrange(max(1, top)), drawn.choice([1, 50, 1000]), drawn.choice([1, 30, 150])
        values = [drawn.choice([drawn.random(), -0.0, 0.0, 5.0, math.nan, math.inf, -math.inf]) for _ in range(size)]
        log(both, {first + width * index: value for index, value in enumerate(values)})
        top = max(top, first + width * size)
        if drawn.random() < 0.15:
            assert told(store) == told(reference)

    assert told(store) == told(reference)


@pytest.mark.usefixtures("small")
def test_two_handles_that_take_turns_keep_the_roll_ups_right(both: Any, url: str) -> None:
    store, reference = both
    with MongoStore(url) as other:
        for turn, first in enumerate(range(0, 9_000, 900)):
            log(
                (other if turn % 2 else store, reference),
                {step: float(step % 313) for step in range(first, first + 900)},
            )
            back = {step: -float(step) for step in range(0, first, 97)}
            log((store if turn % 3 else other, reference), back or {0: 1.0})

        assert told(other) == told(store) == told(reference)


@pytest.mark.usefixtures("small")
def test_what_an_older_release_writes_past_the_roll_ups_is_noticed(both: Any) -> None:
    store, reference = both
    log(both, {step: float(step % 313) for step in range(9_000)})
    series = store._connection.database["run_series"]  # noqa: SLF001 - what such a release does: it raises version alone
    buckets = store._connection.database["run_buckets"]  # noqa: SLF001 - as above
    held = state(store)
    first = buckets.find_one({"series": held["_id"]}, sort=[("low", 1)])
    log([reference], {3: 9999.0})
    columns = unpacked(first)
    columns.values[3] = 9999.0
    columns.logged_at_us[3] = reference.get_history("r", "loss", "train").logged_at_us[3]
    buckets.update_one({"_id": first["_id"]}, {"$set": packed_points(columns)})
    series.update_one({"_id": held["_id"]}, {"$inc": {"version": 1}})
    store._connection.database["runs"].update_one({}, {"$inc": {"metrics.train/loss.version": 1}})  # noqa: SLF001 - as above

    assert told(store) == told(reference)
    with MongoStore(store._connection.url) as fresh:  # noqa: SLF001 - the same database
        log([fresh, reference], {step: float(step % 313) for step in range(9_000, 12_000)})
        assert state(fresh)["rollup_version"] == state(fresh)["version"]
        assert told(fresh) == told(reference)


@pytest.mark.parametrize("length", [30_000, 90_000])
def test_a_sample_reads_as_many_documents_of_a_long_series_as_of_a_longer_one(
    both: Any, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = both
    log([store], {step: float(step * 7919 % 104_729) for step in range(length)})
    read: list[dict[str, Any]] = []
    monkeypatch.setattr(chart_reader, "_check_version", lambda document, _extent: read.append(document))

    sample = store.sample_history("r", "loss", "train", max_points=200)

    assert sample.represents == length
    assert len(sample.steps) <= 200
    assert len([each for each in read if "pack" in each]) <= 20
    assert len([each for each in read if "pack" not in each]) <= 22
