"""CHG: runs and experiments are deleted, restored, and gone in the end."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from runstore.backend import Store
from runstore.errors import ExperimentNotFoundError, RunDeletedError, RunNotFoundError
from runstore.model import Garbage, RunStatus
from runstore.testing.bench import Bench, at_once, new_run, point, points_of, state_of, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.conformance._changes import CHANGES, full_run, ids_of

MEETINGS: Final = 8
"""Times that verbs which may undo each other meet."""

WRITES: Final[Mapping[str, Callable[[Store, str, Path], object]]] = {
    "log_metrics": lambda store, run_id, _: store.log_metrics(run_id, [point("late", 1, 0.25)]),
    "log_config": lambda store, run_id, _: store.log_config(run_id, {"late": True}),
    "log_artifact": lambda store, run_id, path: store.log_artifact(run_id, path),
    "log_artifact by reference": lambda store, run_id, path: store.log_artifact(run_id, path, name="at", copy=False),
    "finalize": lambda store, run_id, _: store.finalize(run_id, "completed"),
    "heartbeat": lambda store, run_id, _: store.heartbeat(run_id, lease_s=60.0),
}


class DeletionClauses(ConformanceBase):
    """CHG.5, CHG.6 and CHG.8."""

    @clause("CHG.5")
    @pytest.mark.parametrize("status", ["in_progress", "completed"])
    def test_every_read_hides_a_deleted_run_and_restoring_shows_all_of_it(self, bench: Bench, status: str) -> None:
        store, reader = bench.open(), bench.open()
        run_id = full_run(store, status=status)
        experiment_id, before = store.get_run(run_id).experiment_id, state_of(store, run_id)

        store.delete_run(run_id)
        check_hidden(reader, run_id, experiment_id)
        store.delete_run(run_id)
        check_hidden(reader, run_id, experiment_id)
        store.restore_run(run_id)
        store.restore_run(run_id)

        assert state_of(reader, run_id) == before
        assert ids_of(reader, experiment_id) == {run_id}

    @clause("CHG.5")
    def test_beginning_a_deleted_run_is_refused_and_does_not_bring_it_back(self, bench: Bench) -> None:
        store, other = bench.open(), bench.open()
        run_id = full_run(store, status="completed")
        experiment_id, before = store.get_run(run_id).experiment_id, state_of(store, run_id)
        other.delete_run(run_id)

        for resume in (False, True):
            with pytest.raises(RunDeletedError, match=run_id):
                store.ensure_run(run_id=run_id, resume=resume)
            with pytest.raises(RunDeletedError, match=run_id):
                other.ensure_run(experiment_id, run_id=run_id, resume=resume)

        check_hidden(store, run_id, experiment_id)
        store.restore_run(run_id)
        assert state_of(other, run_id) == before

    @clause("CHG.5")
    @pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
    def test_a_deleted_run_takes_no_other_change(self, store: Store, change: Callable[[Store, str], None]) -> None:
        run_id = full_run(store)
        before = state_of(store, run_id)
        store.delete_run(run_id)

        with pytest.raises(RunDeletedError, match=run_id):
            change(store, run_id)

        store.restore_run(run_id)
        assert state_of(store, run_id) == before

    @clause("CHG.5", "FIN.5")
    def test_what_a_deleted_run_is_sent_is_kept_and_shown_once_it_is_restored(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        store, reader = bench.open(), bench.open()
        run_id, path = full_run(store), tmp_path / "late.bin"
        path.write_bytes(b"late")
        experiment_id = store.get_run(run_id).experiment_id
        reader.delete_run(run_id)

        for write in WRITES.values():
            write(store, run_id, path)
        store.log_metrics(run_id, [point("loss", 2, -1.0), point("loss", 9, 9.0)])
        check_hidden(reader, run_id, experiment_id)
        store.restore_run(run_id)

        run = reader.get_run(run_id)
        assert (run.status, run.end_time is not None) == (RunStatus.COMPLETED, True)
        assert points_of(reader, run_id, "late") == [(1, 0.25)]
        assert points_of(reader, run_id, "loss") == [(0, 0.0), (1, 0.5), (2, -1.0), (3, 1.5), (4, 2.0), (9, 9.0)]
        assert reader.get_config(run_id) == {"lr": 0.1, "model": {"depth": 18}, "late": True}
        assert [record.name for record in reader.list_artifacts(run_id)] == ["at", "late.bin"]
        with reader.open_artifact(run_id, "late.bin") as stream:
            assert stream.read() == b"late"

    @clause("CHG.5")
    def test_children_of_a_deleted_run_stay_and_it_takes_new_ones(self, store: Store) -> None:
        parent = new_run(store)
        experiment_id = store.get_run(parent).experiment_id
        child = store.ensure_run(experiment_id, parent_run_id=parent)

        store.delete_run(parent)
        new = store.ensure_run(experiment_id, parent_run_id=parent)
        store.log_metrics(new, [point("loss", 1, 0.5)])

        assert store.get_run(child).parent_run_id == store.get_run(new).parent_run_id == parent
        assert ids_of(store, experiment_id) == ids_of(store, experiment_id, f"parent = '{parent}'") == {child, new}
        with pytest.raises(RunDeletedError, match=parent):
            store.list_children(parent)
        store.restore_run(parent)
        assert {run.id for run in store.list_children(parent).items} == {child, new}

    @clause("CHG.5")
    def test_a_deleted_child_is_no_child_until_it_is_restored(self, store: Store) -> None:
        parent = new_run(store)
        experiment_id = store.get_run(parent).experiment_id
        children = [store.ensure_run(experiment_id, parent_run_id=parent) for _ in range(3)]

        store.delete_run(children[1])
        found = [run.id for run in store.list_children(parent).items]
        store.restore_run(children[1])

        assert found == [children[0], children[2]]
        assert [run.id for run in store.list_children(parent).items] == children

    @clause("CHG.5", "CHG.4")
    def test_a_restored_run_is_archived_if_it_was(self, store: Store) -> None:
        run_id = new_run(store)
        store.archive_run(run_id)
        before = state_of(store, run_id)

        store.delete_run(run_id)
        store.restore_run(run_id)

        assert state_of(store, run_id) == before

    @clause("CHG.6")
    @pytest.mark.parametrize("status", ["in_progress", "failed"])
    def test_of_a_purged_run_nothing_is_left_but_its_id(self, bench: Bench, tmp_path: Path, status: str) -> None:
        store, other = bench.open(), bench.open()
        run_id, path = full_run(store, status=status), tmp_path / "late.bin"
        path.write_bytes(b"late")
        experiment_id = store.get_run(run_id).experiment_id
        child = store.ensure_run(experiment_id, parent_run_id=run_id)
        store.delete_run(run_id)

        purge(other)

        for resume in (False, True):
            with pytest.raises(RunDeletedError, match=run_id):
                store.ensure_run(experiment_id, run_id=run_id, resume=resume)
        for write in WRITES.values():
            with pytest.raises(RunDeletedError, match=run_id):
                write(other, run_id, path)
        for change in CHANGES.values():
            with pytest.raises(RunDeletedError, match=run_id):
                change(other, run_id)
        with pytest.raises(RunDeletedError, match=run_id):
            other.restore_run(run_id)
        other.delete_run(run_id)
        new = store.ensure_run(experiment_id, parent_run_id=run_id)
        check_hidden(other, run_id, experiment_id)
        assert other.get_run(child).parent_run_id == other.get_run(new).parent_run_id == run_id
        assert ids_of(other, experiment_id, f"parent = '{run_id}'") == {child, new}

    @clause("CHG.6")
    def test_purging_leaves_every_other_run_as_it_was(self, bench: Bench) -> None:
        store = bench.open()
        gone, deleted_later = full_run(store), full_run(store)
        kept = full_run(store, experiment_id=store.get_run(gone).experiment_id)
        before, later = state_of(store, kept), state_of(store, deleted_later)

        store.delete_run(gone)
        moment = datetime.now(UTC)
        store.delete_run(deleted_later)
        store.collect_garbage(deleted_before=moment, dry_run=False)

        assert state_of(store, kept) == before
        with pytest.raises(RunDeletedError):
            store.restore_run(gone)
        store.restore_run(deleted_later)
        assert state_of(store, deleted_later) == later

    @clause("CHG.6")
    def test_a_run_that_is_restored_while_it_is_purged_is_whole_or_gone(self, bench: Bench) -> None:
        stores = [bench.open(), bench.open()]

        for _ in range(4):
            run_id = full_run(stores[0], status="completed")
            before = state_of(stores[0], run_id)
            stores[0].delete_run(run_id)

            def work(index: int, run_id: str = run_id) -> bool:
                if index:
                    purge(stores[1])
                    return True
                try:
                    stores[0].restore_run(run_id)
                except RunDeletedError:
                    return False
                return True

            is_restored, _ = at_once(work, 2)

            if is_restored:
                assert state_of(stores[1], run_id) == before
            else:
                with pytest.raises(RunNotFoundError):
                    stores[1].get_run(run_id)

    @clause("CHG.8")
    def test_deleting_an_experiment_deletes_its_runs_and_hides_it(self, bench: Bench) -> None:
        store, reader, name = bench.open(), bench.open(), unique()
        experiment_id = store.get_or_create_experiment(name)
        ids = [full_run(store, experiment_id=experiment_id) for _ in range(3)]
        other = full_run(store)
        store.archive_run(ids[0])
        before = state_of(store, other)

        store.delete_experiment(experiment_id)
        store.delete_experiment(experiment_id)

        for run_id in ids:
            check_hidden(reader, run_id, experiment_id)
        check_no_experiment(reader, experiment_id, name)
        with pytest.raises(ExperimentNotFoundError):
            store.describe_experiment(experiment_id, "x")
        assert ids_of(reader, experiment_id, "archived = true") == set()
        assert state_of(reader, other) == before

    @clause("CHG.8")
    @pytest.mark.parametrize("way", ["it is made", "a run begins in it", "a run of it is restored"])
    def test_a_deleted_experiment_comes_back_and_its_deleted_runs_do_not(self, bench: Bench, way: str) -> None:
        store, reader, name = bench.open(), bench.open(), unique()
        experiment_id = store.get_or_create_experiment(name, description="kept")
        old, restored = (full_run(store, experiment_id=experiment_id) for _ in range(2))
        before = state_of(store, restored)
        store.delete_experiment(experiment_id)

        match way:
            case "it is made":
                assert reader.get_or_create_experiment(name) == experiment_id
                expected = set()
            case "a run begins in it":
                expected = {reader.ensure_run(experiment_id)}
            case _:
                reader.restore_run(restored)
                expected = {restored}
                assert state_of(store, restored) == before

        found = reader.get_experiment(experiment_id)
        assert (found.name, found.description) == (name, "kept")
        assert reader.find_experiment(name) == found
        assert ids_of(reader, experiment_id) == expected
        check_hidden(reader, old, experiment_id)

    @clause("CHG.8")
    def test_a_run_that_is_shown_while_its_experiment_is_deleted_is_shown_in_it_or_deleted_with_it(
        self, bench: Bench
    ) -> None:
        stores = [bench.open() for _ in range(3)]
        for _ in range(MEETINGS):
            name = unique()
            experiment_id = stores[0].get_or_create_experiment(name)
            old, new = stores[0].ensure_run(experiment_id), unique("run")
            stores[0].delete_run(old)

            def work(index: int, experiment_id: str = experiment_id, old: str = old, new: str = new) -> None:
                match index:
                    case 0:
                        stores[0].delete_experiment(experiment_id)
                    case 1:
                        stores[1].ensure_run(experiment_id, run_id=new)
                    case _:
                        stores[2].restore_run(old)

            at_once(work, len(stores))

            if ids_of(stores[0], experiment_id):
                assert stores[1].get_experiment(experiment_id).name == name
            stores[1].delete_experiment(experiment_id)
            for run_id in (old, new):
                check_hidden(stores[2], run_id, experiment_id)
            check_no_experiment(stores[2], experiment_id, name)


def later() -> datetime:
    """A moment after everything that a test does, on whatever clock."""
    return datetime.now(UTC) + timedelta(days=1)


def purge(store: Store) -> Garbage:
    """Purges every deleted run of the database."""
    return store.collect_garbage(deleted_before=later(), dry_run=False)


def check_hidden(store: Store, run_id: str, experiment_id: str) -> None:
    """Asserts that no read knows of a run."""
    for read in (
        lambda: store.get_run(run_id),
        lambda: store.list_children(run_id),
        lambda: store.get_config(run_id),
        lambda: store.get_summaries(run_id),
        lambda: store.get_history(run_id, "loss", "validation"),
        lambda: store.sample_history(run_id, "loss", "validation"),
        lambda: store.list_artifacts(run_id),
        lambda: store.open_artifact(run_id, "late.bin"),
        lambda: store.resolve_run(run_id),
    ):
        with pytest.raises(RunNotFoundError, match=run_id):
            read()
    assert run_id not in store.get_configs([run_id])
    assert run_id not in store.get_summaries_of([run_id])
    for by in ("step", "time", "log_step"):
        assert store.sample_histories([(run_id, "loss", "validation")], by=by).series == ()
    assert store.count_runs(f"id = '{run_id}' and archived in (true, false)") == 0
    for filter_text in (None, f"id = '{run_id}'", "archived in (true, false)", "metric.validation.loss is not null"):
        assert run_id not in ids_of(store, experiment_id, filter_text)


def check_no_experiment(store: Store, experiment_id: str, name: str) -> None:
    """Asserts that no read knows of an experiment."""
    with pytest.raises(ExperimentNotFoundError):
        store.get_experiment(experiment_id)
    assert store.find_experiment(name) is None
    cursor = None
    while True:
        page = store.list_experiments(limit=1000, cursor=cursor)
        assert experiment_id not in {each.id for each in page.items}
        if page.next_cursor is None:
            return
        cursor = page.next_cursor
