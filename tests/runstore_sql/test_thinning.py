"""Long histories of ended runs are thinned to what their roll-ups show, in each SQL database."""

import math
from array import array
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from runstore import History, MetricPoint
from runstore.model import Thinned
from runstore.series import Columns, EqualBuckets, cells_of, kept_of, level_for
from runstore_sql.editing.pace import Pace
from runstore_sql.metrics import rollups
from runstore_sql.store import SqlStore

LATER = datetime.now(UTC) + timedelta(days=1)
COUNT = 6000


@pytest.fixture(autouse=True)
def small_pieces(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(store.database.dialect), "points_a_piece", 1000)
    monkeypatch.setattr(type(store.database.dialect), "rest_a_piece", 0.0)


def filled(store: SqlStore, run_id: str) -> Columns:
    """A series with jumps, a stretch of NaN, and infinities."""
    values = array("d", [math.sin(step / 50) * (1 + step % 7) for step in range(COUNT)])
    values[1111], values[2222], values[3333] = 99.0, -99.0, math.inf
    values[4000:4600] = array("d", [math.nan]) * 600
    columns = Columns(array("q", range(COUNT)), values, array("q", range(10**15, 10**15 + COUNT)))
    store.append(run_id, {("loss", "train"): columns})
    return columns


def columns_of(history: History) -> Columns:
    return Columns(history.steps, history.values, history.logged_at_us)


def shown(columns: Columns) -> Columns:
    """What a chart shows whose buckets are as wide as a cell at the base of the roll-ups."""
    return kept_of(cells_of(columns, EqualBuckets(level_for(COUNT, 0, COUNT - 1))))


def same(left: Columns, right: Columns) -> bool:
    return [column.tobytes() for column in left] == [column.tobytes() for column in right]


def history(store: SqlStore, run_id: str) -> Columns:
    return columns_of(store.get_history(run_id, "loss", "train"))


def test_what_the_roll_ups_show_stays_and_the_summary_tells_of_all_points(store: SqlStore, run_id: str) -> None:
    whole = filled(store, run_id)
    before = store.get_summaries(run_id)
    sampled = columns_of(store.sample_history(run_id, "loss", "train", max_points=20))
    store.finalize(run_id, "completed")

    thinned = store.thin_histories(ended_before=LATER)

    left = history(store, run_id)
    assert thinned == Thinned(series=1, points=COUNT - len(left.steps))
    assert len(left.steps) < 2048
    assert repr(store.get_summaries(run_id)) == repr(before)
    assert (left.steps[0], left.steps[-1]) == (0, COUNT - 1)
    assert {1111, 2222} <= set(left.steps)
    assert same(shown(left), shown(whole))
    for most in (20, 2000):
        assert store.sample_history(run_id, "loss", "train", max_points=most).represents == COUNT
    assert same(columns_of(store.sample_history(run_id, "loss", "train", max_points=20)), sampled)
    assert store.thin_histories(ended_before=LATER) == Thinned(series=0, points=0)


def test_only_long_histories_of_runs_that_ended_before_the_moment_are_thinned(store: SqlStore) -> None:
    experiment_id = store.get_or_create_experiment("experiment")
    going_on, short, deleted = (store.ensure_run(experiment_id) for _ in range(3))
    filled(store, going_on)
    store.log_metrics(short, [MetricPoint(name="loss", value=0.5, step=step) for step in range(1000)])
    filled(store, deleted)
    store.finalize(short, "completed")
    store.finalize(deleted, "completed")
    store.delete_run(deleted)

    assert store.thin_histories(ended_before=LATER).points == 0

    store.restore_run(deleted)
    assert store.thin_histories(ended_before=datetime(2020, 1, 1, tzinfo=UTC)).points == 0
    assert store.thin_histories(ended_before=LATER).series == 1


def test_a_thinning_that_was_cut_short_is_taken_up_by_the_next(
    store: SqlStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = filled(store, run_id)
    store.finalize(run_id, "completed")
    original = Pace.piece
    done: list[int] = []

    def piece(self: Pace, work: Any) -> Any:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(1)
        return original(self, work)

    monkeypatch.setattr(Pace, "piece", piece)
    with pytest.raises(KeyboardInterrupt):
        store.thin_histories(ended_before=LATER)
    monkeypatch.setattr(Pace, "piece", original)
    assert 3000 < len(history(store, run_id).steps) < 3300
    assert {5999, 5998, 5000} < set(history(store, run_id).steps)

    store.thin_histories(ended_before=LATER)

    assert same(shown(history(store, run_id)), shown(whole))


def test_of_what_arrives_late_for_a_thinned_history_only_what_lies_behind_is_stored_and_counted(
    store: SqlStore, run_id: str
) -> None:
    filled(store, run_id)
    store.finalize(run_id, "completed")
    store.thin_histories(ended_before=LATER)
    left = history(store, run_id)

    log(store, run_id, {1111: math.nan, 4094: 1e9, 4095: 1e9, 4096: math.inf, COUNT: 7.0, COUNT + 1: 1e3})
    log(store, run_id, {COUNT + 1: 8.0, 4097: -1.0})

    (summary,) = store.get_summaries(run_id)
    # The 600 that were NaN, one of which became a number, and the infinity that was logged first.
    assert (summary.count, summary.non_finite_count) == (COUNT + 2, 600)
    assert (summary.last.step, summary.last.value) == (COUNT + 1, 8.0)
    assert summary.max is not None
    assert (summary.max.step, summary.max.value) == (1111, 99.0)
    found = history(store, run_id)
    count = left.steps.index(4095) + 1
    assert same(found.part(0, count), left.part(0, count))
    assert counted(store, run_id) == COUNT + 2


def test_a_history_is_closed_as_soon_as_the_first_of_it_is_thinned(
    store: SqlStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = filled(store, run_id)
    store.finalize(run_id, "completed")
    before = store.get_summaries(run_id)
    original = Pace.piece

    def piece(self: Pace, work: Any) -> Any:
        original(self, work)
        raise KeyboardInterrupt

    monkeypatch.setattr(Pace, "piece", piece)
    with pytest.raises(KeyboardInterrupt):
        store.thin_histories(ended_before=LATER)
    monkeypatch.setattr(Pace, "piece", original)

    log(store, run_id, {10: 1e9, 3000: 1e9})
    log(store, run_id, {3001: 1e9, 4200: 0.0})
    counted_between = counted(store, run_id)
    store.thin_histories(ended_before=LATER)

    whole.values[4200] = 0.0
    assert counted_between == counted(store, run_id) == COUNT
    assert [(each.count, each.max, each.min) for each in store.get_summaries(run_id)] == [
        (each.count, each.max, each.min) for each in before
    ]
    assert len(history(store, run_id).steps) < 2048
    assert [*shown(history(store, run_id)).values] == pytest.approx([*shown(whole).values], nan_ok=True)


def test_a_grid_of_time_counts_the_points_that_were_logged(store: SqlStore, run_id: str) -> None:
    """Its buckets are ranges of steps here, and none begins within a cell; of so short a series cells are not worth it else."""
    values = array("d", [0.5]) * 12_288
    times = array("q", [10**15 + step // 4096 * 10**12 for step in range(12_288)])
    store.append(run_id, {("loss", "train"): Columns(array("q", range(12_288)), values, times)})
    store.finalize(run_id, "completed")
    before = store.sample_histories([(run_id, "loss", "train")], max_points=100, by="time")

    assert store.thin_histories(ended_before=LATER).points > 10_000

    assert store.sample_histories([(run_id, "loss", "train")], max_points=100, by="time") == before


def test_points_far_denser_than_those_that_were_thinned_leave_its_roll_ups_as_they_are(
    store: SqlStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Narrower cells would have to be made of points that are gone."""
    monkeypatch.setattr(rollups, "MOST_POINTS", 6000)
    steps = array("q", range(0, 8 * COUNT, 8))
    store.append(run_id, {("loss", "train"): Columns(steps, array("d", [0.5]) * COUNT, array("q", [7]) * COUNT)})
    store.finalize(run_id, "completed")
    assert store.thin_histories(ended_before=LATER).points > 3000
    store.ensure_run(run_id=run_id, resume=True)

    for begin in range(8 * COUNT, 8 * COUNT + 20_000, 4000):
        log(store, run_id, {step: float(step) for step in range(begin, begin + 4000)})
        assert counted(store, run_id) == COUNT + begin + 4000 - 8 * COUNT
    store.finalize(run_id, "completed")
    store.thin_histories(ended_before=LATER)

    assert counted(store, run_id) == COUNT + 20_000
    assert len(history(store, run_id).steps) < 8000
    with store.database.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT level, rolled_step FROM runstore_series")).all() == [(10, 65536)]


def log(store: SqlStore, run_id: str, values: dict[int, float]) -> None:
    points = [MetricPoint(name="loss", value=value, step=step, dataset_type="train") for step, value in values.items()]
    store.log_metrics(run_id, points)


def counted(store: SqlStore, run_id: str) -> int:
    """How many points the cells of a grid have together."""
    grid = store.sample_histories([(run_id, "loss", "train")], max_points=12)
    sample = store.sample_history(run_id, "loss", "train", max_points=12)
    (found,) = grid.series
    assert sample.represents == sum(found.counts)
    return sample.represents


def test_a_dense_stretch_of_a_sparse_history_keeps_its_shape(store: SqlStore, run_id: str) -> None:
    """Cells as wide as the whole series asks for would hold all of it in one."""
    values = array("d", [math.sin(step / 300) for step in range(COUNT)])
    steps = array("q", range(COUNT - 1))
    steps.append(10**15)
    store.append(run_id, {("loss", "train"): Columns(steps, values, array("q", [7]) * COUNT)})
    store.finalize(run_id, "completed")

    store.thin_histories(ended_before=LATER)

    assert len(history(store, run_id).steps) > 90


def test_no_piece_looks_at_more_points_than_it_may(store: SqlStore, run_id: str) -> None:
    filled(store, run_id)
    store.finalize(run_id, "completed")
    statements: list[str] = []
    sa.event.listen(
        store.database.engine, "before_cursor_execute", lambda _c, _k, statement, *_: statements.append(statement)
    )

    store.thin_histories(ended_before=LATER)

    reads = [each for each in statements if "FROM runstore_point" in each and each.startswith("SELECT")]
    thinned = [each for each in reads if "LIMIT 1000" in each]
    assert len(thinned) == 4096 // 1000 + 1
