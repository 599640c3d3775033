"""CHG.9: what thinning leaves of a history."""

from datetime import UTC, datetime
from typing import Final

import pytest

from runstore.backend import Store
from runstore.errors import InvalidValueError
from runstore.testing.bench import Bench, new_run, point, points_of, state_of
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.conformance._deletions import later

LONG: Final = 3000
"""Points of a history that is worth thinning."""


class ThinningClauses(ConformanceBase):
    """CHG.9."""

    @clause("CHG.9")
    def test_thinning_changes_no_summary_and_leaves_what_a_plot_needs(self, bench: Bench) -> None:
        store = bench.open()
        run_id = new_run(store)
        store.log_metrics(run_id, [point("loss", 3 * step, float(step * 7919 % 104729)) for step in range(LONG)])
        store.log_metrics(run_id, [point("odd", step, float("nan") if step % 7 else -step) for step in range(LONG)])
        store.log_metrics(run_id, [point("short", step, 0.5) for step in range(3)])
        store.finalize(run_id, "completed")
        before, summaries = state_of(store, run_id), store.get_summaries(run_id)
        whole = {each.name: points_of(store, run_id, each.name) for each in summaries}
        plots = {each.name: plot_of(store, run_id, each.name) for each in summaries}

        thinned = store.thin_histories(ended_before=later())

        reader = bench.open()
        assert {**state_of(reader, run_id), "history": None} == {**before, "history": None}
        for each in summaries:
            left = points_of(reader, run_id, each.name)
            named = {part.step for part in (each.first, each.last, each.min, each.max) if part is not None}
            assert {(step, repr(value)) for step, value in left} <= {(s, repr(v)) for s, v in whole[each.name]}
            assert named <= {step for step, _ in left}
            assert plot_of(reader, run_id, each.name) == plots[each.name]
        assert points_of(reader, run_id, "short") == whole["short"]
        left_out = sum(map(len, whole.values())) - sum(len(points_of(reader, run_id, name)) for name in whole)
        assert thinned.points >= left_out

    @clause("CHG.9")
    def test_thinning_twice_is_thinning_once_and_late_points_are_kept(self, store: Store) -> None:
        run_id = new_run(store)
        store.log_metrics(run_id, [point("loss", step, float(step % 97)) for step in range(LONG)])
        store.finalize(run_id, "completed")
        store.thin_histories(ended_before=later())
        once = state_of(store, run_id)

        store.thin_histories(ended_before=later())
        assert state_of(store, run_id) == once
        store.log_metrics(run_id, [point("loss", LONG, -1.0)])

        (summary,) = store.get_summaries(run_id)
        assert (summary.count, summary.last.step, summary.min and summary.min.step) == (LONG + 1, LONG, LONG)
        assert points_of(store, run_id, "loss")[-1] == (LONG, -1.0)

    @clause("CHG.9")
    def test_runs_that_have_not_ended_or_ended_later_keep_every_point(self, store: Store) -> None:
        ids = [new_run(store, start_time=datetime(2026, 1, 1, tzinfo=UTC)) for _ in range(3)]
        for run_id in ids:
            store.log_metrics(run_id, [point("loss", step, float(step % 97)) for step in range(LONG)])
        store.finalize(ids[0], "completed", end_time=datetime(2026, 1, 2, tzinfo=UTC))
        store.finalize(ids[1], "completed", end_time=datetime(2026, 1, 2, 0, 0, 1, tzinfo=UTC))
        before = [state_of(store, run_id) for run_id in ids[1:]]

        store.thin_histories(ended_before=datetime(2026, 1, 2, 0, 0, 1, tzinfo=UTC))

        assert [state_of(store, run_id) for run_id in ids[1:]] == before

    @clause("CHG.9")
    @pytest.mark.parametrize("moment", [None, 0, "2026-01-01", datetime(2026, 1, 1)], ids=repr)  # noqa: DTZ001 - naive on purpose
    def test_a_moment_that_is_no_aware_time_is_refused(self, store: Store, moment: datetime) -> None:
        with pytest.raises(InvalidValueError, match="ended_before"):
            store.thin_histories(ended_before=moment)
        if moment is not None:
            with pytest.raises(InvalidValueError, match="deleted_before"):
                store.collect_garbage(deleted_before=moment)


def plot_of(store: Store, run_id: str, name: str) -> list[tuple[int, str]]:
    """A plot of few points."""
    found = store.sample_history(run_id, name, "validation", max_points=12)
    return [(step, repr(value)) for step, value in zip(found.steps, found.values, strict=True)]
