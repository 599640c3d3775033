"""MET, third part: charts of series of any length."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from runstore.backend import Store
from runstore.errors import InvalidValueError
from runstore.model import MetricPoint
from runstore.testing.bench import Bench, new_experiment, new_run, point
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.sequences import Logged

START = datetime(2026, 7, 1, tzinfo=UTC)


def whole_us(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


class ChartClauses(ConformanceBase):
    """MET.12, MET.14 and MET.15."""

    @clause("MET.12")
    def test_everything_is_returned_when_there_are_no_more_points_than_asked_for(self, store: Store) -> None:
        run_id = new_run(store)
        store.log_metrics(run_id, [point("x", step * step, step) for step in range(40)])

        sample = store.sample_history(run_id, "x", "validation", max_points=40)

        assert (list(sample.steps), list(sample.values)) == ([step * step for step in range(40)], list(range(40)))
        assert (sample.represents, sample.is_sampled) == (40, False)

    @clause("MET.12")
    def test_a_sample_keeps_both_ends_and_the_extremes_and_says_what_it_stands_for(self, store: Store) -> None:
        run_id = new_run(store)
        values = [math.sin(step / 30) for step in range(3000)]
        values[1234], values[2222] = 77.0, -77.0
        store.log_metrics(run_id, [point("x", step, value) for step, value in enumerate(values)])

        sample = store.sample_history(run_id, "x", "validation", max_points=50)

        steps = list(sample.steps)
        assert 4 <= len(sample) <= 50
        assert (sample.represents, sample.is_sampled) == (3000, True)
        assert (steps[0], steps[-1], steps == sorted(set(steps))) == (0, 2999, True)
        assert {1234, 2222} <= set(steps)
        assert [values[step] for step in steps] == list(sample.values)

    @clause("MET.12")
    def test_each_bucket_of_a_sample_keeps_its_extremes(self, store: Store) -> None:
        run_id = new_run(store)
        values = [float((step * 7919) % 1000) for step in range(1000)]
        store.log_metrics(run_id, [point("x", step, value) for step, value in enumerate(values)])

        sample = store.sample_history(run_id, "x", "validation", max_points=100)

        kept = dict(zip(sample.steps, sample.values, strict=True))
        for low in range(0, 1000, 32):  # 32 buckets of 32 steps: those of 16 would be 63, and 49 are asked for
            part, found = values[low : low + 32], [kept[step] for step in kept if low <= step < low + 32]
            assert found, f"no point kept between steps {low} and {low + 31}"
            assert (min(found), max(found)) == (min(part), max(part))

    @clause("MET.12")
    def test_a_range_of_steps_is_sampled_as_if_there_were_no_others(self, store: Store) -> None:
        run_id, alone = new_run(store), new_run(store)
        points = [point("x", 3 * step, float(step * 31 % 97)) for step in range(2000)]
        store.log_metrics(run_id, points)
        store.log_metrics(alone, [each for each in points if 1000 <= each.step <= 4000])

        part = store.sample_history(run_id, "x", "validation", max_points=60, min_step=1000, max_step=4000)

        expected = store.sample_history(alone, "x", "validation", max_points=60)
        assert (part.steps, part.values, part.represents) == (expected.steps, expected.values, 1000)
        assert len(store.sample_history(run_id, "x", "validation", min_step=6000)) == 0

    @clause("MET.12")
    @pytest.mark.parametrize("max_points", [3, 0, -1])
    def test_a_sample_of_fewer_than_four_points_is_refused(self, store: Store, max_points: int) -> None:
        run_id = new_run(store)

        with pytest.raises(InvalidValueError, match="max_points"):
            store.sample_history(run_id, "x", "validation", max_points=max_points)

    @clause("MET.12")
    def test_steps_far_apart_and_non_finite_values_are_sampled(self, store: Store) -> None:
        run_id = new_run(store)
        steps = [*range(100), 2**40, 2**62, 2**63 - 1]
        store.log_metrics(run_id, [point("x", step, math.nan if step % 3 else math.inf) for step in steps])

        sample = store.sample_history(run_id, "x", "validation", max_points=10)

        assert (sample.steps[0], sample.steps[-1], sample.represents) == (0, 2**63 - 1, 103)
        assert len(sample) <= 10

    @clause("MET.14")
    @pytest.mark.parametrize("by", ["step", "log_step", "time"])
    def test_runs_of_any_length_stand_on_one_grid(self, store: Store, by: str) -> None:
        experiment_id = new_experiment(store)
        keys = []
        for length in (5, 700):
            run_id = store.ensure_run(experiment_id, start_time=START + timedelta(hours=length))
            moments = [START + timedelta(hours=length, milliseconds=5 * step) for step in range(length)]
            store.log_metrics(
                run_id,
                [
                    MetricPoint(name="x", value=float(step % 10), step=step, logged_at=moment)
                    for step, moment in enumerate(moments)
                ],
            )
            keys.append((run_id, "x", "other"))

        grid = store.sample_histories([*keys, (keys[0][0], "y", "other"), ("absent", "x", "other")], by=by)

        assert grid.by == by
        assert [(each.run_id, each.name, str(each.dataset_type)) for each in grid.series] == keys
        assert [sum(each.counts) for each in grid.series] == [5, 700]
        assert list(grid.edges) == sorted(set(grid.edges))
        assert len(grid.edges) <= 500
        for each in grid.series:
            for position, bucket in enumerate(each.buckets):
                step = each.first.steps[position]
                place = 5000 * step if by == "time" else step
                assert grid.edges[bucket] <= place < grid.edges[bucket + 1]
                assert each.low.values[position] <= each.high.values[position]

    @clause("MET.14")
    def test_a_grid_tells_nan_and_both_infinities_apart(self, store: Store) -> None:
        run_id = new_run(store)
        odd = {3: math.nan, 20: math.inf, 21: -math.inf, 40: math.nan}
        store.log_metrics(run_id, [point("x", step, odd.get(step, 1.0)) for step in range(64)])
        store.log_metrics(run_id, [point("never", step, math.nan) for step in range(64)])

        grid = store.sample_histories([(run_id, name, "validation") for name in ("x", "never")], max_points=10)

        some, never = grid.series
        assert grid.edges == (0, 16, 32, 48, 64)
        assert (list(some.non_finite), list(never.non_finite)) == ([1, 6, 1, 0], [1, 1, 1, 1])
        assert (list(some.low.steps), list(some.high.steps)) == ([0, 16, 32, 48], [0, 16, 32, 48])
        assert (list(never.low.steps), [math.isnan(value) for value in never.low.values]) == (
            [0, 16, 32, 48],
            [True] * 4,
        )

    @clause("MET.14")
    def test_neighbouring_steps_stand_together_on_a_grid_of_time(self, store: Store) -> None:
        """Each point is counted once, in the bucket of its time or in the one before; a pause is one all the same."""
        run_id, logged = store.ensure_run(new_experiment(store), start_time=START), Logged()
        pauses = {1_001: 2, 2_002: 1, 2_003: 1}
        seconds, points = 0, []
        for step in range(3_000):
            seconds += pauses.get(step, 0)
            moment = START + timedelta(seconds=seconds, milliseconds=7 * step)
            value = math.nan if step == 2_500 else float(step * 7919 % 1013)
            points.append(MetricPoint(name="x", value=value, step=step, logged_at=moment))
        store.log_metrics(run_id, points)
        logged.add(points)

        whole = store.sample_histories([(run_id, "x", "other")], max_points=100, by="time")
        near = store.sample_histories([(run_id, "x", "other")], max_points=100, by="time", min_step=960, max_step=1_040)

        logged.check_grid(store, run_id, max_points=100)
        assert (whole.is_exact, near.is_exact) == (False, True)
        (series,), (exact,) = whole.series, near.series
        assert (sum(series.counts), sum(exact.counts)) == (3_000, 81)
        assert {1_000, 1_001} <= {*series.first.steps, *series.last.steps}  # a pause leaves its buckets empty
        assert (min(series.low.values), max(series.high.values)) == (0.0, 1_012.0)
        assert sum(map(bool, series.non_finite)) == 1
        for position, bucket in enumerate(exact.buckets):
            for columns in (exact.first, exact.last, exact.low, exact.high):
                time = columns.logged_at_us[position] - whole_us(START)
                assert near.edges[bucket] <= time < near.edges[bucket + 1]

    @clause("MET.15")
    @pytest.mark.parametrize("stride", [1, 7])
    def test_charts_are_right_after_any_call_also_of_a_long_series(self, store: Store, stride: int) -> None:
        run_id = store.ensure_run(new_experiment(store), start_time=START)
        logged = Logged()

        def log(first: int, count: int, value: float | None = None) -> None:
            points = [
                MetricPoint(
                    name="x",
                    value=float(step * 7919 % 10007) if value is None else value,
                    step=step * stride,
                    logged_at=START + timedelta(microseconds=step),
                )
                for step in range(first, first + count)
            ]
            store.log_metrics(run_id, points)
            logged.add(points)

        def check() -> None:
            logged.check(store, run_id, sizes=(4, 100, 2000))
            logged.check_grid(store, run_id, max_points=300)

        log(0, 9_000)
        check()
        for first in range(9_000, 13_000, 40):  # as a trainer does
            log(first, 40)
        check()
        log(4_321, 1, 99_999.0)  # one point deep inside
        log(4_400, 1, math.nan)
        check()
        log(4_321, 1, 5.0)  # no extreme any more
        log(20_000, 6_000)
        log(13_000, 7_000)  # late
        check()
        log(300, 25_000, -1.0)  # a run that begins over
        check()
        log(25_300, 10, math.inf)
        log(40_000, 10)
        check()

    @clause("MET.15")
    def test_charts_are_right_where_another_handle_writes_over_what_this_one_wrote(self, bench: Bench) -> None:
        first, second = bench.open(), bench.open()
        run_id, logged = first.ensure_run(new_experiment(first), start_time=START), Logged()

        def log(store: Store, steps: range, value: float) -> None:
            points = [
                MetricPoint(name="x", value=value, step=step, logged_at=START + timedelta(microseconds=step))
                for step in steps
            ]
            store.log_metrics(run_id, points)
            store.get_summaries(run_id)  # a recorder has stored it then: what another handle writes comes after it
            logged.add(points)

        log(first, range(6_000), 1.0)
        log(second, range(5_500, 5_501), 77.0)
        log(first, range(6_000, 9_000), 1.0)
        log(second, range(10_000, 10_500), 2.0)
        log(first, range(9_000, 10_000), 3.0)
        log(first, range(10_500, 14_000), math.nan)

        logged.check(second, run_id, sizes=(4, 100))
