"""What ended runs told a store is kept for a time: a store that was restored from a backup is filled up from it."""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from recording.conftest import IDENTITY, OpenRecorder
from recording.test_going_back import Backup, begun, log, points, read
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.model import MetricPoint, RunStatus, SeriesSummary
from runstore.recording import Recorder, RecorderOptions, stored_health, sync_leftovers, worker
from runstore.recording.again.kept_changes import read_changes
from runstore.recording.discarding import discard_journals
from runstore.recording.frames import frame
from runstore.recording.keeping import KEPT, keeping_of, kept_journals, trim
from runstore.recording.snapshots import VERSION
from runstore.recording.verifying import VerifyReport, verify_store
from support.dying import die, stand_still
from support.walking import found_below


@pytest.fixture
def open_kept(open_recorder: OpenRecorder) -> Callable[..., Recorder]:
    def open_one(**options: int) -> Recorder:
        return open_recorder(**{"kept_days": 7, **options})

    return open_one


@pytest.fixture
def verify(bare: MemoryStore, fast_path: Path) -> Callable[[], VerifyReport]:
    return lambda: verify_store(bare, IDENTITY, state_dir=fast_path)


def root_of(state_dir: Path) -> Path:
    (root,) = (state_dir / "journals").iterdir()
    return root


Verify = Callable[[], VerifyReport]


def test_a_store_that_was_restored_after_the_runs_end_is_filled_up(
    open_kept: Callable[..., Recorder], bare: MemoryStore, database: MemoryDatabase, verify: Verify, tmp_path: Path
) -> None:
    backup = Backup(database)
    (tmp_path / "weights").write_bytes(b"weights")
    with open_kept() as recorder:
        run_id = begun(recorder, name="one", tags={"a": "b"})
        recorder.log_config(run_id, {"lr": 0.1, "many": 2**70})
        log(recorder, run_id, range(50))
        recorder.log_artifact(run_id, tmp_path / "weights", metadata={"score": 2**70})
        recorder.set_note(run_id, "a note")
        recorder.finalize(run_id, "completed")
    before, artifacts = bare.get_run(run_id), bare.list_artifacts(run_id)

    backup.restore()
    done = verify()
    again = verify()

    after = bare.get_run(run_id)
    assert (after.name, after.tags, after.note, after.status, after.start_time, after.end_time) == (
        before.name, before.tags, before.note, before.status, before.start_time, before.end_time,
    )  # fmt: skip
    assert points(bare, run_id) == {step: float(step) for step in range(50)}
    assert bare.get_config(run_id) == {"lr": 0.1, "many": 2**70}
    assert read(bare, run_id, "weights") == b"weights"
    assert [each for each in bare.list_artifacts(run_id) if each.name == "weights"] == [
        each for each in artifacts if each.name == "weights"
    ]
    assert (done.journals, done.runs, done.lost, done.error) == (1, 1, (), None)
    assert [(each.run_id, each.points) for each in done.findings] == [(run_id, 50)]
    assert done.changes == 1
    assert (again.findings, again.changes, again.lost) == ((), 0, ())
    told = stored_health(run_id, bare.list_artifacts(run_id))[recorder.health().writer].sent_again
    assert told is not None
    assert told.points == 50


def test_each_process_of_a_run_is_told_again_in_their_order(
    open_kept: Callable[..., Recorder], bare: MemoryStore, database: MemoryDatabase, verify: Verify
) -> None:
    backup = Backup(database)
    with open_kept() as first:
        run_id = begun(first)
        log(first, run_id, range(10))
        first.finalize(run_id, "failed")
    with open_kept() as second:
        second.ensure_run(run_id=run_id, resume=True)
        log(second, run_id, range(5, 20), times=2.0)
        second.finalize(run_id, "completed")

    backup.restore()
    verify()

    assert points(bare, run_id) == {step: step * (1.0 if step < 5 else 2.0) for step in range(20)}
    assert (bare.get_run(run_id).status, bare.get_run(run_id).attempt) == (RunStatus.COMPLETED, 2)


def test_nothing_is_written_over_that_came_since(
    open_kept: Callable[..., Recorder], bare: MemoryStore, database: MemoryDatabase, verify: Verify
) -> None:
    with open_kept() as recorder:
        run_id = begun(recorder)
        log(recorder, run_id, range(10))
        recorder.flush()
        backup = Backup(database)
        log(recorder, run_id, range(10, 20))
        recorder.rename_run(run_id, "ours")
        recorder.finalize(run_id, "completed")

    backup.restore()
    bare.log_metrics(run_id, [MetricPoint(name="loss", value=-1.0, step=15, dataset_type="train")])
    bare.rename_run(run_id, "a person's")
    verify()

    assert points(bare, run_id) == {**{step: float(step) for step in range(20)}, 15: -1.0}
    assert bare.get_run(run_id).name == "a person's"


def test_points_that_a_torn_backup_lacks_are_seen_though_its_summaries_are_right(
    open_kept: Callable[..., Recorder], bare: MemoryStore, database: MemoryDatabase, fast_path: Path
) -> None:
    with open_kept() as recorder:
        run_id = begun(recorder)
        log(recorder, run_id, range(30))
        recorder.finalize(run_id, "completed")
    whole = points(bare, run_id)
    summaries = bare.read_summaries([run_id])
    with database.lock:
        for step in (5, 6, 7):
            del database.runs[run_id].series["loss", "train"].points[step]
    is_torn = len(points(bare, run_id)) < len(whole)

    class Torn(MemoryStore):
        def read_summaries(self, run_ids: Sequence[str]) -> dict[str, list[SeriesSummary]]:  # noqa: ARG002 - as they were
            return summaries

    done = verify_store(Torn(database), IDENTITY, state_dir=fast_path)

    assert is_torn
    assert points(bare, run_id) == whole
    assert [each.points for each in done.findings] == [3]


def test_a_run_that_a_person_deleted_stays_deleted_in_a_backup_from_before(
    open_kept: Callable[..., Recorder], bare: MemoryStore, database: MemoryDatabase, verify: Verify
) -> None:
    nothing = Backup(database)
    with open_kept() as recorder:
        run_id = begun(recorder)
        log(recorder, run_id, range(10))
        recorder.finalize(run_id, "completed")
    undeleted = Backup(database)
    with open_kept() as other:
        other.delete_run(run_id)

    undeleted.restore()
    done = verify()
    is_shown_then = bare.has_run(run_id)
    nothing.restore()
    verify()

    assert done.changes == 1
    assert not is_shown_then
    assert not bare.has_run(run_id)
    assert bare.presence_of(run_id) is None


def test_what_a_process_that_was_killed_had_told_is_compared_once_its_journal_is_drained(
    open_kept: Callable[..., Recorder], bare: MemoryStore, database: MemoryDatabase, fast_path: Path, tmp_path: Path
) -> None:
    backup = Backup(database)
    (tmp_path / "weights").write_bytes(b"weights")
    recorder = open_kept(kept_days=0)  # so that the copy of its journal, as a kill leaves it, is all there is
    run_id = begun(recorder)
    log(recorder, run_id, range(40))
    recorder.log_artifact(run_id, tmp_path / "weights")
    shutil.copytree(stand_still(recorder), root_of(fast_path) / "0")
    die(recorder, deadline_s=None)

    backup.restore()
    done = sync_leftovers(bare, IDENTITY, state_dir=fast_path)

    assert points(bare, run_id) == {step: float(step) for step in range(40)}
    assert read(bare, run_id, "weights") == b"weights"
    assert done.journals == 1
    assert [(each.points, each.lost) for each in done.findings] == [(40, ())]
    assert len(kept_journals(root_of(fast_path))) == 1


def test_a_journal_whose_note_a_newer_release_wrote_is_gone_by_itself(
    open_kept: Callable[..., Recorder], bare: MemoryStore, database: MemoryDatabase, fast_path: Path, verify: Verify
) -> None:
    backup = Backup(database)
    with open_kept() as recorder:
        run_id = begun(recorder)
        log(recorder, run_id, range(10))
        recorder.finalize(run_id, "completed")
    (kept,) = kept_journals(root_of(fast_path))
    (kept / "told").write_bytes(frame(msgspec.msgpack.encode([VERSION + 1, "in another form"])))

    backup.restore()
    done = verify()

    assert points(bare, run_id) == {step: float(step) for step in range(10)}
    assert bare.get_run(run_id).status == RunStatus.COMPLETED
    assert done.lost == ()


def test_what_is_kept_goes_with_what_is_discarded(
    open_kept: Callable[..., Recorder], fast_path: Path, bare: MemoryStore
) -> None:
    with open_kept() as recorder:
        log(recorder, begun(recorder), range(10))
    left = open_kept()
    run_id = begun(left)
    shutil.copytree(stand_still(left), root_of(fast_path) / "0")
    left.close()

    discard_journals(IDENTITY, fast_path)

    assert bare.has_run(run_id)
    assert kept_journals(root_of(fast_path)) == []


def test_what_is_kept_goes_when_its_time_is_over(open_kept: Callable[..., Recorder], fast_path: Path) -> None:
    with open_kept() as recorder:
        run_id = begun(recorder)
        log(recorder, run_id, range(10))
        recorder.finalize(run_id, "completed")
    (kept,) = kept_journals(root_of(fast_path))
    old = time.time() - 8 * 86_400
    os.utime(kept / "cursor", (old, old))

    trim(fast_path, keeping_of(RecorderOptions(kept_days=7)))

    assert kept_journals(root_of(fast_path)) == []


def test_of_many_short_runs_one_a_minute_looks_at_all_that_is_kept_and_so_does_one_that_leaves_much(
    open_kept: Callable[..., Recorder], fast_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    monkeypatch.setattr(worker, "trim", lambda *_, **__: looks.append(len(kept_journals(root_of(fast_path)))))

    def end_one(name: str | None = None) -> None:
        with open_kept() as recorder:
            run_id = begun(recorder)
            log(recorder, run_id, range(10))
            if name is not None:
                (tmp_path / name).write_bytes(b"weights")
                recorder.log_artifact(run_id, tmp_path / name)
            recorder.finalize(run_id, "completed")

    for _ in range(4):
        end_one()
    end_one("weights")
    (note,) = found_below(root_of(fast_path) / KEPT, "trimmed")
    os.utime(note, (time.time() - 61, time.time() - 61))
    end_one()

    assert looks == [1, 5, 6]


def test_beyond_the_bound_of_all_writers_the_oldest_segments_go_first_and_that_is_said(
    open_kept: Callable[..., Recorder], bare: MemoryStore, database: MemoryDatabase, fast_path: Path, verify: Verify
) -> None:
    backup = Backup(database)
    runs = []
    for _ in range(3):
        with open_kept() as recorder:
            assert recorder._writer is not None  # noqa: SLF001 - small segments, so that few points fill several
            recorder._writer.journal.segment_bytes = 1_000  # noqa: SLF001 - as above
            runs.append(begun(recorder))
            log(recorder, runs[-1], range(200))
            recorder.finalize(runs[-1], "completed")
    folders = kept_journals(root_of(fast_path))
    sizes = [sum(each.stat().st_size for each in found_below(folder, "*.segment")) for folder in folders]

    trim(fast_path, keeping_of(RecorderOptions(kept_bytes_in_all=sum(sizes) - sizes[0] - 100)))
    left = sum(each.stat().st_size for folder in folders for each in found_below(folder, "*.segment"))
    backup.restore()
    done = verify()
    again = verify()

    assert left <= sum(sizes) - sizes[0] - 100
    assert not found_below(folders[0], "*.segment")
    assert found_below(folders[2], "*.segment")
    assert points(bare, runs[2]) == {step: float(step) for step in range(200)}
    assert bare.get_run(runs[0]).status == RunStatus.COMPLETED  # what is small is kept beside the points
    assert any("points" in each for each in done.lost)
    assert done.repairable_since is not None
    assert again.lost == done.lost
    health = stored_health(runs[0], bare.list_artifacts(runs[0]))[folders[0].name]
    assert health.is_lost
    assert health.sent_again is not None
    assert health.sent_again.points_missing == 200


def test_nothing_is_kept_where_that_was_asked_for(open_kept: Callable[..., Recorder], fast_path: Path) -> None:
    for options in ({"kept_days": 0}, {"kept_bytes": 0}):
        with open_kept(**options) as recorder:
            log(recorder, begun(recorder), range(10))

    assert not (root_of(fast_path) / KEPT).exists()
    assert read_changes(root_of(fast_path)) == []


def test_a_living_writers_journal_is_left_alone(
    open_kept: Callable[..., Recorder], bare: MemoryStore, verify: Verify
) -> None:
    recorder = open_kept()
    run_id = begun(recorder)
    log(recorder, run_id, range(10))
    recorder.flush()

    done = verify()
    log(recorder, run_id, range(10, 20))
    recorder.close()

    assert done.journals == 0
    assert len(points(bare, run_id)) == 20
