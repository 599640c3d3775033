"""OPEN: opening, closing and carrying a store."""

import io
import logging
import pickle
import traceback
from urllib.parse import urlsplit

import pytest

from runstore.backend import Store
from runstore.errors import (
    ForeignSchemaError,
    RunStoreError,
    SchemaTooNewError,
    StoreClosedError,
    StoreFailureError,
)
from runstore.testing import children
from runstore.testing.bench import Bench, at_once, new_run, point, points_of, state_of, unique
from runstore.testing.conformance._base import ConformanceBase, clause

PASSWORD = "hunter2-s3cr3t-Pa55"  # noqa: S105 - the secret that must not be seen


class OpeningClauses(ConformanceBase):
    """OPEN.1 to OPEN.8."""

    @clause("OPEN.1")
    def test_an_empty_database_can_be_used_at_once(self, bench: Bench) -> None:
        store = bench.fresh().open()

        run_id = new_run(store)
        store.log_metrics(run_id, [point("loss", 1, 0.5)])

        assert [run.id for run in store.search_runs().items] == [run_id]
        assert points_of(store, run_id, "loss") == [(1, 0.5)]

    @clause("OPEN.1")
    def test_opening_again_changes_nothing(self, bench: Bench) -> None:
        empty = bench.fresh()
        with empty.open() as store:
            run_id = new_run(store)
            store.log_metrics(run_id, [point("loss", 1, 0.5)])
            before = state_of(store, run_id)
        shape = empty.harness.fingerprint()

        for _ in range(3):
            empty.open().close()

        assert empty.harness.fingerprint() == shape
        assert state_of(empty.open(), run_id) == before

    @clause("OPEN.1")
    def test_what_was_written_is_there_after_reopening(self, bench: Bench) -> None:
        with bench.open() as store:
            run_id = new_run(store, name="kept")
            store.log_config(run_id, {"lr": 0.1})
            before = state_of(store, run_id)

        assert state_of(bench.open(), run_id) == before

    @clause("OPEN.2")
    def test_eight_threads_that_open_an_empty_database_at_once_all_succeed(self, bench: Bench) -> None:
        empty = bench.fresh()

        ids = at_once(lambda _: new_run(empty.open()), 8)

        assert {run.id for run in empty.open().search_runs().items} == set(ids)

    @clause("OPEN.2", "EXP.2", "RUN.9")
    def test_eight_processes_racing_to_open_an_empty_database_and_make_one_run_all_succeed(self, bench: Bench) -> None:
        empty, name, run_id = bench.fresh(), unique(), unique("run")

        ids = empty.children(children.ensure_run, [(name, run_id)] * 8)

        store = empty.open()
        assert ids == [run_id] * 8
        assert [run.id for run in store.search_runs().items] == [run_id]
        assert [each.name for each in store.list_experiments().items] == [name]

    @clause("OPEN.3")
    def test_an_additive_change_of_a_newer_release_is_no_hindrance(self, bench: Bench) -> None:
        empty = bench.fresh()
        with empty.open() as store:
            run_id = new_run(store)

        empty.harness.mark_newer(readable=True)

        store = empty.open()
        store.log_metrics(run_id, [point("loss", 1, 0.5)])
        store.finalize(run_id, "completed")
        assert points_of(store, run_id, "loss") == [(1, 0.5)]
        assert new_run(store)

    @clause("OPEN.3")
    def test_a_schema_that_cannot_be_read_is_refused_with_both_versions_and_untouched(self, bench: Bench) -> None:
        empty = bench.fresh()
        with empty.open() as store:
            new_run(store)
        empty.harness.mark_newer(readable=False)
        before = empty.harness.fingerprint()

        with pytest.raises(SchemaTooNewError) as caught:
            empty.open()

        message = str(caught.value)
        assert "pip install" in message or "runstore " in message, f"no command to run in {message!r}"
        assert len(set(_numbers(message))) >= 2, f"not both versions in {message!r}"
        assert empty.harness.fingerprint() == before

    @clause("OPEN.4")
    def test_a_database_that_is_not_ours_is_refused_and_untouched(self, bench: Bench) -> None:
        empty = bench.fresh()
        empty.harness.plant_foreign_schema()
        before = empty.harness.fingerprint()

        with pytest.raises(ForeignSchemaError):
            empty.open()

        assert empty.harness.fingerprint() == before

    @clause("OPEN.5")
    def test_a_store_survives_pickling(self, bench: Bench) -> None:
        bench.harness.recipe()
        store = bench.open()
        run_id = new_run(store)

        with pickle.loads(pickle.dumps(store)) as carried:  # noqa: S301 - just made
            carried.log_metrics(run_id, [point("loss", 1, 0.5)])

        assert points_of(store, run_id, "loss") == [(1, 0.5)]

    @clause("OPEN.5")
    def test_a_spawned_child_uses_the_store_that_was_pickled_for_it(self, bench: Bench) -> None:
        bench.harness.recipe()
        store = bench.open()
        run_id = new_run(store)

        bench.child(children.use_unpickled, pickle.dumps(store), run_id).result()

        assert points_of(store, run_id, "spawned", "train") == [(0, 1.0)]

    @clause("OPEN.5")
    def test_a_forked_child_and_its_parent_use_the_store_side_by_side(self, bench: Bench) -> None:
        store = bench.open()
        run_id = new_run(store)

        status = bench.child(children.use_after_fork, run_id).result()

        assert status == 0
        assert points_of(store, run_id, "forked", "train") == [(step, 2.0) for step in range(20)]
        assert points_of(store, run_id, "parent", "train") == [(step, 3.0) for step in range(20)]

    @clause("OPEN.5", "DUR.1")
    def test_a_forked_child_loses_nothing_when_its_parent_closes(self, bench: Bench) -> None:
        store = bench.open()
        run_id = new_run(store)
        store.close()

        status = bench.child(children.close_before_a_forked_child, run_id).result()

        reopened = bench.open()
        assert status == 0
        assert points_of(reopened, run_id, "before", "train") == [(0, 1.0)]
        assert points_of(reopened, run_id, "forked", "train") == [(step, 2.0) for step in range(20)]

    @clause("OPEN.6")
    @pytest.mark.parametrize("odd", ["", "'", "<>", "@/ ?#"])
    def test_a_password_is_in_no_error_log_line_or_repr(self, bench: Bench, odd: str) -> None:
        password = f"{PASSWORD}{odd}{PASSWORD}"
        log = io.StringIO()
        handler = logging.StreamHandler(log)
        logging.getLogger().addHandler(handler)
        level = logging.getLogger().level
        logging.getLogger().setLevel(logging.DEBUG)

        try:
            with pytest.raises(RunStoreError) as caught:
                bench.harness.open_with_password(password)
        finally:
            logging.getLogger().removeHandler(handler)
            logging.getLogger().setLevel(level)

        shown = "".join(traceback.format_exception(caught.value))
        assert PASSWORD not in shown  # half of it is too much, escaped or not
        assert PASSWORD not in log.getvalue()
        assert PASSWORD not in "".join(repr(each) for each in _chain(caught.value))

    @clause("OPEN.6")
    def test_the_repr_of_a_store_shows_no_password_of_its_url(self, bench: Bench) -> None:
        store = bench.open()

        password = urlsplit(bench.harness.url or "").password

        assert repr(store)
        assert not password or password not in repr(store)

    @clause("OPEN.8", "ERR.3")
    def test_a_server_that_turns_us_away_is_a_failure_and_no_outage(self, bench: Bench) -> None:
        bench.open().close()

        with pytest.raises(StoreFailureError):
            bench.harness.open_refused()

    @clause("OPEN.7")
    def test_a_closed_handle_refuses_every_call_and_leaves_others_alone(self, bench: Bench) -> None:
        store, other = bench.open(), bench.open()
        run_id = new_run(store)

        store.close()
        store.close()

        for call in (
            lambda: store.get_or_create_experiment("x"),
            lambda: store.ensure_run(run_id=run_id),
            lambda: store.log_metrics(run_id, [point("loss", 1, 0.5)]),
            lambda: store.log_config(run_id, {"lr": 0.1}),
            lambda: store.finalize(run_id, "completed"),
            lambda: store.heartbeat(run_id, lease_s=1.0),
            lambda: store.get_run(run_id),
            store.search_runs,
            lambda: store.get_history(run_id, "loss", "train"),
        ):
            with pytest.raises(StoreClosedError):
                call()
        other.log_metrics(run_id, [point("loss", 2, 0.5)])
        assert points_of(other, run_id, "loss") == [(2, 0.5)]

    @clause("OPEN.7")
    def test_a_store_is_a_context_manager_that_closes_itself(self, bench: Bench) -> None:
        with bench.open() as store:
            run_id = new_run(store)

        with pytest.raises(StoreClosedError):
            store.get_run(run_id)

    @clause("OPEN.7")
    def test_a_handle_is_a_store_and_a_reader(self, bench: Bench) -> None:
        with bench.harness.open() as store:
            assert isinstance(store, Store)


def _chain(error: BaseException | None) -> list[BaseException]:
    """The error and all errors behind it, those that a traceback leaves out as well."""
    if error is None:
        return []
    behind = [error.__cause__] if error.__cause__ is error.__context__ else [error.__cause__, error.__context__]
    return [error, *(each for one in behind for each in _chain(one))]


def _numbers(message: str) -> list[str]:
    return [word for word in "".join(each if each.isalnum() else " " for each in message).split() if word[0].isdigit()]
