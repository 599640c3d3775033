"""MET, first part: which points are kept, and how."""

import struct
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstore.backend import Store
from runstore.errors import InvalidValueError, RunNotFoundError
from runstore.model import MetricPoint
from runstore.testing.bench import Bench, at_once, new_experiment, new_run, point, points_of, state_of, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.strategies import (
    BAD_NAMES,
    DATASET_TYPES,
    NASTY_FLOATS,
    NASTY_NAMES,
    STEPS,
    effort,
    metric_points,
)

MOMENT = datetime(2026, 3, 29, 1, 59, 59, 123_457, tzinfo=UTC)


class MetricClauses(ConformanceBase):
    """MET.1 to MET.7, MET.9 to MET.11 and MET.13."""

    @clause("MET.1")
    def test_sending_a_batch_twice_is_sending_it_once(self, bench: Bench) -> None:
        store = bench.open()
        run_id = new_run(store)
        batch = [point("loss", step, step / 7, kind, logged_at=MOMENT) for step in range(50) for kind in DATASET_TYPES]

        store.log_metrics(run_id, batch)
        once = state_of(store, run_id)
        store.log_metrics(run_id, batch)
        bench.open().log_metrics(run_id, batch[10:20])

        assert state_of(store, run_id) == once
        assert [each.count for each in store.get_summaries(run_id)] == [50] * len(DATASET_TYPES)

    @clause("MET.1")
    def test_the_last_write_of_a_point_wins_in_one_batch_and_over_many(self, store: Store) -> None:
        run_id = new_run(store)

        store.log_metrics(run_id, [point("loss", 1, 1.0), point("loss", 2, 2.0), point("loss", 1, 10.0)])
        store.log_metrics(run_id, [point("loss", 2, 20.0), point("loss", 3, 3.0)])

        assert points_of(store, run_id, "loss") == [(1, 10.0), (2, 20.0), (3, 3.0)]

    @clause("MET.1", "MET.8")
    def test_a_run_resumed_from_an_older_checkpoint_overwrites_its_overlap(self, store: Store) -> None:
        run_id = new_run(store)
        store.log_metrics(run_id, [point("loss", step, 9.0 - step) for step in range(10)])

        store.log_metrics(run_id, [point("loss", step, 100.0 + step) for step in range(5, 8)])

        expected = [(step, 9.0 - step) for step in range(10)]
        expected[5:8] = [(step, 100.0 + step) for step in range(5, 8)]
        (summary,) = store.get_summaries(run_id)
        assert points_of(store, run_id, "loss") == expected
        assert (summary.count, summary.max.step if summary.max else None, summary.last.value) == (10, 7, 0.0)

    @clause("MET.1")
    def test_name_case_dataset_type_and_run_tell_series_apart(self, store: Store) -> None:
        run_id, other = new_run(store), new_run(store)
        names = ["loss", "Loss", "loss ", "l\u00f6ss", "lo\u0308ss", "los", "ⓛoss", "löß", "loess"]

        store.log_metrics(
            run_id, [point(name, 1, index, kind) for index, name in enumerate(names) for kind in DATASET_TYPES]
        )
        store.log_metrics(other, [point("loss", 1, -1.0)])

        for index, name in enumerate(names):
            assert [points_of(store, run_id, name, kind) for kind in DATASET_TYPES] == [[(1, index)]] * 4
        assert points_of(store, other, "loss") == [(1, -1.0)]

    @clause("MET.2")
    def test_points_for_an_unknown_run_are_refused_and_nothing_is_stored(self, store: Store) -> None:
        experiment_id, run_id = new_experiment(store), unique("run")

        with pytest.raises(RunNotFoundError, match=run_id):
            store.log_metrics(run_id, [point("loss", step, 1.0) for step in range(3)])

        store.ensure_run(experiment_id, run_id=run_id)
        assert (store.get_summaries(run_id), points_of(store, run_id, "loss")) == ((), [])

    @clause("MET.3")
    @pytest.mark.parametrize("value", NASTY_FLOATS, ids=repr)
    def test_every_float64_reads_back_bit_for_bit(self, bench: Bench, value: float) -> None:
        store = bench.open()
        run_id = new_run(store)

        store.log_metrics(run_id, [point("x", 1, value), point("y", 1, 0.5), point("y", 2, value)])

        history, summary = bench.open().get_history(run_id, "x", "validation"), store.get_summaries(run_id)[0]
        assert struct.pack("<d", history.values[0]) == struct.pack("<d", value)
        assert struct.pack("<d", summary.last.value) == struct.pack("<d", value)
        assert struct.pack("<d", store.get_history(run_id, "y", "validation").values[1]) == struct.pack("<d", value)

    @clause("MET.3", "MET.1", "MET.5", "MET.6", "MET.9")
    def test_whatever_points_are_logged_read_back_bit_for_bit(self, bench: Bench) -> None:
        store = bench.open()
        experiment_id = new_experiment(store)

        @effort(25, share=bench.harness.effort)
        @given(st.lists(st.lists(metric_points(), max_size=12), max_size=3))
        def check(batches: list[list[MetricPoint]]) -> None:
            run_id = store.ensure_run(experiment_id)
            expected: dict[tuple[str, str], dict[int, tuple[str, datetime]]] = {}
            for batch in batches:
                store.log_metrics(run_id, batch)
                for each in batch:
                    series = expected.setdefault((each.name, each.dataset_type), {})
                    assert each.logged_at is not None
                    series[each.step] = (each.value.hex(), each.logged_at)

            for (name, kind), series in expected.items():
                found = [
                    (each.step, float(each.value).hex(), each.logged_at)
                    for each in store.get_history(run_id, name, kind)
                ]
                assert found == [(step, *series[step]) for step in sorted(series)]
            assert [(each.name, str(each.dataset_type)) for each in store.get_summaries(run_id)] == sorted(expected)

        check()

    @clause("MET.4")
    @pytest.mark.parametrize(
        "value", [1, 2**60, Fraction(1, 2), Decimal("0.1"), 1.5], ids=lambda value: type(value).__name__ + str(value)
    )
    def test_python_numbers_are_kept_as_their_float_value(self, store: Store, value: Any) -> None:
        run_id = new_run(store)

        store.log_metrics(run_id, [point("x", 1, value)])

        assert points_of(store, run_id, "x") == [(1, float(value))]

    @clause("MET.4")
    def test_scalars_of_array_libraries_are_kept_as_their_float_value(self, store: Store) -> None:
        numpy = pytest.importorskip("numpy", reason="numpy is not installed")
        run_id = new_run(store)
        values = [numpy.float32(0.1), numpy.float64(0.1), numpy.int64(3), numpy.array(2.5), numpy.float16(0.5)]

        store.log_metrics(run_id, [point("x", numpy.int64(step), value) for step, value in enumerate(values)])

        assert points_of(store, run_id, "x") == [(step, float(value)) for step, value in enumerate(values)]

    @clause("MET.4", "MET.7")
    @pytest.mark.parametrize("value", [True, None, "0.5", 1j, [1.0], b"1", object()], ids=lambda v: type(v).__name__)
    def test_what_is_no_real_number_is_refused_by_index_and_field(self, store: Store, value: Any) -> None:
        run_id = new_run(store)
        batch = [*(point("x", step, 1.0) for step in range(3)), point("x", 3, value), point("x", 4, 1.0)]

        with pytest.raises(InvalidValueError, match=r"points\[3\]\.value"):
            store.log_metrics(run_id, batch)

        assert store.get_summaries(run_id) == ()

    @clause("MET.4")
    @pytest.mark.parametrize("points", [point("x", 1, 1.0), {"x": 1.0}, None, 1.0], ids=lambda v: type(v).__name__)
    def test_what_is_not_several_points_is_refused_as_such(self, store: Store, points: Any) -> None:
        run_id = new_run(store)

        with pytest.raises(InvalidValueError, match="points is "):
            store.log_metrics(run_id, points)

    @clause("MET.5")
    def test_history_is_ordered_by_step_whatever_the_order_of_arrival(self, store: Store) -> None:
        run_id, shuffled = new_run(store), list(STEPS)
        Random(7).shuffle(shuffled)  # noqa: S311 - any order will do

        for step in shuffled[:6]:
            store.log_metrics(run_id, [point("x", step, float(step % 1000))])
        store.log_metrics(run_id, [point("x", step, float(step % 1000)) for step in shuffled[6:]])

        assert points_of(store, run_id, "x") == [(step, float(step % 1000)) for step in sorted(STEPS)]

    @clause("MET.5")
    def test_a_range_of_steps_holds_both_its_ends(self, store: Store) -> None:
        run_id = new_run(store)
        store.log_metrics(run_id, [point("x", step, 0.0) for step in STEPS])

        def steps_of(**bounds: Any) -> list[int]:
            return [step for step, _ in points_of(store, run_id, "x", **bounds)]

        assert steps_of(min_step=2, max_step=1023) == [2, 3, 999, 1000, 1023]
        assert steps_of(min_step=2**53 + 1) == [2**53 + 1, 2**63 - 2, 2**63 - 1]
        assert steps_of(max_step=0) == [0]
        assert steps_of(min_step=2**63 - 1, max_step=2**63 - 1) == [2**63 - 1]
        assert steps_of(min_step=4, max_step=998) == []

    @clause("MET.5")
    @pytest.mark.parametrize("step", [-1, 2**63, 1.0, True, None, "1"], ids=repr)
    def test_a_step_outside_the_range_is_refused_by_index_and_field(self, store: Store, step: Any) -> None:
        run_id = new_run(store)

        with pytest.raises(InvalidValueError, match=r"points\[1\]\.step"):
            store.log_metrics(run_id, [point("x", 0, 0.0), point("x", step, 0.0)])

        assert store.get_summaries(run_id) == ()

    @clause("MET.6")
    def test_any_printable_name_is_kept_exactly(self, bench: Bench) -> None:
        store = bench.open()
        run_id = new_run(store)

        store.log_metrics(run_id, [point(name, 1, index) for index, name in enumerate(NASTY_NAMES)])

        assert [each.name for each in bench.open().get_summaries(run_id)] == sorted(NASTY_NAMES)
        assert [points_of(store, run_id, name) for name in NASTY_NAMES] == [
            [(1, index)] for index in range(len(NASTY_NAMES))
        ]

    @clause("MET.6", "MET.7")
    @pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
    def test_a_metric_name_that_cannot_be_kept_is_refused(self, store: Store, name: str) -> None:
        run_id = new_run(store)

        with pytest.raises(InvalidValueError, match=r"points\[2\]\.name"):
            store.log_metrics(run_id, [point("x", 1, 1.0), point("x", 2, 1.0), point(name, 3, 1.0)])

        assert store.get_summaries(run_id) == ()

    @clause("MET.6")
    def test_an_unknown_dataset_type_is_refused(self, store: Store) -> None:
        run_id = new_run(store)

        with pytest.raises(InvalidValueError, match=r"points\[0\]\.dataset_type"):
            store.log_metrics(run_id, [point("x", 1, 1.0, "val")])

        assert store.get_summaries(run_id) == ()

    @clause("MET.7")
    def test_one_call_may_carry_a_hundred_thousand_points(self, store: Store) -> None:
        run_id = new_run(store)

        store.log_metrics(
            run_id,
            (point(f"m{step % 10}", step // 10, step * 0.5, "train", logged_at=MOMENT) for step in range(100_000)),
        )

        assert [each.count for each in store.get_summaries(run_id)] == [10_000] * 10
        assert points_of(store, run_id, "m7", "train") == [(step, (step * 10 + 7) * 0.5) for step in range(10_000)]

    @clause("MET.7")
    def test_a_call_may_bring_as_many_new_series_as_the_run_has(self, store: Store) -> None:
        run_id = new_run(store)
        kinds = ("train", "validation")

        for kind in kinds:
            store.log_metrics(run_id, [point(f"layer{place}", 0, float(place), kind) for place in range(150)])
        known_and_new = [point(f"layer{place}", 1, 0.5, "train") for place in range(100, 250)]
        store.log_metrics(run_id, known_and_new)

        counts = {(each.name, str(each.dataset_type)): each.count for each in store.get_summaries(run_id)}
        assert {series for series in counts if series[1] == "validation"} == {
            (f"layer{place}", "validation") for place in range(150)
        }
        assert [counts[f"layer{place}", "train"] for place in range(250)] == [1] * 100 + [2] * 50 + [1] * 100

    @clause("MET.7")
    def test_one_bad_point_at_the_end_of_a_long_call_stores_none_of_it(self, store: Store) -> None:
        run_id = new_run(store)
        store.log_metrics(run_id, [point("x", 5, 5.0)])
        before = state_of(store, run_id)

        with pytest.raises(InvalidValueError, match=r"points\[5000\]\.value"):
            store.log_metrics(run_id, [*(point("x", step, 1.0) for step in range(5000)), point("x", 1, None)])  # type: ignore[arg-type]

        assert state_of(store, run_id) == before

    @clause("MET.9")
    def test_times_are_kept_to_the_microsecond_and_read_back_in_utc(self, store: Store) -> None:
        run_id = new_run(store)
        moments = [
            MOMENT,
            datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        ]

        store.log_metrics(run_id, [point("x", step, 0.0, logged_at=moment) for step, moment in enumerate(moments)])

        found = [each.logged_at for each in store.get_history(run_id, "x", "validation")]
        assert found == moments
        assert {each.utcoffset() for each in found if each} == {timedelta(0)}

    @clause("MET.9")
    def test_a_naive_time_is_refused(self, store: Store) -> None:
        run_id = new_run(store)

        with pytest.raises(InvalidValueError, match=r"points\[0\]\.logged_at"):
            store.log_metrics(run_id, [point("x", 0, 0.0, logged_at=MOMENT.replace(tzinfo=None))])

    @clause("MET.10")
    def test_eight_writers_with_different_series_lose_nothing(self, bench: Bench) -> None:
        stores = [bench.open(), bench.open()]
        run_id = new_run(stores[0])

        def write(index: int) -> None:
            for step in range(10):
                stores[index % 2].log_metrics(run_id, [point(f"m{index}", step * 10 + k, k) for k in range(10)])

        at_once(write, 8)

        assert [(each.name, each.count) for each in stores[0].get_summaries(run_id)] == [
            (f"m{index}", 100) for index in range(8)
        ]

    @clause("MET.10", "MET.8")
    def test_eight_writers_on_the_same_points_leave_one_of_the_written_values(self, bench: Bench) -> None:
        stores = [bench.open(), bench.open()]
        run_id = new_run(stores[0])

        def write(index: int) -> None:
            for _ in range(4):
                stores[index % 2].log_metrics(run_id, [point("x", step, 1.0 + index) for step in range(20)])

        at_once(write, 8)

        found = points_of(stores[1], run_id, "x")
        (summary,) = stores[0].get_summaries(run_id)
        assert [step for step, _ in found] == list(range(20))
        assert {value for _, value in found} <= {1.0 + index for index in range(8)}
        assert (summary.count, summary.first.value, summary.last.value) == (20, found[0][1], found[-1][1])
        assert (summary.min and summary.min.value, summary.max and summary.max.value) == (
            min(value for _, value in found),
            max(value for _, value in found),
        )

    @clause("MET.11")
    def test_the_history_of_an_unknown_series_is_empty(self, store: Store) -> None:
        run_id = new_run(store)
        store.log_metrics(run_id, [point("x", 1, 1.0, "train")])

        for name, kind in (("y", "train"), ("x", "test")):
            history = store.get_history(run_id, name, kind)
            assert (len(history), history.represents, history.name, str(history.dataset_type)) == (0, 0, name, kind)
            assert len(store.sample_history(run_id, name, kind)) == 0

    @clause("MET.13")
    def test_a_call_without_points_changes_nothing_and_still_finds_the_run_missing(self, store: Store) -> None:
        run_id, absent = new_run(store), unique("run")
        before = state_of(store, run_id)

        store.log_metrics(run_id, [])

        assert state_of(store, run_id) == before
        with pytest.raises(RunNotFoundError, match=absent):
            store.log_metrics(absent, iter(()))
