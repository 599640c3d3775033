"""FIN: a run ends once, truthfully, and is never in progress for ever."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runstore.backend import Store
from runstore.backend.begun import HANDED_BACK_S
from runstore.errors import InvalidValueError, RunFinalizedError, RunStoreError
from runstore.model import RunFailure, RunStatus
from runstore.testing import children
from runstore.testing.bench import Bench, at_once, new_run, point, points_of, state_of, unique
from runstore.testing.conformance._base import ConformanceBase, clause

TERMINAL = ("completed", "failed", "interrupted")
START = datetime(2026, 5, 1, 12, 0, 0, 5, tzinfo=UTC)
LOST_WITHIN_S = 120
"""How long a reader may take to see a lease of a fraction of a second run out; a bound, not a measure."""


class EndingClauses(ConformanceBase):
    """FIN.1 to FIN.7."""

    @clause("FIN.1")
    @pytest.mark.parametrize("status", TERMINAL)
    def test_each_terminal_status_ends_a_run(self, bench: Bench, status: str) -> None:
        store = bench.open()
        run_id = new_run(store, start_time=START)

        store.finalize(run_id, status, end_time=START + timedelta(microseconds=1))

        run = bench.open().get_run(run_id)
        assert (run.status, run.end_time) == (RunStatus(status), START + timedelta(microseconds=1))

    @clause("FIN.1")
    @pytest.mark.parametrize("status", ["in_progress", "lost", "finished", "COMPLETED", "", None, 1], ids=repr)
    def test_any_other_status_is_refused_and_changes_nothing(self, store: Store, status: Any) -> None:
        run_id = new_run(store)
        before = state_of(store, run_id)

        with pytest.raises(InvalidValueError, match="status"):
            store.finalize(run_id, status)

        assert state_of(store, run_id) == before

    @clause("FIN.2")
    def test_the_same_status_again_keeps_the_first_end_time_and_failure(self, bench: Bench) -> None:
        store = bench.open()
        run_id = new_run(store, start_time=START)
        store.finalize(run_id, "failed", end_time=START, error=ValueError("first"))
        before = state_of(store, run_id)

        bench.open().finalize(run_id, "failed")
        store.finalize(run_id, RunStatus.FAILED, end_time=START + timedelta(hours=1), error=ValueError("second"))

        assert state_of(store, run_id) == before

    @clause("FIN.2")
    def test_another_status_is_refused_and_changes_nothing(self, store: Store) -> None:
        for first in TERMINAL:
            run_id = new_run(store)
            store.finalize(run_id, first)
            before = state_of(store, run_id)
            for second in set(TERMINAL) - {first}:
                with pytest.raises(RunFinalizedError, match=run_id):
                    store.finalize(run_id, second, error=ValueError("late"))
            assert state_of(store, run_id) == before

    @clause("FIN.2")
    def test_of_racing_ends_one_wins_and_all_others_are_told(self, bench: Bench) -> None:
        stores = [bench.open(), bench.open()]
        run_id = new_run(stores[0])

        def end(index: int) -> str | None:
            try:
                stores[index % 2].finalize(run_id, TERMINAL[index % 3])
            except RunFinalizedError:
                return None
            return TERMINAL[index % 3]

        acknowledged = {each for each in at_once(end, 12) if each is not None}

        assert acknowledged == {str(stores[0].get_run(run_id).status)}

    @clause("FIN.2", "RUN.6")
    def test_resuming_and_ending_at_once_never_tears_a_run(self, bench: Bench) -> None:
        stores = [bench.open(), bench.open()]
        run_id = new_run(stores[0])
        stores[0].finalize(run_id, "completed")

        at_once(lambda index: children.resume_and_finalize(stores[index % 2], run_id, 5), 4)

        run = stores[0].get_run(run_id)
        assert (run.status, run.end_time is not None) == (RunStatus.COMPLETED, True)
        assert 2 <= run.attempt <= 21

    @clause("FIN.3")
    def test_an_end_before_the_start_is_refused(self, store: Store) -> None:
        run_id = new_run(store, start_time=START)

        with pytest.raises(InvalidValueError, match="end_time"):
            store.finalize(run_id, "completed", end_time=START - timedelta(microseconds=1))

        assert store.get_run(run_id).status == RunStatus.IN_PROGRESS

    @clause("FIN.3")
    def test_a_run_whose_clock_ran_ahead_ends_no_earlier_than_it_began(self, store: Store) -> None:
        ahead = datetime.now(UTC) + timedelta(days=400)
        run_id = new_run(store, start_time=ahead)

        store.finalize(run_id, "completed")

        assert store.get_run(run_id).end_time == ahead

    @clause("FIN.4")
    def test_a_failure_keeps_type_message_and_traceback(self, bench: Bench) -> None:
        store = bench.open()
        run_id = new_run(store)
        try:
            raise OSError("no space left: 'ünïcode' $x %s\n" * 100)  # noqa: TRY301 - makes a traceback
        except OSError as error:
            store.finalize(run_id, "failed", error=error)

        failure = bench.open().get_run(run_id).failure
        assert failure is not None
        assert (failure.type, failure.message) == ("OSError", "no space left: 'ünïcode' $x %s\n" * 100)
        assert "test_a_failure_keeps_type_message_and_traceback" in failure.traceback

    @clause("FIN.4")
    def test_a_failure_that_was_text_already_reads_back_equal(self, store: Store) -> None:
        run_id, failure = new_run(store), RunFailure(type="Preempted", message="", traceback="line\n" * 5000)

        store.finalize(run_id, "interrupted", error=failure)

        assert store.get_run(run_id).failure == failure

    @clause("FIN.4")
    def test_odd_characters_in_an_exception_never_keep_a_run_from_ending(self, store: Store) -> None:
        run_id = new_run(store)

        store.finalize(run_id, "failed", error=ValueError("nul \0 and surrogate \ud800"))

        failure = store.get_run(run_id).failure
        assert failure is not None
        assert failure.message.startswith("nul ")

    @clause("FIN.5")
    @pytest.mark.parametrize("status", TERMINAL)
    def test_what_arrives_after_the_end_is_kept_and_changes_no_status(
        self, store: Store, tmp_path: Path, status: str
    ) -> None:
        run_id, path = new_run(store), tmp_path / "late.bin"
        path.write_bytes(b"late")
        store.finalize(run_id, status)
        before = store.get_run(run_id)

        store.log_metrics(run_id, [point("loss", 1, 0.5)])
        store.log_config(run_id, {"late": True})
        store.log_artifact(run_id, path)
        store.heartbeat(run_id, lease_s=0.001)

        after = store.get_run(run_id)
        assert (after.status, after.end_time, after.attempt) == (before.status, before.end_time, before.attempt)
        assert (points_of(store, run_id, "loss"), store.get_config(run_id)) == ([(1, 0.5)], {"late": True})
        assert [record.name for record in store.list_artifacts(run_id)] == ["late.bin"]

    @clause("FIN.6")
    def test_a_run_whose_lease_ran_out_is_lost_and_alive_again_when_it_comes_back(self, bench: Bench) -> None:
        store, reader = bench.open(), bench.open()
        run_id = new_run(store)
        experiment_id = store.get_run(run_id).experiment_id

        store.heartbeat(run_id, lease_s=0.05)
        until(reader, run_id, RunStatus.LOST)
        lost = [run.id for run in reader.search_runs("status = 'lost'", experiment_id=experiment_id).items]
        alive = [run.id for run in reader.search_runs("status = 'in_progress'", experiment_id=experiment_id).items]
        store.heartbeat(run_id, lease_s=3600.0)

        run = reader.get_run(run_id)
        assert (lost, alive) == ([run_id], [])
        assert (run.status, run.lease_s, run.end_time, run.attempt) == (RunStatus.IN_PROGRESS, 3600.0, None, 1)
        assert reader.search_runs("status = 'lost'", experiment_id=experiment_id).items == ()

    @clause("FIN.6")
    def test_writing_is_a_sign_of_life(self, store: Store) -> None:
        run_id = new_run(store)
        store.heartbeat(run_id, lease_s=0.3)
        before = store.get_run(run_id).heartbeat_at
        until(store, run_id, RunStatus.LOST)

        store.log_metrics(run_id, [point("loss", 1, 0.5)])

        run = store.get_run(run_id)
        assert run.heartbeat_at > before
        assert run.heartbeat_at - before >= timedelta(seconds=0.3)

    @clause("FIN.6")
    def test_a_lost_run_may_still_end_and_a_finished_one_is_never_lost(self, store: Store) -> None:
        run_id, finished = new_run(store), new_run(store)
        for each in (run_id, finished):
            store.heartbeat(each, lease_s=0.05)
        store.finalize(finished, "completed")
        until(store, run_id, RunStatus.LOST)

        store.finalize(run_id, "interrupted")

        assert store.get_run(run_id).status == RunStatus.INTERRUPTED
        assert store.get_run(finished).status == RunStatus.COMPLETED

    @clause("FIN.6")
    def test_a_lost_run_that_is_ensured_again_with_resume_keeps_its_attempt(self, store: Store) -> None:
        run_id = new_run(store)
        store.heartbeat(run_id, lease_s=0.05)
        until(store, run_id, RunStatus.LOST)

        store.ensure_run(run_id=run_id, resume=True)

        assert store.get_run(run_id).attempt == 1

    @clause("FIN.6")
    def test_a_resumed_run_is_alive(self, store: Store) -> None:
        run_id = new_run(store)
        store.heartbeat(run_id, lease_s=3600.0)
        store.finalize(run_id, "interrupted")
        before = store.get_run(run_id).heartbeat_at

        store.ensure_run(run_id=run_id, resume=True)

        run = store.get_run(run_id)
        assert (run.status, run.heartbeat_at >= before) == (RunStatus.IN_PROGRESS, True)

    @clause("FIN.6")
    @pytest.mark.parametrize("lease_s", [0, -1.0, float("nan"), float("inf"), True, "60"], ids=repr)
    def test_a_lease_that_is_no_positive_number_is_refused(self, store: Store, lease_s: Any) -> None:
        run_id = new_run(store)

        with pytest.raises(InvalidValueError, match="lease_s"):
            store.heartbeat(run_id, lease_s=lease_s)

        assert store.get_run(run_id).status == RunStatus.IN_PROGRESS

    @clause("FIN.4")
    def test_an_error_that_is_no_exception_is_refused_and_the_run_goes_on(self, store: Store) -> None:
        run_id = new_run(store)

        with pytest.raises(RunStoreError, match="error"):
            store.finalize(run_id, "failed", error="boom")  # type: ignore[arg-type]

        assert store.get_run(run_id).status == RunStatus.IN_PROGRESS

    @clause("FIN.7")
    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (ValueError("loss is NaN"), RunStatus.FAILED),
            (KeyboardInterrupt(), RunStatus.INTERRUPTED),
            (SystemExit(143), RunStatus.INTERRUPTED),
            (SystemExit(1), RunStatus.FAILED),
        ],
        ids=repr,
    )
    def test_what_leaves_a_block_ends_the_runs_that_were_begun_in_it(
        self, bench: Bench, error: BaseException, status: RunStatus
    ) -> None:
        run_ids = []

        def work(store: Store) -> None:
            run_ids.extend([new_run(store), new_run(store, run_id=unique("run"))])

        with pytest.raises(type(error)):
            leave(bench.open(), work, error)

        for run in [bench.open().get_run(run_id) for run_id in run_ids]:
            assert (run.status, run.end_time is not None) == (status, True)
            assert run.failure is not None
            assert (run.failure.type, run.failure.message) == (type(error).__name__, str(error))
            assert "in leave\n" in run.failure.traceback

    @clause("FIN.7")
    def test_what_leaves_a_block_ends_a_run_that_was_resumed_in_it_and_none_that_was_found(self, bench: Bench) -> None:
        other = bench.open()
        resumed, found = new_run(other), new_run(other)
        other.finalize(resumed, "interrupted")

        def work(store: Store) -> None:
            store.ensure_run(run_id=resumed, resume=True)
            store.ensure_run(run_id=found)
            store.log_metrics(found, [point("loss", 1, 0.5)])

        with pytest.raises(ZeroDivisionError):
            leave(bench.open(), work, ZeroDivisionError())

        assert other.get_run(resumed).status == RunStatus.FAILED
        assert other.get_run(found).status == RunStatus.IN_PROGRESS

    @clause("FIN.7")
    def test_what_leaves_a_block_changes_no_end_that_a_run_has(self, bench: Bench) -> None:
        ended = []

        def work(store: Store) -> None:
            ended.extend([new_run(store), new_run(store)])
            store.finalize(ended[0], "completed")
            bench.open().finalize(ended[1], "completed")

        with pytest.raises(KeyboardInterrupt):
            leave(bench.open(), work, KeyboardInterrupt())

        for run_id in ended:
            run = bench.open().get_run(run_id)
            assert (run.status, run.failure) == (RunStatus.COMPLETED, None)

    @clause("FIN.7")
    def test_a_run_that_was_left_well_and_not_ended_is_soon_shown_as_lost(self, bench: Bench) -> None:
        with bench.open() as store:
            run_id = new_run(store)

        run = bench.open().get_run(run_id)
        assert (run.status, run.end_time) == (RunStatus.IN_PROGRESS, None)
        assert run.lease_s <= HANDED_BACK_S


def leave(store: Store, work: Callable[[Store], None], error: BaseException) -> None:
    """Leaves the store's block by an error, after some work."""
    with store:
        work(store)
        raise error


def until(store: Store, run_id: str, status: RunStatus) -> None:
    """Waits for a reader to see this status."""
    deadline = time.monotonic() + LOST_WITHIN_S
    while (found := store.get_run(run_id).status) != status:
        assert time.monotonic() < deadline, f"the run is still {found} after {LOST_WITHIN_S} s, not {status}"
        time.sleep(0.02)
