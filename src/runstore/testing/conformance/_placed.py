"""MOVE: a run that was made elsewhere is placed with all that is known of it."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runstore.backend import PlacedRun, Store
from runstore.errors import ConflictError, ExperimentNotFoundError, RunDeletedError, RunNotFoundError
from runstore.model import Run, RunFailure, RunStatus
from runstore.testing.bench import Bench, at_once, new_experiment, new_run, point, points_of, state_of, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.conformance._deletions import purge

START = datetime(2019, 3, 9, 23, 59, 59, 999_999, tzinfo=UTC)


def made_elsewhere(experiment_id: str, **facts: Any) -> Run:
    """A run with every fact that a run can have."""
    given: dict[str, Any] = {
        "id": unique("brought"),
        "experiment_id": experiment_id,
        "name": "nnU-Net ☃ fold 3",
        "status": RunStatus.FAILED,
        "training_mode": "federated",
        "parent_run_id": None,
        "client_id": "site/7",
        "attempt": 4,
        "start_time": START,
        "end_time": START + timedelta(days=1, microseconds=1),
        "heartbeat_at": START + timedelta(days=1, seconds=5),
        "lease_s": 0.1 + 0.2,
        "source_path": "/scans/ct, 2019",
        "tags": {"$x": "1", "a.b": "'quoted'", "long": "z" * 5_000},
        "provenance": {"git": {"commit": "abc", "is_dirty": True}, "one": 1, "real": 1.0, "odd": [math.inf, None]},
        "failure": RunFailure(type="cuda.Error", message="out of memory\nat 3 GB", traceback="Traceback …"),
        "note": "it did\n\tnot converge",
        "archived_at": START + timedelta(days=30),
    }
    return Run(**(given | facts))


def place(store: Store, run: Run) -> None:
    """Places a run; behind a recorder, too, it is the backend that does."""
    store.source().place_run(PlacedRun.checked(run))


class PlacedClauses(ConformanceBase):
    """MOVE."""

    @clause("MOVE.1")
    def test_a_placed_run_has_every_fact_that_it_had(self, bench: Bench) -> None:
        store, reader = bench.open(), bench.open()
        experiment_id, parent = new_experiment(store), new_run(store)
        run = made_elsewhere(experiment_id, parent_run_id=parent)

        place(store, run)

        assert repr(reader.get_run(run.id)) == repr(run)  # by its text: 1 equals 1.0
        assert (reader.get_config(run.id), reader.get_summaries(run.id), reader.list_artifacts(run.id)) == ({}, (), ())

    @clause("MOVE.1")
    @pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.INTERRUPTED])
    def test_a_placed_run_has_no_more_facts_than_it_had(self, store: Store, status: RunStatus) -> None:
        bare = dict.fromkeys(("name", "client_id", "source_path", "failure", "note", "archived_at"))
        run = made_elsewhere(new_experiment(store), status=status, attempt=1, tags={}, provenance={}, **bare)

        place(store, run)

        assert store.get_run(run.id) == run

    @clause("MOVE.1")
    def test_searches_find_a_placed_run_by_its_facts(self, store: Store) -> None:
        experiment_id, parent = new_experiment(store), new_run(store)
        shown = made_elsewhere(experiment_id, parent_run_id=parent, archived_at=None)
        archived = made_elsewhere(experiment_id, parent_run_id=parent, name="other", tags={})
        for run in (shown, archived):
            place(store, run)

        for asked in (
            "status = 'failed' and attempt = 4",
            """tag."a.b" = '''quoted'''""",
            "name = 'nnU-Net ☃ fold 3' and duration > 86400",
            "client_id = 'site/7' and tag.long like 'z%'",
        ):
            assert [run.id for run in store.search_runs(asked, experiment_id=experiment_id)] == [shown.id], asked
        assert [run.id for run in store.search_runs("archived = true", experiment_id=experiment_id)] == [archived.id]
        assert [run.id for run in store.list_children(parent)] == [shown.id]

    @clause("MOVE.2")
    def test_placed_again_a_run_is_as_it_was_placed_last_and_keeps_what_it_has_logged(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        first = made_elsewhere(experiment_id)
        place(store, first)
        store.log_metrics(first.id, [point("loss", step, 1.0 / (step + 1)) for step in range(5)])
        store.log_config(first.id, {"lr": 0.1})
        store.set_tags(first.id, {"new": "tag"})
        before = state_of(store, first.id)
        last = made_elsewhere(
            experiment_id, id=first.id, name="again", note=None, tags={"$x": "2"}, provenance={"a": 1}
        )

        place(store, last)

        assert state_of(store, first.id) == {**before, "run": state_of_run(last)}
        assert [run.id for run in store.search_runs("archived = true and tag.\"$x\" = '2'")] == [first.id]
        assert [
            run.id for run in store.search_runs("archived = true and tag.new = 'tag'", experiment_id=experiment_id)
        ] == []
        place(store, last)
        assert state_of(store, first.id) == {**before, "run": state_of_run(last)}

    @clause("MOVE.2")
    def test_a_run_that_went_on_is_placed_as_ended_and_its_results_are_found(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        ended = made_elsewhere(experiment_id, archived_at=None)
        now = datetime.now(UTC).replace(microsecond=0)
        goes_on = made_elsewhere(
            experiment_id,
            id=ended.id,
            status=RunStatus.IN_PROGRESS,
            end_time=None,
            failure=None,
            archived_at=None,
            heartbeat_at=now,
            lease_s=86_400.0,
        )
        place(store, goes_on)
        assert store.get_run(ended.id) == goes_on

        store.log_metrics(ended.id, [point("loss", 0, 0.5)])
        place(store, ended)
        store.log_metrics(ended.id, [point("loss", 1, 0.25)])
        place(store, ended)

        asked = "metric.validation.loss.min = 0.25 and status = 'failed'"
        assert [run.id for run in store.search_runs(asked, experiment_id=experiment_id)] == [ended.id]
        assert store.get_run(ended.id) == ended
        assert points_of(store, ended.id, "loss") == [(0, 0.5), (1, 0.25)]

    @clause("MOVE.2")
    def test_a_run_that_is_placed_by_several_at_once_is_placed_once(self, bench: Bench) -> None:
        stores = [bench.open() for _ in range(4)]
        experiment_id = new_experiment(stores[0])
        run = made_elsewhere(experiment_id, archived_at=None)

        at_once(lambda index: place(stores[index], run), len(stores))

        assert repr(stores[0].get_run(run.id)) == repr(run)
        assert [each.id for each in stores[0].search_runs("tag.\"$x\" = '1'", experiment_id=experiment_id)] == [run.id]

    @clause("MOVE.3")
    def test_a_placed_run_takes_what_is_logged_beats_ends_and_is_resumed(self, store: Store) -> None:
        run = made_elsewhere(new_experiment(store), archived_at=None)
        place(store, run)

        store.log_metrics(run.id, [point("loss", 7, 0.5)])
        assert store.get_run(run.id) == run  # as of any run that has ended

        store.ensure_run(run_id=run.id, resume=True)
        resumed = store.get_run(run.id)
        assert (resumed.status, resumed.attempt, resumed.end_time) == (RunStatus.IN_PROGRESS, run.attempt + 1, None)
        assert resumed.heartbeat_at > run.heartbeat_at
        store.heartbeat(run.id, lease_s=100.0)
        store.finalize(run.id, "completed")
        assert store.get_run(run.id).status is RunStatus.COMPLETED

    @clause("MOVE.3")
    def test_a_placed_run_whose_lease_has_run_out_is_lost_until_it_is_heard_of(self, store: Store) -> None:
        run = made_elsewhere(
            new_experiment(store), status=RunStatus.IN_PROGRESS, end_time=None, failure=None, archived_at=None
        )
        place(store, run)

        found = store.get_run(run.id)
        assert (found.status, found.heartbeat_at, found.lease_s) == (RunStatus.LOST, run.heartbeat_at, run.lease_s)
        store.heartbeat(run.id, lease_s=3600.0)
        assert store.get_run(run.id).status is RunStatus.IN_PROGRESS

    @clause("MOVE.4")
    @pytest.mark.parametrize("is_purged", [False, True])
    def test_a_run_that_was_deleted_is_not_placed(self, store: Store, *, is_purged: bool) -> None:
        run = made_elsewhere(new_experiment(store))
        place(store, run)
        store.delete_run(run.id)
        if is_purged:
            purge(store)

        with pytest.raises(RunDeletedError, match=run.id):
            place(store, run)

        with pytest.raises(RunDeletedError):
            store.get_run(run.id)

    @clause("MOVE.4")
    def test_a_run_that_is_there_as_another_one_stays_as_it_is(self, store: Store) -> None:
        other = new_experiment(store)
        run = made_elsewhere(new_experiment(store))
        place(store, run)

        with pytest.raises(ConflictError, match=other):
            place(store, made_elsewhere(other, id=run.id, note="of another experiment"))
        with pytest.raises(ConflictError, match="attempt 4"):
            place(store, made_elsewhere(run.experiment_id, id=run.id, attempt=3, note="older"))

        assert repr(store.get_run(run.id)) == repr(run)

    @clause("MOVE.5")
    def test_an_unknown_experiment_and_an_unknown_parent_are_told_and_nothing_is_written(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        without_experiment = made_elsewhere(unique("nowhere"))
        without_parent = made_elsewhere(experiment_id, parent_run_id=unique("nobody"))

        with pytest.raises(ExperimentNotFoundError, match=without_experiment.experiment_id):
            place(store, without_experiment)
        with pytest.raises(RunNotFoundError, match="parent run"):
            place(store, without_parent)

        for run in (without_experiment, without_parent):
            with pytest.raises(RunNotFoundError, match=run.id):
                store.get_run(run.id)

    @clause("MOVE.5")
    def test_a_deleted_experiment_is_shown_again_and_a_deleted_parent_is_a_parent(self, store: Store) -> None:
        name = unique("experiment")
        experiment_id = store.get_or_create_experiment(name)
        parent = new_run(store, experiment_id=experiment_id)
        store.delete_experiment(experiment_id)
        run = made_elsewhere(experiment_id, parent_run_id=parent, archived_at=None)

        place(store, run)

        assert store.find_experiment(name) is not None
        assert [each.id for each in store.search_runs(experiment_id=experiment_id)] == [run.id]
        assert store.get_run(run.id).parent_run_id == parent


def state_of_run(run: Run) -> dict[str, Any]:
    """A run as :func:`runstore.testing.bench.state_of` has it."""
    return {name: getattr(run, name) for name in run.__struct_fields__ if name not in {"heartbeat_at", "lease_s"}}
