"""CHG.12: the deleted runs that can be restored are listed."""

from datetime import UTC, datetime, timedelta

import pytest

from runstore.backend import Store
from runstore.errors import InvalidValueError, QueryError
from runstore.model import DeletedRun
from runstore.testing.bench import Bench, new_run, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.conformance._deletions import purge


class RestorableClauses(ConformanceBase):
    """CHG.12."""

    @clause("CHG.12")
    def test_deleted_runs_are_listed_by_what_they_are_known_by_the_last_deleted_first(self, bench: Bench) -> None:
        store, reader = bench.open(), bench.open()
        name, start = unique("experiment"), datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
        experiment_id = store.get_or_create_experiment(name)
        first, second, shown = (
            store.ensure_run(experiment_id, name=each, start_time=start) for each in ("a", None, "c")
        )

        assert reader.list_deleted(experiment_id=experiment_id).items == ()
        store.delete_run(second)
        store.delete_run(first)
        store.delete_run(second)  # which keeps its time

        found = reader.list_deleted(experiment_id=experiment_id).items
        assert [(run.id, run.name, run.experiment_id, run.experiment, run.start_time) for run in found] == [
            (first, "a", experiment_id, name, start),
            (second, None, experiment_id, name, start),
        ]
        assert all(abs(run.deleted_at - datetime.now(UTC)) < timedelta(hours=1) for run in found)
        assert shown not in _ids(all_deleted(reader))

    @clause("CHG.12")
    def test_a_restored_run_is_deleted_no_longer_and_an_archived_one_is_listed(self, store: Store) -> None:
        experiment_id = store.get_or_create_experiment(unique("experiment"))
        restored, archived = store.ensure_run(experiment_id), store.ensure_run(experiment_id)
        store.archive_run(archived)
        for run_id in (restored, archived):
            store.delete_run(run_id)

        store.restore_run(restored)

        assert _ids(store.list_deleted(experiment_id=experiment_id).items) == [archived]

    @clause("CHG.12")
    def test_runs_of_all_experiments_are_listed_or_of_one_that_is_deleted_too(self, store: Store) -> None:
        names = unique("one"), unique("other")
        one, other = (store.get_or_create_experiment(name) for name in names)
        of_one, of_other = store.ensure_run(one), store.ensure_run(other)
        store.delete_run(of_one)
        store.delete_experiment(other)

        assert _ids(store.list_deleted(experiment_id=one).items) == [of_one]
        (found,) = store.list_deleted(experiment_id=other).items
        assert (found.id, found.experiment) == (of_other, names[1])
        assert {of_one, of_other} <= set(_ids(all_deleted(store)))
        assert store.list_deleted(experiment_id=unique("nobody")).items == ()

    @clause("CHG.12")
    def test_pages_of_deleted_runs_are_the_whole_also_where_many_were_deleted_at_once(self, store: Store) -> None:
        name = unique("experiment")
        experiment_id = store.get_or_create_experiment(name)
        early = store.ensure_run(experiment_id)
        store.delete_run(early)
        at_once = sorted(store.ensure_run(experiment_id, run_id=unique(str(each))) for each in range(5))
        store.delete_experiment(experiment_id)

        found, cursor = list[DeletedRun](), None
        while True:
            page = store.list_deleted(experiment_id=experiment_id, limit=2, cursor=cursor)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break

        assert _ids(found) == [*at_once, early]
        assert len({run.deleted_at for run in found}) == 2
        assert found == list(store.list_deleted(experiment_id=experiment_id).items)

    @clause("CHG.12", "CHG.6")
    def test_a_purged_run_is_listed_no_more(self, bench: Bench) -> None:
        store = bench.open()
        run_id = new_run(store)
        store.delete_run(run_id)
        assert run_id in _ids(all_deleted(store))

        purge(store)

        assert run_id not in _ids(all_deleted(store))

    @clause("CHG.12", "READ.7")
    def test_a_list_of_deleted_runs_refuses_what_cannot_be_asked(self, store: Store) -> None:
        experiment_id = store.get_or_create_experiment(unique("experiment"))
        for run_id in [store.ensure_run(experiment_id) for _ in range(2)]:
            store.delete_run(run_id)
        cursor = store.list_deleted(experiment_id=experiment_id, limit=1).next_cursor
        assert cursor is not None

        for limit in (0, 10_001, True, "1"):
            with pytest.raises(InvalidValueError, match="limit"):
                store.list_deleted(limit=limit)  # type: ignore[arg-type]
        for wrong in ("?", cursor[:-2], cursor.swapcase()):
            with pytest.raises(QueryError, match="cursor"):
                store.list_deleted(experiment_id=experiment_id, cursor=wrong)
        with pytest.raises(QueryError, match="cursor"):
            store.list_deleted(cursor=cursor)
        with pytest.raises(InvalidValueError, match="experiment_id"):
            store.list_deleted(experiment_id="")


def all_deleted(store: Store) -> list[DeletedRun]:
    """Those of all pages."""
    page = store.list_deleted(limit=10_000)
    found = list(page.items)
    while page.next_cursor is not None:
        page = store.list_deleted(limit=10_000, cursor=page.next_cursor)
        found += page.items
    return found


def _ids(runs: "list[DeletedRun] | tuple[DeletedRun, ...]") -> list[str]:
    return [run.id for run in runs]
