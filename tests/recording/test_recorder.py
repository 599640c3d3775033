"""The recorder's promises, one sentence each, over the memory store."""

import logging
import pickle
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from recording.conftest import IDENTITY
from recording.faulty import Away, Faults, faulty
from runstore.artifacts import ArtifactRequest
from runstore.backend.begun import HANDED_BACK_S
from runstore.errors import (
    ConflictError,
    InvalidValueError,
    RunFinalizedError,
    RunNotFoundError,
    SchemaTooNewError,
    StoreClosedError,
    StoreUnavailableError,
)
from runstore.health import Counts
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.model import Artifact, MetricPoint, RunStatus
from runstore.recording import Recorder, count_refused, requeue_refused, stored_health
from runstore.recording import drain as drain_module
from runstore.recording import journal as journal_module
from runstore.recording.counts import WriterCounts
from runstore.recording.drain import HeldUpError, JournalDrain
from runstore.recording.journal import Journal
from runstore.recording.judge import FAILURE_TRIES
from runstore.recording.records import ConfigRecord, encode, encode_points
from runstore.series import Points, SeriesColumns
from runstore.values.ids import experiment_id_of
from support.dying import die, wait_for
from support.walking import found_below

OpenRecorder = Callable[..., Recorder]


def point(step: int, value: float = 0.5, name: str = "loss") -> MetricPoint:
    return MetricPoint(name=name, value=value, step=step, dataset_type="train")


def begin(recorder: Recorder) -> str:
    return recorder.ensure_run(recorder.get_or_create_experiment("x"))


def steps_of(bare: MemoryStore, run_id: str) -> list[int]:
    return list(bare.get_history(run_id, "loss", "train").steps)


def read(store: Recorder | MemoryStore, run_id: str, name: str) -> bytes:
    with store.open_artifact(run_id, name) as stream:
        return stream.read()


# The database is away


def test_a_whole_run_may_happen_while_the_database_is_away(open_recorder: OpenRecorder, bare: MemoryStore) -> None:
    outage = Away()
    recorder = open_recorder(outage)

    experiment_id = recorder.get_or_create_experiment("x", description="d")
    run_id = recorder.ensure_run(experiment_id, name="n", tags={"a": "b"})
    for step in range(100):
        recorder.log_metrics(run_id, [point(step)])
    recorder.log_config(run_id, {"lr": 0.1})
    recorder.finalize(run_id, "completed")
    waiting = recorder.health().runs[run_id].points.waiting
    outage.come_back()
    recorder.close(deadline_s=120)

    run = bare.get_run(run_id)
    assert experiment_id == experiment_id_of("x")
    assert waiting == 100
    assert (run.name, run.tags, run.status, run.experiment_id) == ("n", {"a": "b"}, RunStatus.COMPLETED, experiment_id)
    assert (steps_of(bare, run_id), bare.get_config(run_id)) == (list(range(100)), {"lr": 0.1})
    assert recorder.health().is_all_stored


def test_what_is_left_at_close_is_drained_by_the_next_start(open_recorder: OpenRecorder, bare: MemoryStore) -> None:
    first = open_recorder(Away())
    run_id = begin(first)
    first.log_metrics(run_id, [point(step) for step in range(10)])
    die(first)

    second = open_recorder()
    second.flush()

    assert steps_of(bare, run_id) == list(range(10))
    assert found_below(Path(second.health().journal).parent, "*/writer.lock") == [
        Path(second.health().journal) / "writer.lock"
    ]


def test_a_dead_writers_points_go_before_those_of_the_process_that_resumes_its_run(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    first = open_recorder(Away())
    run_id = begin(first)
    first.log_metrics(run_id, [point(step, 1.0) for step in range(10)])
    die(first)

    second = open_recorder()
    second.ensure_run(experiment_id_of("x"), run_id=run_id, resume=True)
    second.log_metrics(run_id, [point(5, 2.0)])
    second.close()

    assert list(bare.get_history(run_id, "loss", "train").values) == [1.0] * 5 + [2.0] + [1.0] * 4


def test_an_outage_is_one_line_when_it_begins_and_one_when_it_ends(
    open_recorder: OpenRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    outage = Away()
    with caplog.at_level(logging.INFO, logger="runstore"):
        recorder = open_recorder(outage)
        run_id = begin(recorder)
        for step in range(50):
            recorder.log_metrics(run_id, [point(step)])
        wait_for(lambda: recorder.health().is_store_away)
        outage.come_back()
        recorder.flush()

    assert len(caplog.records) == 2
    assert "went away" in caplog.messages[0]
    assert "again" in caplog.messages[1]


def test_a_read_says_how_much_waits_when_it_cannot_wait_longer(open_recorder: OpenRecorder) -> None:
    recorder = open_recorder(Away(), read_deadline_s=0.05)
    run_id = begin(recorder)
    recorder.log_metrics(run_id, [point(1)])

    with pytest.raises(StoreUnavailableError, match=r"3 records wait.*went away"):
        recorder.get_run(run_id)


def test_close_takes_no_longer_than_its_deadline_when_the_store_hangs(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    release = threading.Event()

    def hang(name: str) -> None:
        if name == "append":
            release.wait(30)

    recorder = open_recorder(hang)
    run_id = begin(recorder)
    recorder.log_metrics(run_id, [point(1)])

    closing = threading.Thread(target=recorder.close, kwargs={"deadline_s": 0.1})
    closing.start()
    closing.join(240)

    assert not closing.is_alive()
    assert recorder.health().runs[run_id].points.waiting == 1
    release.set()
    wait_for(lambda: steps_of(bare, run_id) == [1])


def test_a_store_that_hangs_while_it_opens_hangs_nobody(open_recorder: OpenRecorder, database: MemoryDatabase) -> None:
    release = threading.Event()

    def open_store() -> MemoryStore:
        release.wait(30)
        return MemoryStore(database)

    recorder = open_recorder(open_store=open_store, open_deadline_s=0.05)
    recorder.wait_until_opened()
    run_id = begin(recorder)
    recorder.log_metrics(run_id, [point(1)])
    release.set()
    recorder.flush()

    assert steps_of(MemoryStore(database), run_id) == [1]


def test_a_database_that_a_person_must_mend_is_an_error_at_opening(
    open_recorder: OpenRecorder, fast_path: Path
) -> None:
    def open_store() -> MemoryStore:
        raise SchemaTooNewError("written by release 9")

    recorder = open_recorder(open_store=open_store)

    with pytest.raises(SchemaTooNewError, match="release 9"):
        recorder.wait_until_opened()

    wait_for(lambda: not found_below(fast_path, "journals/*/*/writer.lock"))


# Mistakes and refusals


@pytest.mark.parametrize("is_away", [True, False])
def test_mistakes_in_arguments_raise_at_once(open_recorder: OpenRecorder, *, is_away: bool) -> None:
    recorder = open_recorder(Away() if is_away else None)
    run_id = begin(recorder)

    with pytest.raises(InvalidValueError, match=r"points\[1\]\.value"):
        recorder.log_metrics(run_id, [point(1), point(2, None)])  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match=r"points\[0\]\.dataset_type"):
        recorder.log_metrics(run_id, [MetricPoint(name="loss", value=1.0, step=1, dataset_type=[])])  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="run_id"):
        recorder.log_metrics(["unhashable"], [point(1)])  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="experiment_id"):
        recorder.ensure_run()
    with pytest.raises(InvalidValueError, match="status"):
        recorder.finalize(run_id, "in_progress")
    with pytest.raises(InvalidValueError, match="config"):
        recorder.log_config(run_id, {"f": object()})


def test_what_the_store_refuses_is_told_to_the_caller_while_it_answers(open_recorder: OpenRecorder) -> None:
    recorder = open_recorder()
    run_id = begin(recorder)
    recorder.finalize(run_id, "completed")

    with pytest.raises(RunNotFoundError, match="nobody"):
        recorder.log_metrics("nobody", [point(1)])
    with pytest.raises(RunFinalizedError):
        recorder.finalize(run_id, "failed")
    with pytest.raises(ConflictError):
        recorder.ensure_run(recorder.get_or_create_experiment("other"), run_id=run_id)

    recorder.flush()
    assert recorder.health().is_all_stored
    assert recorder.health().runs[run_id].calls.waiting == 0


def test_while_the_database_is_away_what_this_process_knows_still_decides(open_recorder: OpenRecorder) -> None:
    recorder = open_recorder(Away())
    run_id = begin(recorder)
    recorder.finalize(run_id, "completed")
    wait_for(lambda: recorder.health().is_store_away)

    with pytest.raises(RunFinalizedError):
        recorder.finalize(run_id, "failed")
    with pytest.raises(ConflictError):
        recorder.ensure_run(experiment_id_of("other"), run_id=run_id)


def test_a_record_refused_for_good_is_quarantined_with_its_reason_and_blocks_nothing(
    open_recorder: OpenRecorder, bare: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain_module, "ORPHAN_GRACE_S", 0.02)
    outage = Away()
    recorder = open_recorder(outage)
    run_id = begin(recorder)
    wait_for(lambda: recorder.health().is_store_away)
    recorder.log_metrics("nobody", [point(1), point(2)])
    recorder.log_metrics(run_id, [point(3)])
    outage.come_back()
    recorder.flush()

    health = recorder.health()
    recorder.close()
    (letters,) = found_below(Path(health.journal).parent, "quarantine/*/dead-letters.jsonl")
    assert steps_of(bare, run_id) == [3]
    assert (health.quarantined_records, health.runs["nobody"].points.quarantined) == (1, 2)
    assert not health.is_all_stored
    assert '"code":"run_not_found"' in letters.read_text()
    assert "nobody" in letters.read_text()


def test_the_beginning_of_a_run_is_waited_for_once_and_not_before_each_of_its_records(
    bare: MemoryStore, fast_path: Path
) -> None:
    now = [0.0]
    journal = Journal.create(fast_path)
    for step in range(100):
        journal.append(encode_points(Points([("loss", "train")], [step], [0.5], 1), "nobody"))
        journal.append(encode(ConfigRecord(at_us=1, run_id="nobody", config="{}")))
    drain = JournalDrain(journal, WriterCounts(), counts_accepted=True, clock=lambda: now[0])
    with pytest.raises(HeldUpError):
        drain.step(bare)

    now[0] = drain_module.ORPHAN_GRACE_S + 1.0
    while drain.step(bare):
        pass

    assert drain.waiting_bytes == 0
    journal.close(remove=True)


def test_one_bad_record_in_a_batch_does_not_take_the_others_along(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    class RefusesStepSeven(MemoryStore):
        def append(self, run_id: str, series: SeriesColumns) -> None:
            if any(7 in columns.steps for columns in series.values()):
                raise InvalidValueError("no sevens")
            super().append(run_id, series)

    outage = threading.Event()

    def open_store() -> MemoryStore:
        outage.wait(30)
        return RefusesStepSeven(bare._database)  # noqa: SLF001 - the double's own database

    recorder = open_recorder(open_store=open_store, confirm_s=0.01)
    run_id = begin(recorder)
    for step in range(20):
        recorder.log_metrics(run_id, [point(step)])
    outage.set()
    recorder.flush()

    assert steps_of(bare, run_id) == [step for step in range(20) if step != 7]
    assert recorder.health().quarantined_records == 1


class TripsOverStepSeven(MemoryStore):
    """A backend with a bug, until it is mended."""

    is_mended = False

    def append(self, run_id: str, series: SeriesColumns) -> None:
        if not self.is_mended and any(7 in columns.steps for columns in series.values()):
            raise RuntimeError("no sevens")
        super().append(run_id, series)


def test_a_record_that_fails_again_and_again_is_to_blame_while_the_store_takes_other_writes(
    open_recorder: OpenRecorder, bare: MemoryStore, database: MemoryDatabase
) -> None:
    recorder = open_recorder(open_store=lambda: TripsOverStepSeven(database))
    run_id = begin(recorder)
    for step in range(20):
        recorder.log_metrics(run_id, [point(step)])
    recorder.flush()

    assert steps_of(bare, run_id) == [step for step in range(20) if step != 7]
    assert recorder.health().quarantined_records == 1


def test_a_store_that_fails_on_every_write_for_long_is_waited_for_and_nothing_is_quarantined(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    is_full = threading.Event()
    failures: list[str] = []

    def fault(name: str) -> str | None:
        if is_full.is_set() and name in {"append", "beat"}:
            failures.append(name)
            return "failure"
        return None

    recorder = open_recorder(fault)
    run_id = begin(recorder)
    recorder.flush()
    is_full.set()
    for step in range(20):
        recorder.log_metrics(run_id, [point(step)])
    wait_for(lambda: len(failures) > 5 * FAILURE_TRIES)
    while_full = recorder.health()
    is_full.clear()
    recorder.flush()

    assert "disk is full" in str(while_full.last_error)
    assert while_full.quarantined_records == recorder.health().quarantined_records == 0
    assert steps_of(bare, run_id) == list(range(20))


def test_a_full_store_is_waited_for_though_a_smaller_write_still_fits(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    is_full = threading.Event()
    failures: list[str] = []

    def fault(name: str) -> str | None:
        if is_full.is_set() and name == "append":
            failures.append(name)
            return "full"
        return None

    recorder = open_recorder(fault)
    run_id = begin(recorder)
    recorder.flush()
    is_full.set()
    recorder.log_metrics(run_id, [point(0)])
    wait_for(lambda: len(failures) > 5 * FAILURE_TRIES)
    is_full.clear()
    recorder.flush()

    assert recorder.health().quarantined_records == 0
    assert steps_of(bare, run_id) == [0]


def test_what_was_refused_is_stored_once_its_cause_is_mended_and_the_figures_say_so(
    open_recorder: OpenRecorder, bare: MemoryStore, database: MemoryDatabase, fast_path: Path
) -> None:
    recorder = open_recorder(open_store=lambda: TripsOverStepSeven(database))
    run_id = begin(recorder)
    for step in range(20):
        recorder.log_metrics(run_id, [point(step)])
    recorder.close()
    writer = recorder.health().writer
    before = stored_health(run_id, bare.list_artifacts(run_id))[writer]
    refused = count_refused(fast_path)
    store = TripsOverStepSeven(database)

    in_vain = requeue_refused(store, IDENTITY, state_dir=fast_path)
    store.is_mended = True
    done = requeue_refused(store, IDENTITY, state_dir=fast_path)

    after = stored_health(run_id, bare.list_artifacts(run_id))[writer]
    assert refused == {IDENTITY: 1}
    assert (in_vain.stored, in_vain.refused, in_vain.reason) == (0, 1, "no sevens")
    assert (done.stored, done.refused, done.error) == (1, 0, None)
    assert steps_of(bare, run_id) == list(range(20))
    assert (before.points.stored, before.points.quarantined) == (19, 1)
    assert (after.points.accepted, after.points.stored, after.points.quarantined) == (20, 20, 0)
    assert count_refused(fast_path) == {}


def test_another_try_stops_when_the_store_is_away_and_keeps_what_it_did_not_try(
    open_recorder: OpenRecorder, database: MemoryDatabase, fast_path: Path
) -> None:
    recorder = open_recorder(open_store=lambda: TripsOverStepSeven(database))
    run_id = begin(recorder)
    recorder.flush()
    recorder.log_metrics(run_id, [point(7)])
    recorder.flush()
    recorder.log_metrics(run_id, [point(7, name="auroc")])
    recorder.close()
    away = faulty(MemoryStore(database), Faults([None, "away"]))

    done = requeue_refused(away, IDENTITY, state_dir=fast_path)

    assert (done.stored, done.refused) == (1, 0)
    assert isinstance(done.error, StoreUnavailableError)
    assert count_refused(fast_path) == {IDENTITY: 1}


def test_a_dead_letter_that_a_crash_cut_off_is_kept_and_the_others_are_sent(
    open_recorder: OpenRecorder, bare: MemoryStore, database: MemoryDatabase, fast_path: Path
) -> None:
    recorder = open_recorder(open_store=lambda: TripsOverStepSeven(database))
    run_id = begin(recorder)
    recorder.log_metrics(run_id, [point(7)])
    recorder.close()
    (letters,) = found_below(fast_path, "journals/*/quarantine/*/dead-letters.jsonl")
    with letters.open("ab") as file:
        file.write(b'{"at":"2026-')

    done = requeue_refused(MemoryStore(database), IDENTITY, state_dir=fast_path)

    assert (done.stored, done.refused, done.error) == (1, 1, None)
    assert "cannot be read" in str(done.reason)
    assert steps_of(bare, run_id) == [7]
    assert letters.read_bytes() == b'{"at":"2026-\n'


def test_a_refused_artifact_keeps_its_bytes_until_it_is_stored(
    open_recorder: OpenRecorder, bare: MemoryStore, database: MemoryDatabase, fast_path: Path, tmp_path: Path
) -> None:
    class TakesNoArtifacts(MemoryStore):
        def keep_artifact(self, run_id: str, request: ArtifactRequest) -> Artifact:
            raise RuntimeError(f"no artifacts: {run_id} {request.name}")

    recorder = open_recorder(open_store=lambda: TakesNoArtifacts(database), confirm_s=0.01)
    run_id = begin(recorder)
    checkpoint = tmp_path / "best.ckpt"
    checkpoint.write_bytes(b"weights")
    recorder.log_artifact(run_id, checkpoint)
    checkpoint.unlink()
    recorder.close()

    done = requeue_refused(MemoryStore(database), IDENTITY, state_dir=fast_path)

    assert (done.stored, done.refused) == (1, 0)
    with bare.open_artifact(run_id, "best.ckpt") as stream:
        assert stream.read() == b"weights"
    assert not found_below(fast_path, "journals/*/quarantine/*")


def test_a_leftover_that_cannot_be_read_delays_nobody(
    open_recorder: OpenRecorder, bare: MemoryStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    outage = Away()
    dead = open_recorder(outage)
    begin(dead)
    die(dead)
    broken = Path(dead.health().journal)
    read = journal_module.Journal.read

    def refuse(journal: journal_module.Journal, *arguments: int, **named: int) -> journal_module.Chunk:
        if journal.folder == broken:
            raise OSError(5, "Input/output error")
        return read(journal, *arguments, **named)

    monkeypatch.setattr(journal_module.Journal, "read", refuse)
    recorder = open_recorder()
    run_id = begin(recorder)
    recorder.log_metrics(run_id, [point(1)])
    recorder.flush()

    assert steps_of(bare, run_id) == [1]
    assert broken.exists()
    assert len([record for record in caplog.records if "Input/output" in record.getMessage()]) == 1


# Health


def test_the_figures_are_stored_with_the_run_and_hidden_from_its_artifacts(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    recorder = open_recorder()
    run_id = begin(recorder)
    for step in range(10):
        recorder.log_metrics(run_id, [point(step)])
    recorder.finalize(run_id, "completed")
    seen = recorder.list_artifacts(run_id)
    recorder.close()

    (figures,) = stored_health(run_id, bare.list_artifacts(run_id)).values()
    assert seen == ()
    assert (figures.points.accepted, figures.points.stored, figures.points.quarantined) == (10, 10, 0)
    assert (figures.calls.accepted, figures.calls.waiting) == (12, 0)


def test_the_figures_that_are_stored_tell_of_the_last_outage_as_well(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    outage = Away()
    recorder = open_recorder(outage)
    run_id = begin(recorder)
    wait_for(lambda: recorder.health().is_store_away)
    outage.come_back()
    recorder.close()

    (stored,) = stored_health(run_id, bare.list_artifacts(run_id)).values()

    assert stored.last_error == "StoreUnavailableError: the database went away"
    assert stored.last_error_at is not None
    assert stored.longest_lag_s > 0.0


def test_the_figures_of_a_dead_writer_are_stored_by_the_one_that_drains_it(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    first = open_recorder(Away())
    run_id = begin(first)
    for step in range(10):
        first.log_metrics(run_id, [point(step)])
    die(first)
    writer = first.health().writer

    open_recorder().flush()

    figures = stored_health(run_id, bare.list_artifacts(run_id))[writer]
    assert (figures.points.accepted, figures.points.stored) == (10, 10)


def test_health_tells_the_lag_and_the_last_error(open_recorder: OpenRecorder) -> None:
    recorder = open_recorder(Away())
    run_id = begin(recorder)
    recorder.log_metrics(run_id, [point(1)])
    wait_for(lambda: recorder.health().lag_s > 0)

    health = recorder.health()

    assert health.is_store_away
    assert health.last_error == "StoreUnavailableError: the database went away"
    assert health.last_error_at is not None
    assert health.waiting_bytes > 0


# The disk


def test_a_full_disk_is_survived_in_memory_and_told_in_the_health(
    open_recorder: OpenRecorder, bare: MemoryStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    recorder = open_recorder()
    run_id = begin(recorder)
    monkeypatch.setattr("runstore.recording.journal.write_at", refuse)
    with caplog.at_level(logging.WARNING):
        for step in range(100):
            recorder.log_metrics(run_id, [point(step)])
    health = recorder.health()
    recorder.flush()
    monkeypatch.undo()

    assert health.is_in_memory
    assert steps_of(bare, run_id) == list(range(100))
    assert len([record for record in caplog.records if "No space" in record.getMessage()]) == 1


def test_what_neither_disk_nor_memory_takes_is_counted_as_dropped(
    open_recorder: OpenRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal_module, "MEMORY_BYTES", 2000)
    recorder = open_recorder(Away())
    run_id = begin(recorder)
    monkeypatch.setattr("runstore.recording.journal.write_at", refuse)

    for step in range(100):
        recorder.log_metrics(run_id, [point(step)])

    counts = recorder.health().runs[run_id].points
    monkeypatch.undo()
    assert counts.dropped > 0
    assert counts.accepted + counts.dropped == 100


def test_what_is_in_memory_alone_when_the_recorder_is_closed_is_counted_as_lost(
    open_recorder: OpenRecorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    recorder = open_recorder(Away())
    run_id = begin(recorder)
    recorder.log_metrics(run_id, [point(0), point(1)])
    monkeypatch.setattr("runstore.recording.journal.write_at", refuse)
    for step in range(2, 100):
        recorder.log_metrics(run_id, [point(step)])
    recorder.finalize(run_id, "completed")

    with caplog.at_level(logging.WARNING):
        recorder.close(deadline_s=0.0)
    monkeypatch.undo()

    health = recorder.health()
    assert health.runs[run_id].points == Counts(accepted=2, stored=0, quarantined=0, dropped=98)
    assert health.runs[run_id].calls == Counts(accepted=2, stored=0, quarantined=0, dropped=99)
    assert not health.is_all_stored
    told = [record.getMessage() for record in caplog.records if "closed with" in record.getMessage()]
    assert [text.partition(" that")[0] for text in told] == ["closed with 99 records", "closed with 3 records"]
    assert "are lost" in told[0]


# Artifacts


def test_an_artifact_may_be_written_over_or_removed_as_soon_as_the_call_has_returned(
    open_recorder: OpenRecorder, bare: MemoryStore, tmp_path: Path
) -> None:
    outage = Away()
    recorder = open_recorder(outage)
    run_id = begin(recorder)
    changed, removed, folder = tmp_path / "changed.bin", tmp_path / "removed.bin", tmp_path / "folder"
    changed.write_bytes(b"first")
    removed.write_bytes(b"kept")
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "a.txt").write_bytes(b"in a folder")

    records = [recorder.log_artifact(run_id, path) for path in (changed, removed, folder)]
    changed.write_bytes(b"second")
    removed.unlink()
    (folder / "inner" / "a.txt").unlink()
    outage.come_back()
    recorder.close(deadline_s=120)

    found = {each.name: read(bare, run_id, each.name) for each in bare.list_artifacts(run_id) if each.size}
    assert found == {"changed.bin": b"first", "removed.bin": b"kept", "folder/inner/a.txt": b"in a folder"}
    assert [record.name for record in records] == ["changed.bin", "removed.bin", "folder"]
    assert records[0].sha256 == bare.list_artifacts(run_id)[0].sha256


def test_staged_bytes_are_removed_once_the_store_has_them_where_nothing_is_kept(
    open_recorder: OpenRecorder, tmp_path: Path
) -> None:
    recorder = open_recorder(kept_bytes=0)
    run_id = begin(recorder)
    path = tmp_path / "weights.bin"
    path.write_bytes(b"w" * 1000)

    recorder.log_artifact(run_id, path)
    recorder.flush()
    wait_for(lambda: not found_below(Path(recorder.health().journal), "staged/*/*"))

    assert read(recorder, run_id, "weights.bin") == b"w" * 1000


# Handles


def test_reads_see_what_other_recorders_of_this_process_accepted(open_recorder: OpenRecorder) -> None:
    first, second = open_recorder(), open_recorder()
    run_id = begin(first)

    for step in range(50):
        first.log_metrics(run_id, [point(step)])

    assert second.get_summaries(run_id)[0].count == 50


def test_a_closed_recorder_takes_nothing_and_closing_twice_is_closing_once(open_recorder: OpenRecorder) -> None:
    recorder = open_recorder()
    run_id = begin(recorder)
    recorder.close()
    recorder.close()

    for call in (
        lambda: recorder.log_metrics(run_id, [point(1)]),
        lambda: recorder.log_config(run_id, {}),
        lambda: recorder.finalize(run_id, "completed"),
        lambda: recorder.get_run(run_id),
        lambda: recorder.get_or_create_experiment("new"),
    ):
        with pytest.raises(StoreClosedError):
            call()


def test_eight_threads_log_through_one_recorder_and_lose_nothing(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    recorder = open_recorder()
    run_id = begin(recorder)

    def work(writer: int) -> None:
        for step in range(100):
            recorder.log_metrics(run_id, [point(step, name=f"m{writer}")])

    threads = [threading.Thread(target=work, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()

    assert [series.count for series in bare.get_summaries(run_id)] == [100] * 8
    assert recorder.health().runs[run_id].points.stored == 800


def open_shared() -> MemoryStore:
    """What a pickled recorder of this module opens."""
    return MemoryStore(_shared)


_shared = MemoryDatabase()


def test_a_pickled_recorder_is_another_writer_to_the_same_store(open_recorder: OpenRecorder) -> None:
    recorder = open_recorder(open_store=open_shared)
    run_id = begin(recorder)

    copy: Recorder = pickle.loads(pickle.dumps(recorder))
    copy.log_metrics(run_id, [point(1)])
    copy.close()

    assert copy.health().writer != recorder.health().writer
    assert steps_of(MemoryStore(_shared), run_id) == [1]


# Heartbeat


def test_a_recorded_run_has_a_short_lease_and_one_that_its_caller_beats_for_is_left_to_him(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    recorder = open_recorder()
    run_id = begin(recorder)
    lease_s = bare.get_run(run_id).lease_s

    recorder.heartbeat(run_id, lease_s=7.0)

    assert (lease_s, bare.get_run(run_id).lease_s) == (60.0, 7.0)


def test_no_error_ends_the_heartbeat(
    open_recorder: OpenRecorder, bare: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runstore.recording.beat.BEAT_S", 0.01)
    faults = Faults(["away", "failure", "bug"] * 4)

    recorder = open_recorder(lambda name: faults(name) if name == "beat" else None)
    run_id = begin(recorder)
    before = bare.get_run(run_id).heartbeat_at

    wait_for(lambda: bare.get_run(run_id).heartbeat_at > before)


def test_a_large_leftover_of_another_run_blocks_neither_the_beginning_of_a_run_nor_its_reads(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    first = open_recorder(Away())
    run_id = begin(first)
    for step in range(30_000):
        first.log_metrics(run_id, [point(step)])
    die(first)

    second = open_recorder()
    other = begin(second)
    second.log_metrics(other, [point(1)])
    own = second.get_summaries(other)[0].count
    second.close()

    open_recorder().flush()
    assert own == 1
    assert len(steps_of(bare, run_id)) == 30_000


def test_runs_that_begin_while_the_drain_writes_its_cursor_do_not_disturb_it(
    open_recorder: OpenRecorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(drain_module, "_CURSOR_INTERVAL_S", 0.0)
    recorder = open_recorder(confirm_s=0.0)
    experiment_id = recorder.get_or_create_experiment("x")

    with caplog.at_level(logging.ERROR):
        for _ in range(300):
            recorder.ensure_run(experiment_id)
        recorder.flush()

    assert caplog.messages == []
    assert recorder.health().is_all_stored


def test_an_error_of_the_drains_own_is_told_and_does_not_end_it(
    open_recorder: OpenRecorder, bare: MemoryStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = open_recorder()
    run_id = begin(recorder)
    monkeypatch.setattr(drain_module, "gather", None)
    recorder.log_metrics(run_id, [point(1)])
    wait_for(lambda: recorder.health().last_error is not None)
    monkeypatch.undo()

    recorder.flush()

    assert steps_of(bare, run_id) == [1]
    assert "an error in the drain" in caplog.text


def test_an_unfinished_run_of_a_store_that_was_closed_is_not_taken_for_lost_within_a_minute(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    recorder = open_recorder()
    run_id = begin(recorder)
    recorder.close()

    assert bare.get_run(run_id).lease_s == HANDED_BACK_S


def test_a_run_whose_beginning_lost_its_reply_is_no_other_ones_and_ends(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    lost = ["begin_run"]

    def lose_one_reply(call: str) -> str | None:
        return "lost reply" if lost == [call] and lost.pop() else None

    with open_recorder(lose_one_reply, confirm_s=0.0) as recorder:  # nobody waits for a verdict
        recorder.ensure_run(recorder.get_or_create_experiment("x"), run_id="mine")
        recorder.finalize("mine", "completed")

    assert (lost, bare.get_run("mine").status) == ([], RunStatus.COMPLETED)
