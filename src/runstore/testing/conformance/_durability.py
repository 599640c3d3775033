"""DUR: what was acknowledged stands, whatever dies; what was not is whole or absent."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runstore.backend import Store
from runstore.errors import (
    InvalidValueError,
    RunNotFoundError,
    RunStoreError,
    SchemaError,
    StoreFailureError,
    StoreUnavailableError,
)
from runstore.model import RunStatus
from runstore.testing import children
from runstore.testing.bench import Bench, at_once, new_experiment, new_run, point, points_of, state_of, unique
from runstore.testing.conformance._base import ConformanceBase, check_nothing_held, clause
from runstore.values.ids import experiment_id_of

SIZE = 300


class DurabilityClauses(ConformanceBase):
    """DUR.1 to DUR.5 and ERR.3."""

    @clause("DUR.1")
    def test_every_acknowledged_verb_is_there_after_sigkill_of_the_writer(self, bench: Bench, tmp_path: Path) -> None:
        name, run_id, path = unique(), unique("run"), tmp_path / "weights.bin"
        path.write_bytes(b"weights")
        child = bench.child(children.use_every_verb, name, run_id, str(path))

        said = [child.line() for _ in range(6)]
        child.kill()

        store = bench.open()
        run = store.get_run(run_id)
        assert said[-1] == "finalize"
        assert (run.status, run.name, run.experiment_id) == (RunStatus.COMPLETED, "child's", experiment_id_of(name))
        assert store.get_experiment(run.experiment_id).description == "from a child"
        assert (points_of(store, run_id, "loss", "train"), store.get_config(run_id)) == ([(1, 0.5)], {"lr": 0.1})
        with store.open_artifact(run_id, "weights.bin") as stream:
            assert stream.read() == b"weights"

    @clause("DUR.1", "DUR.2")
    def test_a_writer_killed_between_batches_loses_none_and_leaves_none_half_written(self, bench: Bench) -> None:
        store = bench.open()
        run_id = new_run(store)
        child = bench.child(children.log_for_ever, run_id, SIZE)

        acknowledged = 0
        for _ in range(4):
            acknowledged = int(child.line().removeprefix("batch "))
        child.kill()

        assert acknowledged == 4
        check_batches(bench.open(), run_id, at_least=acknowledged)

    @clause("DUR.2")
    def test_a_reader_never_sees_half_a_batch(self, bench: Bench) -> None:
        writer, reader = bench.open(), bench.open()
        run_id = new_run(writer)

        def write() -> None:
            for batch in range(1, 13):
                writer.log_metrics(run_id, [point("x", step, float(batch)) for step in range(SIZE)])

        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(write)
            while not done.done():
                values = {value for _, value in points_of(reader, run_id, "x")}
                assert len(values) <= 1, f"one read saw parts of the batches {sorted(values)}"
            done.result()

        assert points_of(reader, run_id, "x") == [(step, 12.0) for step in range(SIZE)]

    @clause("DUR.2")
    def test_a_reader_never_sees_some_series_of_a_batch_without_the_others(self, bench: Bench) -> None:
        writer, reader = bench.open(), bench.open()
        run_id = new_run(writer)

        def write() -> None:
            for batch in range(1, 26):
                writer.log_metrics(run_id, [point(f"m{series}", batch, float(batch)) for series in range(120)])

        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(write)
            while not done.done():
                seen = {(each.count, each.last.value) for each in reader.get_summaries(run_id)}
                assert len(seen) <= 1, f"one read saw parts of the batches {sorted(seen)}"
            done.result()

        assert {each.count for each in reader.get_summaries(run_id)} == {25}

    @clause("DUR.2")
    def test_a_connection_cut_at_any_statement_leaves_a_batch_whole_or_absent(self, bench: Bench) -> None:
        faulty = bench.faulty()
        store = faulty.open()
        experiment_id = new_experiment(store)

        for statements in range(48):
            run_id, was_refused = store.ensure_run(experiment_id), False
            store.log_metrics(run_id, [point(name, step, 1.0) for name in "abc" for step in range(0, 3000, 30)])
            with faulty.harness.cut_after(statements) as was_cut:
                try:
                    store.log_metrics(
                        run_id, [point(name, step, 2.0) for name in "abcd" for step in range(0, 3000, 20)]
                    )
                except StoreUnavailableError:
                    was_refused = True
                finished = not was_cut()
            check_nothing_held(faulty)
            check_whole(store, run_id, was_refused=was_refused)
            if finished:
                return
        pytest.fail("a batch took more than 24 round trips: they must not grow with the points (DUR.3)")

    @clause("DUR.2", "MET.8")
    def test_a_batch_cut_half_way_is_mended_by_sending_it_again(self, bench: Bench) -> None:
        faulty = bench.faulty()
        store = faulty.open()
        run_id = new_run(store)
        batch = [point(name, step, 2.0) for name in "abc" for step in range(0, 3000, 20)]

        for statements in (2, 3, 5, 6):
            with faulty.harness.cut_after(statements):
                try:
                    store.log_metrics(run_id, batch)
                except StoreUnavailableError:
                    continue
        insist(lambda: store.log_metrics(run_id, batch))

        assert [(each.name, each.count, each.last.step) for each in store.get_summaries(run_id)] == [
            (name, 150, 2980) for name in "abc"
        ]

    @clause("DUR.3")
    def test_round_trips_do_not_grow_with_the_points(self, bench: Bench) -> None:
        faulty = bench.faulty()
        store = faulty.open()
        counts = []

        for size in (1, 20_000, 60_000):
            run_id = new_run(store)
            store.log_metrics(run_id, [point("x", 2**40, 0.0)])
            with faulty.harness.count_round_trips() as round_trips:
                store.log_metrics(run_id, [point("x", step, 0.5) for step in range(size)])
                counts.append(round_trips())

        # Streams and pipelines turn the talk round a few times more or less, and a large call may be stored another way
        # than a small one; what must not happen is a trip a chunk.
        message = f"1, 20,000 and 60,000 points took {counts} round trips"
        assert counts[2] <= counts[1] + 4, message
        assert max(counts) <= 2 * min(counts) + 6, message

    @clause("DUR.3")
    def test_after_each_call_no_connection_is_checked_out(self, bench: Bench, tmp_path: Path) -> None:
        bench.harness.open_connections()
        store = bench.open()
        run_id = new_run(store)
        path = tmp_path / "f"
        path.write_bytes(b"f")

        for call in (
            lambda: store.log_metrics(run_id, [point("x", 1, 0.5)]),
            lambda: store.log_config(run_id, {"lr": 0.1}),
            lambda: store.log_artifact(run_id, path),
            lambda: store.open_artifact(run_id, "f").close(),
            lambda: store.heartbeat(run_id, lease_s=60.0),
            lambda: store.search_runs(limit=1),
            lambda: store.get_history(run_id, "x", "validation"),
            lambda: _fails(store, run_id),
            lambda: store.finalize(run_id, "completed"),
        ):
            call()
            check_nothing_held(bench)

    @clause("DUR.4")
    def test_writers_that_cross_each_other_all_succeed(self, bench: Bench) -> None:
        stores = [bench.open() for _ in range(4)]
        run_id, names = new_run(stores[0]), [f"m{index}" for index in range(6)]

        at_once(lambda index: children.log_crossing(stores[index % 4], run_id, names[:: 1 if index % 2 else -1], 6), 8)

        assert [(each.name, each.count, each.last.value) for each in stores[0].get_summaries(run_id)] == [
            (name, 5, 5.0) for name in names
        ]

    @clause("DUR.4")
    def test_a_write_waits_for_a_rival_that_holds_the_run_and_then_succeeds(self, bench: Bench) -> None:
        store = bench.open()
        run_id = new_run(store)
        store.log_metrics(run_id, [point("x", 1, 1.0)])

        bench.harness.hold_lock(run_id, 0.7)
        store.log_metrics(run_id, [point("x", 1, 2.0), point("x", 2, 2.0)])

        assert points_of(store, run_id, "x") == [(1, 2.0), (2, 2.0)]

    @clause("DUR.4")
    def test_a_call_that_is_refused_is_not_sent_again(self, bench: Bench) -> None:
        faulty = bench.faulty()
        store = faulty.open()
        run_id = new_run(store)
        counts = []

        for asked in (run_id, "absent", "absent"):  # the first refusal may look closer, at the second it is known
            with faulty.harness.count_round_trips() as round_trips:
                if asked == run_id:
                    store.log_metrics(asked, [point("x", 1, 0.5)])
                else:
                    with pytest.raises(RunNotFoundError):
                        store.log_metrics(asked, [point("x", 1, 0.5)])
                counts.append(round_trips())

        assert max(counts[1:]) <= 2 * counts[0] + 6, f"a call took {counts[0]} round trips, refused ones {counts[1:]}"

    @clause("DUR.4")
    def test_a_primary_that_steps_down_costs_no_acknowledged_write(self, bench: Bench) -> None:
        private = bench.private()
        store = private.open()
        run_id = new_run(store)

        for step in range(6):
            if step == 2:
                private.harness.step_down()
            persist(store, run_id, step)

        assert points_of(store, run_id, "x") == [(step, float(step)) for step in range(6)]

    @clause("DUR.5")
    def test_no_transaction_stays_open_between_calls(self, bench: Bench, tmp_path: Path) -> None:
        bench.harness.open_transactions()
        store = bench.open()
        run_id = new_run(store)
        path = tmp_path / "f"
        path.write_bytes(b"f")

        for call in (
            lambda: store.log_metrics(run_id, [point("x", 1, 0.5)]),
            lambda: store.log_config(run_id, {"lr": 0.1}),
            lambda: store.log_artifact(run_id, path),
            lambda: store.get_config(run_id),
            lambda: store.search_runs(limit=1),
            lambda: _fails(store, run_id),
            lambda: store.finalize(run_id, "completed"),
        ):
            call()
            assert bench.harness.open_transactions() == 0

    @clause("DUR.5")
    def test_a_connection_that_the_server_dropped_is_replaced(self, bench: Bench) -> None:
        faulty = bench.faulty()
        store = faulty.open()
        run_id = new_run(store)

        for step in range(3):
            faulty.harness.drop_connections()
            store.log_metrics(run_id, [point("x", step, 1.0)])
            faulty.harness.drop_connections()
            assert len(points_of(store, run_id, "x")) == step + 1

        check_nothing_held(faulty)

    @clause("DUR.5", "DUR.1")
    def test_after_a_restart_of_the_server_the_same_handle_goes_on_and_nothing_is_lost(self, bench: Bench) -> None:
        private = bench.private()
        store = private.open()
        run_id = new_run(store)
        persist(store, run_id, 0)

        private.harness.restart()
        persist(store, run_id, 1)

        assert points_of(store, run_id, "x") == [(0, 0.0), (1, 1.0)]
        check_nothing_held(private)

    @clause("ERR.3", "EXP.1")
    def test_a_database_that_is_away_is_unavailable_and_the_same_handle_works_afterwards(self, bench: Bench) -> None:
        faulty, name = bench.faulty(), unique()
        store = faulty.open()
        run_id = new_run(store)

        with faulty.harness.outage():
            with pytest.raises(StoreUnavailableError):
                store.log_metrics(run_id, [point("x", 1, 0.5)])
            with pytest.raises(StoreUnavailableError):
                store.get_run(run_id)
            check_nothing_held(faulty)

        persist(store, run_id, 1)
        assert store.get_or_create_experiment(name) == experiment_id_of(name)

    @clause("ERR.3", "DUR.2")
    def test_a_full_disk_is_no_passing_trouble_and_what_was_kept_stands(self, bench: Bench) -> None:
        private = bench.private()
        store = private.open()
        run_id = new_run(store)
        store.log_metrics(run_id, [point("x", step, 1.0) for step in range(100)])
        before = state_of(store, run_id)

        with private.harness.full():
            refusal: RunStoreError | None = None
            for batch in range(200):
                try:
                    store.log_metrics(run_id, [point(f"y{batch}", step, 1.0) for step in range(2000)])
                except RunStoreError as error:
                    refusal = error
                    break
                before = state_of(store, run_id)
            assert isinstance(refusal, StoreFailureError), f"a full disk was told as {refusal!r}"
            assert state_of(store, run_id) == before

        store.log_metrics(run_id, [point("x", 100, 1.0)])
        assert len(points_of(store, run_id, "x")) == 101

    @clause("ERR.3")
    def test_what_trying_again_cannot_mend_is_never_called_unavailable(self, store: Store) -> None:
        run_id = new_run(store)

        for call in (
            lambda: store.log_metrics(run_id, [point("", 1, 1.0)]),
            lambda: store.log_metrics("absent", [point("x", 1, 1.0)]),
            lambda: store.ensure_run("absent"),
            lambda: store.search_runs("nonsense"),
            lambda: store.finalize(run_id, "lost"),
        ):
            with pytest.raises(RunStoreError) as caught:
                call()
            assert not isinstance(caught.value, (StoreUnavailableError, SchemaError))


def persist(store: Store, run_id: str, step: int) -> None:
    """Logs a point as a recorder does."""
    insist(lambda: store.log_metrics(run_id, [point("x", step, float(step))]))


def insist(call: Callable[[], object]) -> None:
    """Calls again while the store says that it is unavailable, for a minute at most."""
    deadline = time.monotonic() + 240
    while True:
        try:
            call()
        except StoreUnavailableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def check_batches(store: Store, run_id: str, *, at_least: int) -> None:
    """Asserts that ``log_for_ever`` left whole batches only, the acknowledged ones among them."""
    found = points_of(store, run_id, "batches", "train")
    last = len(found)
    assert last >= at_least
    assert found == [(batch, float(batch)) for batch in range(1, last + 1)]
    for name in "ab":
        assert points_of(store, run_id, name, "train") == [(step, float(last)) for step in range(SIZE)]


def check_whole(store: Store, run_id: str, *, was_refused: bool) -> None:
    """Asserts that the second batch over the first is there whole, or not at all if it was refused."""
    old, new = [(step, 1.0) for step in range(0, 3000, 30)], dict.fromkeys(range(0, 3000, 20), 2.0)
    absent = {"a": old, "b": old, "c": old, "d": []}
    whole = {name: sorted({**dict(points), **new}.items()) for name, points in absent.items()}
    found = {name: points_of(store, run_id, name) for name in absent}
    assert found in ([absent, whole] if was_refused else [whole]), "half a batch is stored"
    assert {each.name: each.count for each in store.get_summaries(run_id)} == {
        name: len(points) for name, points in found.items() if points
    }


def _fails(store: Store, run_id: str) -> None:
    with pytest.raises(InvalidValueError):
        store.log_metrics(run_id, [point("x", -1, 0.5)])
    with pytest.raises(RunStoreError):
        store.log_metrics("absent", [point("x", 1, 0.5)])
