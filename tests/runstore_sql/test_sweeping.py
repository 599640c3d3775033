"""What nothing refers to any more is removed for good, piece by piece, in each SQL database."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runstore import MetricPoint
from runstore.backend import Presence
from runstore.hookspecs import OpenOptions
from runstore_sql.editing import purging
from runstore_sql.editing.pace import Pace
from runstore_sql.editing.purging import Purge
from runstore_sql.opening import open_sql
from runstore_sql.schema.tables import artifact, blob, config, config_leaf, rollup, run, series, tag
from runstore_sql.store import SqlStore

TOMORROW = datetime.now(UTC) + timedelta(days=1)
_POINT = sa.table("runstore_point")


def count(store: SqlStore, *tables: Any) -> list[int]:
    def counted(connection: sa.Connection) -> list[int]:
        return [connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in tables]

    return store.database.read(counted)


def filled(store: SqlStore, path: Path, run_id: str, *, points: int = 3, content: bytes = b"bytes") -> str:
    path.write_bytes(content)
    experiment_id = store.get_or_create_experiment("experiment")
    store.ensure_run(experiment_id, run_id=run_id, name="name", tags={"a": "b"}, provenance={"host": "h"})
    store.log_metrics(run_id, [MetricPoint(name="loss", value=0.5, step=step) for step in range(points)])
    store.log_metrics(run_id, [MetricPoint(name="auroc", value=0.5, step=1)])
    store.log_config(run_id, {"lr": 0.1, "model": {"depth": 18}})
    store.log_artifact(run_id, path)
    store.set_note(run_id, "note")
    return run_id


def age_files(store: SqlStore, folder: Path) -> None:
    store.database.write(lambda connection: connection.execute(blob.update().values(created_us=0)))
    for path in folder.rglob("*.artifacts/sha256/*/*"):
        os.utime(path, (0, 0))


@pytest.fixture
def folder(url: str, tmp_path: Path) -> Path:
    return Path(url.removeprefix("sqlite:///")).parent if url.startswith("sqlite") else tmp_path


def test_of_a_purged_run_only_the_bare_id_is_left(store: SqlStore, tmp_path: Path, folder: Path) -> None:
    filled(store, tmp_path / "a.bin", "kept", content=b"kept")
    filled(store, tmp_path / "b.bin", "gone", content=b"gone!", points=7)
    child = store.ensure_run(store.get_or_create_experiment("experiment"), parent_run_id="gone")
    before = count(store, run, _POINT, series, tag, config, config_leaf, artifact)
    store.delete_run("gone")
    age_files(store, folder)

    counted = store.collect_garbage(deleted_before=TOMORROW)
    assert count(store, run, _POINT, series, tag, config, config_leaf, artifact) == before
    removed = store.collect_garbage(deleted_before=TOMORROW, dry_run=False)

    assert (counted.runs, counted.points, counted.files, counted.bytes) == (1, 8, 1, 5)
    assert (removed.runs, removed.points, removed.files, removed.bytes) == (1, 8, 1, 5)
    assert (counted.is_dry_run, removed.is_dry_run) == (True, False)
    assert count(store, run, _POINT, series, tag, config, config_leaf, artifact) == [3, 4, 2, 1, 1, 2, 1]
    of_gone = sa.select(run).where(run.c.id == "gone")
    row = store.database.read(lambda connection: connection.execute(of_gone).mappings().one())
    emptied = {"name", "client_id", "note", "failure", "source_path", "parent_pk", "archived_us", "end_us"}
    assert {name: row[name] for name in emptied} == dict.fromkeys(emptied)
    assert (row["tags"], row["provenance"], row["training_mode"]) == ("{}", "{}", "")
    assert store.presence_of("gone") is Presence.PURGED
    assert store.get_run(child).parent_run_id == "gone"
    with store.open_artifact("kept", "a.bin") as stream:
        assert stream.read() == b"kept"
    again = store.collect_garbage(deleted_before=TOMORROW, dry_run=False)
    assert (again.runs, again.points, again.files) == (0, 0, 0)


def test_a_run_that_can_still_be_restored_is_left_alone(store: SqlStore, tmp_path: Path) -> None:
    filled(store, tmp_path / "a.bin", "young")
    store.delete_run("young")

    assert store.collect_garbage(dry_run=False).runs == 0

    store.restore_run("young")
    assert [summary.count for summary in store.get_summaries("young")] == [1, 3]


def test_bytes_of_a_young_put_and_bytes_that_a_deleted_run_may_need_again_stay(
    store: SqlStore, tmp_path: Path, folder: Path
) -> None:
    filled(store, tmp_path / "a.bin", "deleted", content=b"deleted")
    store.delete_run("deleted")
    age_files(store, folder)
    (tmp_path / "young").write_bytes(b"no record yet")
    young = store.blobs.put(tmp_path / "young")

    assert store.collect_garbage(dry_run=False).files == 0

    store.blobs.open(young.sha256).close()
    store.restore_run("deleted")
    with store.open_artifact("deleted", "a.bin") as stream:
        assert stream.read() == b"deleted"


def test_bytes_of_a_run_that_is_deleted_while_a_sweep_goes_on_stay_with_it(
    store: SqlStore, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store, tmp_path / "a.bin", "meanwhile", content=b"meanwhile")
    age_files(store, folder)
    original = Purge.runs

    def runs(self: Purge) -> Any:
        found = original(self)
        store.delete_run("meanwhile")
        return found

    monkeypatch.setattr(Purge, "runs", runs)
    store.collect_garbage(deleted_before=TOMORROW, dry_run=False)

    store.restore_run("meanwhile")
    with store.open_artifact("meanwhile", "a.bin") as stream:
        assert stream.read() == b"meanwhile"


def test_a_place_that_was_named_is_left_alone_unless_it_is_said_to_be_ours(url: str, tmp_path: Path) -> None:
    place = tmp_path / "named.artifacts"
    with open_sql(url, OpenOptions(artifacts=str(place))) as store:
        (tmp_path / "a").write_bytes(b"nobody's")
        store.blobs.put(tmp_path / "a")
        age_files(store, tmp_path)

        assert store.collect_garbage(dry_run=False).files == 0
        assert store.collect_garbage(owns_artifacts=True).files == 1
        assert store.collect_garbage(owns_artifacts=True, dry_run=False).files == 1
        assert store.collect_garbage(owns_artifacts=True, dry_run=False).files == 0


def _interrupted(after: int) -> Callable[..., Any]:
    original, done = Pace.piece, 0

    def piece(self: Pace, work: Callable[[sa.Connection], Any]) -> Any:
        nonlocal done
        done += 1
        if done > after:
            raise KeyboardInterrupt
        return original(self, work)

    return piece


@pytest.mark.parametrize("after", range(1, 8))
def test_a_purge_that_was_cut_short_is_taken_up_by_the_next(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    filled(store, tmp_path / "a.bin", "gone", points=25)
    store.delete_run("gone")
    monkeypatch.setattr(type(store.database.dialect), "points_a_piece", 5)
    monkeypatch.setattr(type(store.database.dialect), "rest_a_piece", 0.0)

    patch = pytest.MonkeyPatch()
    patch.setattr(Pace, "piece", _interrupted(after))
    with pytest.raises(KeyboardInterrupt):
        store.collect_garbage(deleted_before=TOMORROW, dry_run=False)
    patch.undo()

    assert store.presence_of("gone") is Presence.PURGED
    assert store.collect_garbage(deleted_before=TOMORROW, dry_run=False).runs == 1
    assert count(store, run, _POINT, series, tag, config, config_leaf, artifact) == [1, 0, 0, 0, 0, 0, 0]
    assert store.collect_garbage(deleted_before=TOMORROW).runs == 0


def test_no_transaction_of_a_purge_removes_more_points_than_a_piece(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store, tmp_path / "a.bin", "gone", points=50)
    store.delete_run("gone")
    monkeypatch.setattr(type(store.database.dialect), "points_a_piece", 10)
    monkeypatch.setattr(type(store.database.dialect), "rest_a_piece", 0.0)
    original, left = Pace.piece, count(store, _POINT)
    removed: list[int] = []

    def piece(self: Pace, work: Callable[[sa.Connection], Any]) -> Any:
        result = original(self, work)
        removed.append(left[0] - (now := count(store, _POINT))[0])
        left[:] = now
        return result

    monkeypatch.setattr(Pace, "piece", piece)
    store.collect_garbage(deleted_before=TOMORROW, dry_run=False)

    assert sum(removed) == 51
    assert max(removed) <= 10


def test_the_roll_ups_of_a_purged_run_go_with_its_points(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store, tmp_path / "a.bin", "kept", points=5000)
    filled(store, tmp_path / "a.bin", "gone", points=5000)
    store.finalize("kept", "completed")
    store.finalize("gone", "completed")
    monkeypatch.setattr(purging, "_PACKS_A_PIECE", 1)
    (both,) = count(store, rollup)
    store.delete_run("gone")

    store.collect_garbage(deleted_before=TOMORROW, dry_run=False)

    assert count(store, rollup) == [both // 2]
    assert both >= 2


def test_what_a_writer_that_knows_no_deletion_adds_to_a_purged_run_is_removed_by_the_next_sweep(
    store: SqlStore, tmp_path: Path
) -> None:
    filled(store, tmp_path / "a.bin", "gone")
    store.delete_run("gone")
    store.collect_garbage(deleted_before=TOMORROW, dry_run=False)
    purged_us = sa.select(run.c.purged_us)
    moment = store.database.read(lambda connection: connection.execute(purged_us).scalar_one())
    store.database.write(lambda connection: connection.execute(run.update().values(purged_us=None)))
    store.log_metrics("gone", [MetricPoint(name="late", value=1.0, step=1)])
    store.database.write(lambda connection: connection.execute(run.update().values(purged_us=moment)))

    assert store.collect_garbage(deleted_before=TOMORROW, dry_run=False).points == 1

    assert count(store, _POINT, series) == [0, 0]


def test_a_partition_whose_runs_are_all_gone_is_dropped(postgresql_url: str, tmp_path: Path) -> None:
    options = OpenOptions()
    url = f"{postgresql_url}?partition_series=4"
    with open_sql(url, options) as store:
        for index in range(5):
            filled(store, tmp_path / "a.bin", f"r{index}")  # two series each: runs 0 and 1 have the first partition
    with open_sql(url, options) as store:  # makes the partitions ahead
        filled(store, tmp_path / "a.bin", "r5")
        for run_id in ("r0", "r1", "r2"):
            store.delete_run(run_id)

        assert store.collect_garbage(deleted_before=TOMORROW).partitions == 1
        removed = store.collect_garbage(deleted_before=TOMORROW, dry_run=False)

        assert (removed.runs, removed.points, removed.partitions) == (3, 12, 1)
        assert count(store, _POINT) == [12]
        assert [len(store.get_history(f"r{index}", "loss", "other").steps) for index in (3, 4, 5)] == [3, 3, 3]
        assert store.collect_garbage(deleted_before=TOMORROW, dry_run=False).partitions == 0


def test_a_partition_without_a_lower_bound_is_kept_as_long_as_a_run_in_it_is(
    postgresql_url: str, tmp_path: Path
) -> None:
    """As one has it that was cut by hand, from a store whose points were in one table."""
    with open_sql(f"{postgresql_url}?partition_series=4", OpenOptions()) as store:
        store.database.read(
            lambda connection: connection.exec_driver_sql("""
                ALTER TABLE runstore_point DETACH PARTITION runstore_point_from_0;
                ALTER TABLE runstore_point ATTACH PARTITION runstore_point_from_0 FOR VALUES FROM (MINVALUE) TO (5)""")
        )
        for run_id in ("r0", "r1", "r2"):  # two series each
            filled(store, tmp_path / "a.bin", run_id)
        store.delete_run("r0")

        assert store.collect_garbage(deleted_before=TOMORROW, dry_run=False).partitions == 0
        assert len(store.get_history("r1", "loss", "other").steps) == 3

        store.delete_run("r1")
        assert store.collect_garbage(deleted_before=TOMORROW, dry_run=False).partitions == 1
        assert len(store.get_history("r2", "loss", "other").steps) == 3
