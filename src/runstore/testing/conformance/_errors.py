"""ERR: errors that say what to do, and survive the way home from another process."""

import pickle
from collections.abc import Callable

import pytest

from runstore import errors
from runstore.backend import Store
from runstore.errors import RunStoreError
from runstore.testing.bench import Bench, new_experiment, new_run, point, unique
from runstore.testing.conformance._base import ConformanceBase, clause


class ErrorClauses(ConformanceBase):
    """ERR.1 and ERR.2."""

    @clause("ERR.1")
    def test_every_error_is_of_the_tree_has_a_code_and_survives_pickling(self, store: Store) -> None:
        for error in _errors(store):
            again = pickle.loads(pickle.dumps(error))  # noqa: S301 - just made
            assert type(error) is getattr(errors, type(error).__name__)
            assert error.code != RunStoreError.code
            assert (type(again), str(again)) == (type(error), str(error))

    @clause("ERR.2")
    def test_every_message_names_what_was_asked(self, store: Store) -> None:
        for error in _errors(store):
            assert len(str(error).split()) >= 4, f"says too little: {error!r}"
            assert "\n" not in str(error)

    @clause("ERR.1", "MET.2")
    def test_no_error_of_the_driver_reaches_a_caller_of_a_store_of_another_kind(self, bench: Bench) -> None:
        store = bench.open()
        experiment_id = new_experiment(store)

        for call in (
            lambda: store.ensure_run(experiment_id, parent_run_id=unique()),
            lambda: store.log_metrics(unique(), [point("x", 1, 1.0)]),
            lambda: store.get_experiment("'; DROP TABLE experiments; --"),
            lambda: store.get_run("{'$gt': ''}"),
            lambda: store.search_runs(order_by=["1; --"]),
        ):
            with pytest.raises(RunStoreError):
                call()


def _errors(store: Store) -> list[RunStoreError]:
    run_id = new_run(store)
    store.finalize(run_id, "completed")
    calls: list[Callable[[], object]] = [
        lambda: store.get_or_create_experiment(""),
        store.ensure_run,
        lambda: store.ensure_run(unique()),
        lambda: store.ensure_run(new_experiment(store), run_id=run_id),
        lambda: store.log_metrics(run_id, [point("x", -1, 1.0)]),
        lambda: store.log_metrics(unique(), [point("x", 1, 1.0)]),
        lambda: store.log_config(run_id, {"f": object()}),
        lambda: store.log_artifact(run_id, "/no/such/file"),
        lambda: store.open_artifact(run_id, "absent"),
        lambda: store.finalize(run_id, "failed"),
        lambda: store.finalize(run_id, "lost"),
        lambda: store.get_experiment(unique()),
        lambda: store.get_run(unique()),
        lambda: store.search_runs("nonsense"),
        lambda: store.search_runs(cursor="nonsense"),
    ]
    caught = []
    for call in calls:
        with pytest.raises(RunStoreError) as info:
            call()
        caught.append(info.value)
    return caught
