"""MET, second part: what is known of a series without reading it whole."""

import math
from collections.abc import Sequence

import pytest

from runstore.backend import Store
from runstore.testing.bench import Bench, new_experiment, new_run, point
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.fuzz import chances, smallest
from runstore.testing.sequences import Call, Logged, some_calls
from runstore.testing.values import facts_of


class SummaryClauses(ConformanceBase):
    """MET.8."""

    @clause("MET.8")
    def test_a_summary_names_first_last_min_max_and_counts(self, store: Store) -> None:
        run_id = new_run(store)

        store.log_metrics(run_id, [point("x", step, value) for step, value in [(7, 0.5), (3, 0.9), (5, 0.1)]])

        (found,) = store.get_summaries(run_id)
        assert facts_of(found) == (3, (3, (0.9).hex()), (7, (0.5).hex()), (5, (0.1).hex()), (3, (0.9).hex()), 0)

    @clause("MET.8")
    def test_last_is_the_highest_step_whenever_it_arrived(self, store: Store) -> None:
        run_id = new_run(store)

        store.log_metrics(run_id, [point("x", 100, 1.0)])
        store.log_metrics(run_id, [point("x", 10, 2.0)])

        (found,) = store.get_summaries(run_id)
        assert (found.last.step, found.last.value, found.first.step) == (100, 1.0, 10)

    @clause("MET.8")
    def test_non_finite_values_are_counted_and_never_min_or_max(self, store: Store) -> None:
        run_id = new_run(store)
        values = [math.nan, math.inf, -2.0, -math.inf, 3.0, math.nan]

        store.log_metrics(run_id, [point("x", step, value) for step, value in enumerate(values)])
        store.log_metrics(run_id, [point("only", step, math.inf) for step in range(2)])

        only, mixed = store.get_summaries(run_id)
        assert facts_of(mixed) == (6, (0, "nan"), (5, "nan"), (2, (-2.0).hex()), (4, (3.0).hex()), 4)
        assert (only.count, only.min, only.max, only.non_finite_count) == (2, None, None, 2)

    @clause("MET.8")
    def test_of_equal_extremes_the_lowest_step_is_named(self, store: Store) -> None:
        run_id = new_run(store)

        store.log_metrics(
            run_id, [point("x", step, value) for step, value in [(4, 1.0), (2, 1.0), (9, 0.0), (8, -0.0)]]
        )
        store.log_metrics(run_id, [point("x", 3, 1.0)])

        (found,) = store.get_summaries(run_id)
        assert (found.max and found.max.step, found.min and found.min.step) == (2, 8)

    @clause("MET.8")
    def test_overwriting_the_extreme_the_first_and_the_last_is_seen(self, store: Store) -> None:
        run_id = new_run(store)
        store.log_metrics(
            run_id, [point("x", step, value) for step, value in enumerate([-9.0, 1.0, 50.0, math.nan, 9.0])]
        )

        store.log_metrics(run_id, [point("x", 0, 3.0), point("x", 2, 4.0), point("x", 3, 2.0), point("x", 4, math.inf)])

        (found,) = store.get_summaries(run_id)
        assert facts_of(found) == (5, (0, (3.0).hex()), (4, "inf"), (1, (1.0).hex()), (2, (4.0).hex()), 1)

    @clause("MET.8")
    @pytest.mark.parametrize("order", [(0.0, -0.0), (-0.0, 0.0)], ids=str)
    def test_an_extreme_that_is_overwritten_by_its_equal_takes_the_sign_of_the_new_one(
        self, store: Store, order: tuple[float, float]
    ) -> None:
        before, after = order
        run_id = new_run(store)
        store.log_metrics(run_id, [point("x", step, before) for step in range(3)])

        store.log_metrics(run_id, [point("x", 0, after)])
        store.log_metrics(run_id, [point("x", 1, after), point("x", 2, after), point("x", 3, after)])

        (found,) = store.get_summaries(run_id)
        new = after.hex()
        assert facts_of(found) == (4, (0, new), (3, new), (0, new), (0, new), 0)

    @clause("MET.1", "MET.3", "MET.5", "MET.8", "MET.9", "MET.12", "MET.14")
    def test_any_sequence_of_calls_reads_back_as_a_plain_dictionary_of_steps_says(self, bench: Bench) -> None:
        stores = [bench.open(), bench.open()]
        experiment_id = new_experiment(stores[0])

        def play(sequence: Sequence[Call]) -> None:
            run_id, logged = stores[0].ensure_run(experiment_id), Logged()
            for call in sequence:
                for _ in range(call.times):
                    stores[call.handle].log_metrics(run_id, call.points)
                logged.add(call.points)
                logged.check_summaries(stores[1 - call.handle], run_id)
            logged.check(stores[0], run_id, sizes=(4, 4 + len(sequence)))

        for seed, chance in chances(60, share=bench.harness.effort):
            sequence = some_calls(chance)
            try:
                play(sequence)
            except Exception as error:
                error.add_note(f"the example of seed {seed}, made smaller")
                sequence = smallest(sequence, play)
                bench.begin_script()
                play(sequence)
                raise

    @clause("MET.8")
    def test_series_are_listed_by_name_and_dataset_type_in_code_point_order(self, store: Store) -> None:
        run_id = new_run(store)
        series = [
            (name, kind) for name in ("b", "B", "a", "ä", "_", "10", "9") for kind in ("validation", "test", "train")
        ]

        store.log_metrics(run_id, [point(name, 0, 0.0, kind) for name, kind in series])

        assert [(each.name, str(each.dataset_type)) for each in store.get_summaries(run_id)] == sorted(series)
