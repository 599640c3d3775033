"""CHG.10: what nothing refers to is counted, and then removed; what somebody may still need is not."""

from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from runstore.backend import Store
from runstore.errors import RunDeletedError
from runstore.testing.bench import Bench, at_once, new_run, point, state_of, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.conformance._changes import full_run
from runstore.testing.conformance._deletions import later, purge

OLD_DAYS: Final = 2.0
"""Older than bytes are that a running call may still need."""


class GarbageClauses(ConformanceBase):
    """CHG.10."""

    @clause("CHG.10")
    def test_a_dry_run_changes_nothing_and_counts_what_the_next_call_removes(self, bench: Bench) -> None:
        fresh = bench.fresh()
        store = fresh.open()
        ids = [full_run(store, status="completed") for _ in range(3)]
        before = [state_of(store, run_id) for run_id in ids]
        for run_id in ids[:2]:
            store.delete_run(run_id)

        counted = [store.collect_garbage(deleted_before=later()), store.collect_garbage(deleted_before=later())]
        store.restore_run(ids[0])
        after = [state_of(store, run_id) for run_id in (ids[0], ids[2])]
        store.delete_run(ids[0])
        removed = store.collect_garbage(deleted_before=later(), dry_run=False)

        assert after == [before[0], before[2]]
        assert counted == [replace(removed, is_dry_run=True)] * 2
        assert (removed.runs, removed.points, removed.files, removed.bytes) == (2, 20, 0, 0)
        assert not removed.is_dry_run
        assert state_of(store, ids[2]) == before[2]
        assert purge(store) == replace(removed, runs=0, points=0)

    @clause("CHG.10")
    def test_runs_are_kept_for_thirty_days_unless_another_moment_is_named(self, store: Store) -> None:
        run_id = full_run(store, status="completed")
        before = state_of(store, run_id)
        store.delete_run(run_id)

        store.collect_garbage(dry_run=False)
        store.collect_garbage(deleted_before=later() - timedelta(days=30), dry_run=False)

        store.restore_run(run_id)
        assert state_of(store, run_id) == before

    @clause("CHG.10")
    def test_bytes_that_no_record_names_are_removed_and_all_others_stay(self, bench: Bench, tmp_path: Path) -> None:
        fresh = bench.fresh()
        store = fresh.open()
        kept, gone = new_run(store), new_run(store)
        log(store, kept, tmp_path, shared=b"in both runs", own=b"of the run that stays", replaced=b"of before")
        log(store, kept, tmp_path, replaced=b"of now")
        log(store, gone, tmp_path, shared=b"in both runs", other=b"of the run that goes")
        store.delete_run(gone)
        fresh.harness.age_artifacts(OLD_DAYS)

        before_purge = store.collect_garbage(owns_artifacts=True)
        counted = store.collect_garbage(deleted_before=later(), owns_artifacts=True)
        removed = store.collect_garbage(deleted_before=later(), owns_artifacts=True, dry_run=False)

        assert (before_purge.files, before_purge.bytes) == (1, len(b"of before"))
        assert counted == replace(removed, is_dry_run=True)
        assert (removed.files, removed.bytes) == (2, len(b"of before") + len(b"of the run that goes"))
        assert bytes_of(store, kept) == {
            "shared": b"in both runs", "own": b"of the run that stays", "replaced": b"of now",
        }  # fmt: skip
        assert store.collect_garbage(deleted_before=later(), owns_artifacts=True).files == 0

    @clause("CHG.10")
    def test_bytes_of_a_deleted_run_are_kept_until_it_is_purged(self, bench: Bench, tmp_path: Path) -> None:
        fresh = bench.fresh()
        store = fresh.open()
        run_id = new_run(store)
        log(store, run_id, tmp_path, weights=b"weights")
        store.delete_run(run_id)
        fresh.harness.age_artifacts(OLD_DAYS)

        store.collect_garbage(owns_artifacts=True, dry_run=False)

        store.restore_run(run_id)
        assert bytes_of(store, run_id) == {"weights": b"weights"}

    @clause("CHG.10")
    def test_bytes_of_the_last_day_stay_whether_or_not_a_record_names_them(self, bench: Bench, tmp_path: Path) -> None:
        fresh = bench.fresh()
        store = fresh.open()
        run_id = new_run(store)
        log(store, run_id, tmp_path, weights=b"of before")
        log(store, run_id, tmp_path, weights=b"of now")

        found = store.collect_garbage(owns_artifacts=True, dry_run=False)

        assert (found.files, found.bytes) == (0, 0)
        assert bytes_of(store, run_id) == {"weights": b"of now"}

    @clause("CHG.10")
    def test_old_bytes_that_were_kept_once_more_count_as_new(self, bench: Bench, tmp_path: Path) -> None:
        fresh = bench.fresh()
        store = fresh.open()
        run_id = new_run(store)
        log(store, run_id, tmp_path, weights=b"of before")
        fresh.harness.age_artifacts(OLD_DAYS)
        log(store, run_id, tmp_path, weights=b"of before")
        log(store, run_id, tmp_path, weights=b"of now")

        assert store.collect_garbage(owns_artifacts=True).files == 0

    @clause("CHG.10", "ART.2")
    def test_bytes_that_are_logged_again_meanwhile_are_never_taken(self, bench: Bench, tmp_path: Path) -> None:
        fresh = bench.fresh()
        stores = [fresh.open(), fresh.open()]
        run_id = new_run(stores[0])

        for number in range(8):
            content = f"{number}".encode()
            log(stores[0], run_id, tmp_path, again=content)
            log(stores[0], run_id, tmp_path, again=b"in its place")
            fresh.harness.age_artifacts(OLD_DAYS)

            def work(index: int, content: bytes = content) -> None:
                if index:
                    stores[1].collect_garbage(owns_artifacts=True, dry_run=False)
                else:
                    log(stores[0], run_id, tmp_path, again=content)

            at_once(work, 2)

            assert bytes_of(stores[1], run_id) == {"again": content}

    @clause("CHG.10", "CHG.6")
    def test_others_write_while_runs_are_purged(self, bench: Bench) -> None:
        stores = [bench.open(), bench.open()]
        gone = new_run(stores[0])
        stores[0].log_metrics(gone, [point(f"m{step % 10}", step, 0.5) for step in range(20_000)])
        stores[0].delete_run(gone)
        run_id = new_run(stores[0])

        def work(index: int) -> None:
            if index:
                purge(stores[1])
            else:
                for step in range(20):
                    stores[0].log_metrics(run_id, [point("loss", step, 0.5)])

        at_once(work, 2)

        (summary,) = stores[1].get_summaries(run_id)
        assert (summary.count, summary.last.step) == (20, 19)
        with pytest.raises(RunDeletedError):
            stores[0].restore_run(gone)


def log(store: Store, run_id: str, folder: Path, **contents: bytes) -> None:
    """Logs one artifact for each name and content."""
    for name, content in contents.items():
        path = folder / unique(name)
        path.write_bytes(content)
        store.log_artifact(run_id, path, name=name)


def bytes_of(store: Store, run_id: str) -> dict[str, bytes]:
    """The bytes of all artifacts of a run, by name."""
    found = {}
    for record in store.list_artifacts(run_id):
        with store.open_artifact(run_id, record.name) as stream:
            found[record.name] = stream.read()
    return found
