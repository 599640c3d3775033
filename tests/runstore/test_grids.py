"""Grids of many series, judged by plain Python."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstore import InvalidValueError, MetricPoint
from runstore.charts import GridSeries, HistoryGrid, NonFinite
from runstore.memory import MemoryStore

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
VALUES = st.floats() | st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf])
STEPS = st.integers(0, 500) | st.integers(0, 2**63 - 1)
TIMES = st.integers(-(10**6), 10**6)
Points = dict[int, tuple[float, int]]


@st.composite
def rising(draw: st.DrawFn) -> Points:
    """Points whose times rise with their steps."""
    steps = draw(st.lists(STEPS, unique=True, max_size=40))
    times = draw(st.lists(TIMES | st.integers(0, 50), min_size=len(steps), max_size=len(steps)))
    return {step: (draw(VALUES), time) for step, time in zip(sorted(steps), sorted(times), strict=True)}


POINTS = st.dictionaries(STEPS, st.tuples(VALUES, TIMES), max_size=40) | rising()


def logged(*runs: Points) -> tuple[MemoryStore, list[str]]:
    """A store that holds a series in each of some runs; the second run begins an hour after the first, and so on."""
    store = MemoryStore()
    experiment_id = store.get_or_create_experiment("e")
    ids = []
    for number, points in enumerate(runs):
        start = START + timedelta(hours=number)
        run_id = store.ensure_run(experiment_id, start_time=start)
        store.log_metrics(
            run_id,
            [
                MetricPoint(name="m", value=value, step=step, logged_at=start + timedelta(microseconds=offset))
                for step, (value, offset) in points.items()
            ],
        )
        ids.append(run_id)
    return store, ids


@given(st.lists(POINTS, min_size=1, max_size=3), st.integers(4, 40), st.sampled_from(["step", "time", "log_step"]))
def test_each_bucket_says_what_its_points_say(runs: list[Points], max_points: int, by: str) -> None:
    store, ids = logged(*runs)

    grid = store.sample_histories([(run_id, "m", "other") for run_id in ids], max_points=max_points, by=by)

    held = {run_id: points for run_id, points in zip(ids, runs, strict=True) if points}
    assert [each.run_id for each in grid.series] == list(held)
    assert list(grid.edges) == sorted(set(grid.edges))
    most = (max_points - 2) // 2
    assert len(grid.edges) - 1 <= (max(most, 2) if by == "time" else most) or not held
    for each in grid.series:
        check_series(grid, each, held[each.run_id], most)


def placed(grid: HistoryGrid, points: Points, most: int) -> dict[int, int]:
    """The bucket of each step: its own, or by time that of the piece that it is in."""
    own = {}
    for step, (_, time) in points.items():
        number = time if grid.by == "time" else step
        (own[step],) = (at for at in range(len(grid.edges) - 1) if grid.edges[at] <= number < grid.edges[at + 1])
    if grid.by != "time":
        return own
    width = 1
    while max(points) // width - min(points) // width >= 2 * most:
        width *= 2
    buckets: dict[int, int] = {}
    for piece in {step // width for step in points}:
        steps = sorted(step for step in points if step // width == piece)
        times = [points[step][1] for step in steps]
        buckets |= together(steps, width, own) if times == sorted(times) else {step: own[step] for step in steps}
    assert all(own[step] - 1 <= buckets[step] <= own[step] for step in points)
    assert buckets == own or not grid.is_exact
    return buckets


def together(steps: list[int], width: int, own: dict[int, int]) -> dict[int, int]:
    if not steps or own[steps[-1]] <= own[steps[0]] + 1:
        return dict.fromkeys(steps, own[steps[0]] if steps else 0)
    half = width // 2
    middle = steps[0] // width * width + half
    low, high = [step for step in steps if step < middle], [step for step in steps if step >= middle]
    return together(low, half, own) | together(high, half, own)


def check_series(grid: HistoryGrid, found: GridSeries, points: Points, most: int) -> None:
    inside: dict[int, list[int]] = {}
    for step, bucket in sorted(placed(grid, points, most).items()):
        inside.setdefault(bucket, []).append(step)
    assert list(found.buckets) == sorted(inside)
    for position, bucket in enumerate(found.buckets):
        steps = inside[bucket]
        values = [points[step][0] for step in steps]
        finite = [step for step in steps if math.isfinite(points[step][0])]
        assert found.counts[position] == len(steps)
        assert (found.first.steps[position], found.last.steps[position]) == (steps[0], steps[-1])
        low = min(finite, key=lambda step: (points[step][0], step), default=steps[0])
        high = min(finite, key=lambda step: (-points[step][0], step), default=steps[0])
        assert (found.low.steps[position], found.high.steps[position]) == (low, high)
        assert found.low.values[position].hex() == points[low][0].hex()
        assert found.high.values[position].hex() == points[high][0].hex()
        kinds = found.non_finite_in(position)
        assert (NonFinite.NAN in kinds) == any(map(math.isnan, values))
        assert (NonFinite.POSITIVE_INFINITY in kinds) == (math.inf in values)
        assert (NonFinite.NEGATIVE_INFINITY in kinds) == (-math.inf in values)


def test_edges_of_steps_are_multiples_of_one_power_of_two() -> None:
    store, ids = logged(dict.fromkeys(range(100, 1000), (0.0, 0)))

    grid = store.sample_histories([(ids[0], "m", "other")], max_points=30)

    assert grid.edges == tuple(range(64, 1025, 64)) or grid.edges == tuple(range(0, 1025, 128))


def test_a_range_of_steps_holds_for_all_series() -> None:
    store, ids = logged({step: (float(step), 0) for step in range(100)}, dict.fromkeys(range(60, 200), (1.0, 0)))

    grid = store.sample_histories([(one, "m", "other") for one in ids], min_step=50, max_step=70)

    assert [sum(each.counts) for each in grid.series] == [21, 11]
    assert (grid.edges[0], grid.edges[-1]) == (50, 71)


def test_a_series_is_on_a_grid_once_and_what_is_not_there_is_left_out() -> None:
    store, (run_id,) = logged({1: (1.0, 0)})

    grid = store.sample_histories(
        [("absent", "m", "other"), (run_id, "m", "other"), (run_id, "m", "other"), (run_id, "m", "train")]
    )

    assert [(each.run_id, each.name, str(each.dataset_type)) for each in grid.series] == [(run_id, "m", "other")]
    assert store.sample_histories([]).edges == ()


def wrong() -> Iterator[tuple[dict[str, object], str]]:
    yield {"keys": "abc"}, "keys is 'abc' of type str; give a list of"
    yield {"keys": 5}, "keys is 5 of type int"
    yield {"keys": [("run", "m")]}, r"keys\[0\] is .*; give \(run_id, name, dataset_type\)"
    yield {"keys": [("run", "m", "nothing")]}, r"keys\[0\]\[2\]"
    yield {"keys": [(f"r{number}", "m", "train") for number in range(1001)]}, "names 1001 series; at most 1000"
    yield {"by": "hour"}, "by is 'hour'; give one of step, time, log_step"
    yield {"max_points": 3}, "max_points is 3"
    yield {"min_step": -1}, "min_step"


@pytest.mark.parametrize(("given", "told"), list(wrong()))
def test_what_cannot_be_asked_for_is_named(given: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidValueError, match=told):
        MemoryStore().sample_histories(**{"keys": [], **given})  # type: ignore[arg-type]
