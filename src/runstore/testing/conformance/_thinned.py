"""CHG.13: what a thinned history takes, and how it counts. A backend that thins nothing has closed nothing."""

from math import nan
from typing import Any, Final

from runstore.backend import Store
from runstore.model import MetricPoint
from runstore.testing.bench import Bench, new_run, point, points_of
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.conformance._deletions import later

FIRST: Final = 3
LONG: Final = 12_000
"""The first step, and the one behind the last, of a history of which every backend that thins takes some points out."""

MORE: Final = 300


class ThinnedClauses(ConformanceBase):
    """CHG.13."""

    @clause("CHG.13", "MET.1")
    def test_what_a_thinned_history_is_sent_again_changes_nothing(self, bench: Bench) -> None:
        writer, other = bench.open(), bench.open()
        run_id = new_run(writer)
        send(writer, run_id, logged())
        writer.finalize(run_id, "completed")
        closed = thin(other, run_id)
        before = told(other, run_id)

        writer.log_metrics(run_id, [point("loss", closed - 1, value_of(closed - 1))] if closed > 0 else [])
        assert told(other, run_id) == before
        send(other, run_id, logged())  # as a journal that is brought in once more
        assert told(other, run_id) == before
        send(writer, run_id, logged())

        assert told(other, run_id) == before

    @clause("CHG.13")
    def test_no_point_of_a_step_that_was_thinned_is_replaced_or_added(self, bench: Bench) -> None:
        writer, other = bench.open(), bench.open()
        run_id = new_run(writer)
        send(writer, run_id, logged())
        writer.finalize(run_id, "completed")
        closed = thin(other, run_id)
        before = told(other, run_id)
        (summary,) = other.get_summaries(run_id)
        named = {FIRST, closed, *(each.step for each in (summary.min, summary.max) if each is not None)}

        for store in (writer, other):
            for step in sorted(each for each in named if 0 <= each <= closed):
                store.log_metrics(run_id, [point("loss", step, nan)])
                store.log_metrics(run_id, [point("loss", step, 0.5)])
            store.log_metrics(run_id, [point("loss", step, 1e9) for step in range(closed + 1)])

        assert told(other, run_id) == before

    @clause("CHG.13", "MET.15")
    def test_later_steps_of_a_thinned_history_are_logged_overwritten_and_counted(self, bench: Bench) -> None:
        writer, other = bench.open(), bench.open()
        run_id = new_run(writer)
        send(writer, run_id, logged())
        writer.finalize(run_id, "completed")
        closed = thin(other, run_id)
        writer.ensure_run(run_id=run_id, resume=True)
        values = {step: value_of(step) for step in range(FIRST, LONG)}

        # One call reaches from what was thinned over what was not, and behind the end.
        changes = {step: (1e6 if step == LONG + 7 else -1.0) for step in range(LONG - 10, LONG + MORE)}
        call = {**dict.fromkeys(range(closed - 1, closed + 1), 7e7), **changes}
        writer.log_metrics(run_id, [point("loss", step, value) for step, value in sorted(call.items()) if step >= 0])
        values |= changes
        check(other, run_id, values)

        # The greatest value is written over, then the last, by a handle that knows the run from before and by another.
        other.log_metrics(run_id, [point("loss", LONG + 7, 3.0)])
        writer.log_metrics(run_id, [point("loss", LONG + MORE - 1, -5e5), point("loss", LONG + MORE, 2.0)])
        values |= {LONG + 7: 3.0, LONG + MORE - 1: -5e5, LONG + MORE: 2.0}
        check(other, run_id, values)
        writer.log_metrics(run_id, [point("loss", LONG + MORE - 1, 4.0)])
        values[LONG + MORE - 1] = 4.0
        check(other, run_id, values)

        writer.finalize(run_id, "completed")
        other.thin_histories(ended_before=later())
        check(writer, run_id, values)


def value_of(step: int) -> float:
    """A value whose extremes lie far from the ends of the history."""
    return float(step * 7919 % 104_729)


def logged() -> list[MetricPoint]:
    """The points of the history."""
    return [point("loss", step, value_of(step)) for step in range(FIRST, LONG)]


def send(store: Store, run_id: str, points: list[MetricPoint]) -> None:
    """Logs points in a few calls."""
    for begin in range(0, len(points), 5000):
        store.log_metrics(run_id, points[begin : begin + 5000])


def thin(store: Store, run_id: str) -> int:
    """Thins the histories of ended runs.

    Returns:
        The highest step of this one that was taken out: up to there at least it was thinned. -1 if none was.
    """
    store.thin_histories(ended_before=later())
    left = {step for step, _ in points_of(store, run_id, "loss")}
    return max(set(range(FIRST, LONG)) - left, default=-1)


def told(store: Store, run_id: str) -> Any:
    """What reads tell of the history, bit for bit."""
    sample = store.sample_history(run_id, "loss", "validation", max_points=12)
    grid = store.sample_histories([(run_id, "loss", "validation")], max_points=24)
    return (
        repr(store.get_summaries(run_id)),
        [(step, repr(value)) for step, value in points_of(store, run_id, "loss")],
        (sample.represents, list(sample.steps), list(map(repr, sample.values))),
        [(list(each.counts), list(each.first.steps), list(each.high.values)) for each in grid.series],
    )


def check(store: Store, run_id: str, values: dict[int, float]) -> None:
    """Asserts that summary, sample and grid are those of all points that were logged."""
    (summary,) = store.get_summaries(run_id)
    steps = sorted(values)
    low, high = (best(steps, key=lambda step: values[step]) for best in (min, max))
    assert summary.min is not None
    assert summary.max is not None
    found = summary.count, summary.first.step, summary.last.step, summary.min.step, summary.max.step
    assert found == (len(values), steps[0], steps[-1], low, high)
    assert (summary.min.value, summary.max.value) == (values[low], values[high])
    assert summary.last.value == values[steps[-1]]
    sample = store.sample_history(run_id, "loss", "validation", max_points=12)
    assert sample.represents == len(values)
    assert {low, high} <= set(sample.steps)
    (series,) = store.sample_histories([(run_id, "loss", "validation")], max_points=24).series
    assert sum(series.counts) == len(values)
