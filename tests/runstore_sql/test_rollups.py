"""Roll-ups in each SQL database: after any call they say what the points say, and a chart reads them, not the points."""

import math
import time
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import sqlalchemy as sa

from runstore import MetricPoint, Store
from runstore.backend import StepRange
from runstore.memory import MemoryStore
from runstore.series import FAN_OUT_BITS, packs_of_points, span_bits, unpacked
from runstore_sql.metrics import rollups
from runstore_sql.schema.tables import rollup, series, waiting
from runstore_sql.store import SqlStore

KEY = ("m", "other")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packs of 64 steps, read in small pieces: few points make many packs, on several levels."""
    monkeypatch.setattr(rollups, "level_for", lambda *_: 1)
    monkeypatch.setattr(rollups, "LEAST_POINTS", 100)
    monkeypatch.setattr(rollups, "MOST_POINTS", 300)


START = datetime(2026, 7, 1, tzinfo=UTC)


def log(store: Store, run_id: str, steps: list[int], value: float | None = None, *, is_shuffled: bool = False) -> None:
    """Points whose values and times are those of their steps; times that rise with them, unless they are shuffled."""
    store.log_metrics(
        run_id,
        [
            MetricPoint(
                name="m",
                value=float(step * 7919 % 101) if value is None else value,
                step=step,
                logged_at=START
                + timedelta(microseconds=step * 7919 % 99_991 if is_shuffled else min(step * 3, 10**14)),
            )
            for step in steps
        ],
    )


def frontier(store: SqlStore) -> tuple[int | None, int]:
    """The base level and the first step that is not rolled up."""
    level, rolled = store.database.read(
        lambda connection: connection.execute(sa.select(series.c.level, series.c.rolled_step)).one()
    )
    return level, rolled


def check_packs(store: SqlStore, run_id: str) -> None:
    """Asserts that all packs below the frontier hold what the points say, and that none is missing."""
    level, rolled = frontier(store)
    if level is None or level < 0 or not rolled:
        return
    rows = store.database.read(
        lambda connection: connection.execute(sa.select(rollup.c.level, rollup.c.pack, rollup.c.data)).all()
    )
    below = store.read_history(run_id, KEY, StepRange(0, rolled - 1))
    assert below is not None
    stored = {
        (row.level, row.pack): bytes(row.data) for row in rows if (row.pack + 1) << span_bits(row.level) <= rolled
    }
    expected: dict[tuple[int, int], bytes] = {}
    while level <= 58 and rolled >> span_bits(level):
        whole = rolled >> span_bits(level)
        expected |= {(level, index): data for index, data in packs_of_points(below, level) if index < whole}
        level += FAN_OUT_BITS
    assert {key: cells_in(data) for key, data in stored.items()} == {
        key: cells_in(data) for key, data in expected.items()
    }


def cells_in(data: bytes) -> str:
    return repr(unpacked(data))  # a NaN differs from itself


def play(  # noqa: PLR0913 - two stores and their runs
    store: SqlStore, run_id: str, reference: Store, reference_id: str, chance: Random, *, is_shuffled: bool
) -> None:
    """One call, of any kind, to both stores."""
    last = max((summary.last.step for summary in reference.get_summaries(reference_id)), default=-1)
    kind = chance.choice(["append", "append", "append", "one", "late", "over", "jump", "sparse"])
    count = chance.choice([1, 3, 40, 130, 400])
    first = {"append": last + 1, "jump": last + 1 + chance.choice([50, 700, 2**33]), "sparse": last + 1}.get(
        kind, chance.randrange(last + 1) if last >= 0 else 0
    )
    stride = 5 if kind == "sparse" else 1
    steps = [min(first + stride * number, 2**63 - 1) for number in range(1 if kind == "one" else count)]
    if kind == "late":
        steps = sorted(chance.sample(range(first, first + 900), min(count, 20)))
    value = chance.choice([None, None, math.nan, -5.0, 1e9, math.inf])
    for target, its_id in ((store, run_id), (reference, reference_id)):
        log(target, its_id, steps, value, is_shuffled=is_shuffled)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(6))
def test_packs_say_what_points_say_after_any_sequence_of_calls(store: SqlStore, seed: int) -> None:
    chance, reference = Random(seed), MemoryStore()
    run_id, reference_id = (
        each.ensure_run(each.get_or_create_experiment("e"), start_time=START) for each in (store, reference)
    )

    for turn in range(25):
        is_shuffled = seed % 3 == 2 and turn > 20
        play(store, run_id, reference, reference_id, chance, is_shuffled=is_shuffled)
        check_packs(store, run_id)
        for most in (4, 20, 200):
            low = chance.choice([None, chance.randrange(3000)])
            found, expected = (
                each.sample_history(its_id, *KEY, max_points=most, min_step=low)
                for each, its_id in ((store, run_id), (reference, reference_id))
            )
            assert repr((list(found.steps), list(found.values), found.represents)) == repr(
                (list(expected.steps), list(expected.values), expected.represents)
            )
        for by in ("step", "log_step", "time"):
            grids = [
                each.sample_histories([(its_id, *KEY)], max_points=60, by=by)
                for each, its_id in ((store, run_id), (reference, reference_id))
            ]
            assert grids[0].edges == grids[1].edges
            shown = [
                repr(
                    (
                        each.buckets,
                        each.counts,
                        each.first,
                        each.last,
                        each.low,
                        each.high,
                        each.non_finite,
                    )
                )
                for grid in grids
                for each in grid.series
            ]
            assert shown[0] == shown[1]


def test_a_pack_is_rolled_up_by_the_call_that_fills_it(store: SqlStore, run_id: str) -> None:
    for first in range(0, 9000, 50):
        log(store, run_id, list(range(first, first + 50)))

    assert frontier(store) == (7, 8192)
    check_packs(store, run_id)


def test_a_call_that_fills_many_packs_rolls_them_up_from_its_own_points(store: SqlStore, run_id: str) -> None:
    log(store, run_id, list(range(70_000)))

    assert frontier(store) == (7, 69_632)
    check_packs(store, run_id)


def test_a_series_of_few_points_has_no_roll_ups(store: SqlStore, run_id: str) -> None:
    log(store, run_id, list(range(4095)))
    assert frontier(store) == (-1, 0)

    log(store, run_id, [4095])
    assert frontier(store) == (7, 4096)


def test_writing_over_many_packs_draws_the_frontier_back_and_the_next_calls_bring_it_on(
    store: SqlStore, run_id: str
) -> None:
    log(store, run_id, list(range(200_000)))
    log(store, run_id, list(range(5_000, 180_000, 500)), math.nan)
    assert frontier(store)[1] < 180_000

    for step in range(200_000, 200_040):
        log(store, run_id, [step])
        if frontier(store)[1] > 190_000:
            break

    assert frontier(store) == (7, 196_608)
    check_packs(store, run_id)


def test_points_far_denser_than_the_first_ones_are_rolled_up_in_narrower_cells(store: SqlStore, run_id: str) -> None:
    log(store, run_id, list(range(0, 5000 * 1000, 1000)))
    assert frontier(store)[0] == 17

    for first in range(5_000_000, 5_200_000, 10_000):
        log(store, run_id, list(range(first, first + 10_000)))

    assert frontier(store)[0] == 7
    check_packs(store, run_id)


def test_the_ends_of_all_steps_are_rolled_up(store: SqlStore, run_id: str) -> None:
    log(store, run_id, list(range(5000)))
    log(store, run_id, [2**63 - 1 - number for number in range(5000)])

    check_packs(store, run_id)
    sample = store.sample_history(run_id, *KEY, max_points=100)
    assert (sample.steps[0], sample.steps[-1], sample.represents) == (0, 2**63 - 1, 10_000)


def test_a_chart_reads_as_much_as_it_shows_and_not_as_is_stored(
    store: SqlStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The points and the packs that are fetched, counted where they come from the driver."""
    log(store, run_id, list(range(100_000)))
    other = store.ensure_run(store.get_or_create_experiment("experiment"))
    for first in range(0, 800_000, 100_000):
        log(store, other, list(range(first, first + 100_000)))
    histories, tables = store._histories, store.database.dialect.writer.tables  # noqa: SLF001 - to count
    read: list[int] = []
    within, scattered, many = histories.within, histories.scattered, tables.packs_of_many

    def points(*given: object) -> object:
        found = within(*given)  # type: ignore[arg-type]  # as it was called
        read.append(len(found.steps))
        return found

    def short(*given: object) -> object:
        found = scattered(*given)  # type: ignore[arg-type]  # as it was called
        read.append(len(found.steps))
        return found

    def packs(*given: object) -> object:
        found = many(*given)  # type: ignore[arg-type]  # as it was called
        read.append(sum(map(len, found.values())))
        return found

    monkeypatch.setattr(histories, "within", points)
    monkeypatch.setattr(histories, "scattered", short)
    monkeypatch.setattr(tables, "packs_of_many", packs)

    counted: dict[tuple[str, object], int] = {}
    for name, one in (("short", run_id), ("long", other)):
        for low, high in ((None, None), (33, 77_777), (40_001, None)):
            read.clear()
            store.sample_history(one, *KEY, max_points=200, min_step=low, max_step=high)
            counted[name, low] = sum(read)
        for by in ("step", "log_step", "time"):
            read.clear()
            grid = store.sample_histories([(one, *KEY)], max_points=200, by=by)
            assert grid.is_bounded
            counted[name, by] = sum(read)

    assert max(counted.values()) < 200 * 32, counted
    assert counted["long", "time"] < counted["short", "time"] + 200 * 8
    assert counted["long", None] < counted["short", None] + 200 * 8


def without_rollups(store: SqlStore) -> None:
    """Makes all series as a writer of the first schema leaves them, and the migration finds them."""

    def forget(connection: sa.Connection) -> None:
        connection.execute(rollup.delete())
        connection.execute(series.update().values(level=None, rolled_step=0))
        newest = connection.execute(sa.select(sa.func.max(series.c.pk))).scalar_one()
        connection.execute(waiting.update().values(next_series_pk=1, last_series_pk=newest))

    store.database.write(forget)


def test_series_of_the_first_schema_are_left_alone_until_their_run_ends(store: SqlStore, run_id: str) -> None:
    log(store, run_id, list(range(10_000)))
    without_rollups(store)

    log(store, run_id, list(range(10_000, 20_000)))
    while store.catch_up():
        pass
    assert frontier(store) == (None, 0)

    store.finalize(run_id, "completed")
    assert frontier(store) == (7, 16_384)
    check_packs(store, run_id)


def test_what_is_stored_already_is_rolled_up_in_bounded_pieces(store: SqlStore, run_id: str) -> None:
    log(store, run_id, list(range(100_000)))
    store.finalize(run_id, "completed")
    without_rollups(store)

    frontiers = []
    while store.catch_up():
        frontiers.append(frontier(store)[1])

    assert frontiers[:2] == [32_768, 65_536]
    assert frontier(store) == (7, 98_304)
    check_packs(store, run_id)
    deadline = time.monotonic() + 60
    while store.catch_up():  # the run is settled once the transactions of others are over
        assert time.monotonic() < deadline


def test_a_run_that_ends_with_much_to_roll_up_leaves_the_rest_to_later_steps(
    store: SqlStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runstore_sql.metrics.catching_up._AT_THE_END", 1)
    log(store, run_id, list(range(100_000)))
    without_rollups(store)
    while store.catch_up():  # nothing, as long as the run goes on
        pass

    store.finalize(run_id, "completed")
    assert frontier(store) == (7, 32_768)
    while store.catch_up():
        pass

    assert frontier(store) == (7, 98_304)
    check_packs(store, run_id)


@pytest.mark.usefixtures("small")
def test_late_points_of_a_program_of_the_first_schema_are_in_a_chart_of_the_whole(store: SqlStore, run_id: str) -> None:
    """Such a program, open since before the migration, writes points and the summary, and knows of no roll-ups."""
    log(store, run_id, [*range(500), *range(600, 2_000)])
    store.finalize(run_id, "completed")
    assert frontier(store)[1] > 600
    special = ", special" if store.database.dialect.name == "mysql" else ""

    def write_late(connection: sa.Connection) -> None:
        connection.execute(
            sa.text(
                f"INSERT INTO runstore_point (series_pk, step, value, logged_at_us{special}) "
                f"SELECT pk, 550, 1e6, 0{', 0' if special else ''} FROM runstore_series"
            )
        )
        changed = {"count": series.c["count"] + 1, "max_value": 1e6, "max_step": 550}
        connection.execute(series.update().values(**changed))

    store.database.write(write_late)

    assert 550 in list(store.sample_history(run_id, *KEY, max_points=100).steps)
    for by in ("step", "log_step", "time"):
        grid = store.sample_histories([(run_id, *KEY)], max_points=50, by=by)
        assert max(grid.series[0].high.values) == 1e6
        assert not grid.is_bounded


def test_what_is_purged_takes_its_roll_ups_along(store: SqlStore, run_id: str) -> None:
    log(store, run_id, list(range(10_000)))
    store.delete_run(run_id)

    store.collect_garbage(deleted_before=datetime.now(UTC) + timedelta(days=1), dry_run=False)

    assert store.database.read(lambda connection: connection.execute(sa.select(rollup.c.pack)).all()) == []
