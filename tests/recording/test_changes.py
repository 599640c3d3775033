"""Changes of runs and experiments through a recorder: kept on disk, brought in order, and never undone by a replay."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from recording.conftest import IDENTITY
from recording.faulty import Away, Faults, faulty
from recording.test_formats import drain, run_record, write
from runstore.backend import ExperimentChange, RunChange
from runstore.errors import InvalidValueError, RunDeletedError, RunNotFoundError
from runstore.memory.store import MemoryStore
from runstore.model import MetricPoint, RunStatus
from runstore.recording import Recorder, count_refused, requeue_refused
from runstore.recording import records as records_module
from runstore.recording.adoption import Leftover
from runstore.recording.drain import TryLaterError
from runstore.recording.journal import Journal
from runstore.recording.records import (
    ArtifactRecord,
    ChangeRecord,
    ConfigRecord,
    ExperimentChangeRecord,
    ExperimentRecord,
    FinalizeRecord,
    MetricsRecord,
    PointsRecord,
    RunRecord,
    encode,
)
from runstore.recording.writers import leftovers
from runstore.values import experiment_id_of
from support.dying import die

OpenRecorder = Callable[..., Recorder]

EXPERIMENT = ExperimentRecord(at_us=1, name="x", description=None)
OLD_RECORDS = (
    PointsRecord | MetricsRecord | ExperimentRecord | RunRecord | ConfigRecord | ArtifactRecord | FinalizeRecord
)
"""What a release knew that could change nothing yet."""


def change(run_id: str, **given: object) -> bytes:
    return encode(ChangeRecord(at_us=5, run_id=run_id, change=RunChange(at_us=5, **given)))  # type: ignore[arg-type]


def _points(run_id: str, step: int) -> bytes:
    record = MetricsRecord(at_us=1, run_id=run_id, points=[("loss", "train", step, 0.5, 1)])
    return encode(record)


def purge(store: MemoryStore) -> None:
    store.collect_garbage(deleted_before=datetime.now(UTC) + timedelta(days=1), dry_run=False)


def test_changes_while_the_database_is_away_are_journaled_and_arrive_in_order(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    outage = Away()
    recorder = open_recorder(outage)
    run_id = recorder.ensure_run(recorder.get_or_create_experiment("x"), name="first", tags={"a": "1", "b": "1"})

    recorder.rename_run(run_id, "second")
    recorder.set_tags(run_id, {"a": "2"})
    recorder.log_metrics(run_id, [MetricPoint("loss", 0.5, 1, "train")])
    recorder.remove_tags(run_id, ["b"])
    recorder.rename_run(run_id, "third")
    recorder.set_note(run_id, "noted")
    recorder.archive_run(run_id)
    recorder.finalize(run_id, "completed")
    recorder.describe_experiment(experiment_id_of("x"), "described")
    outage.come_back()
    recorder.close()

    run = bare.get_run(run_id)
    assert (run.name, run.tags, run.note, run.status) == ("third", {"a": "2"}, "noted", RunStatus.COMPLETED)
    assert run.archived_at is not None
    assert bare.get_experiment(experiment_id_of("x")).description == "described"
    assert list(bare.get_history(run_id, "loss", "train").steps) == [1]


def test_a_run_that_was_deleted_while_the_database_was_away_is_not_begun_again_by_its_own_process(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    outage = Away()
    recorder = open_recorder(outage)
    run_id = recorder.ensure_run(recorder.get_or_create_experiment("x"))

    recorder.delete_run(run_id)
    with pytest.raises(RunDeletedError, match=run_id):
        recorder.ensure_run(run_id=run_id)
    recorder.restore_run(run_id)
    assert recorder.ensure_run(run_id=run_id) == run_id
    recorder.delete_run(run_id)
    outage.come_back()
    recorder.close()

    with pytest.raises(RunNotFoundError):
        bare.get_run(run_id)
    bare.restore_run(run_id)


def test_a_change_that_the_store_refuses_is_told_while_it_answers(open_recorder: OpenRecorder) -> None:
    recorder = open_recorder()
    run_id = recorder.ensure_run(recorder.get_or_create_experiment("x"), tags={"a": "x" * 65_000})

    with pytest.raises(RunNotFoundError, match="absent"):
        recorder.rename_run("absent", "n")
    with pytest.raises(InvalidValueError, match="tags"):
        recorder.set_tags(run_id, {f"{number}": "x" * 65_000 for number in range(16)})

    assert recorder.get_run(run_id).tags == {"a": "x" * 65_000}
    assert recorder.health().runs[run_id].calls.quarantined == 0


def test_a_kill_between_two_changes_undoes_nothing_that_another_writer_changed_since(
    bare: MemoryStore, fast_path: Path
) -> None:
    folder = write(
        fast_path / "writer",
        [
            encode(EXPERIMENT),
            encode(run_record("run-1")),
            change("run-1", name="ours"),
            encode(ExperimentChangeRecord(at_us=5, experiment_id=experiment_id_of("x"), change=_described("ours"))),
            change("run-1", note="ours"),
        ],
    )
    journal = Journal.adopt(folder)
    assert journal is not None
    killed = Leftover(journal)
    is_second = iter([False, True])

    def fault(call: str) -> str | None:
        return "away" if call == "change_run" and next(is_second) else None

    with pytest.raises(TryLaterError):
        killed.step(faulty(bare, fault))
    journal.close(remove=False)  # without a word to the cursor, as a kill leaves it
    bare.rename_run("run-1", "theirs")
    bare.describe_experiment(experiment_id_of("x"), "theirs")

    drain(folder, bare)

    run = bare.get_run("run-1")
    assert (run.name, run.note) == ("theirs", "ours")
    assert bare.get_experiment(experiment_id_of("x")).description == "theirs"


def test_what_was_changed_while_the_database_was_away_undoes_nothing_that_others_changed_later(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    experiment_id = bare.get_or_create_experiment("x", description="first")
    run_id, restored, kept = (bare.ensure_run(experiment_id, name="first", tags={"a": "1"}) for _ in range(3))
    gone = bare.get_or_create_experiment("gone")
    outage = Away()
    recorder = open_recorder(outage)
    recorder.get_or_create_experiment("gone")
    recorder.rename_run(run_id, "away")
    recorder.set_note(run_id, "away")
    recorder.set_tags(run_id, {"a": "away", "b": "away"})
    recorder.archive_run(run_id)
    recorder.delete_run(restored)
    recorder.describe_experiment(experiment_id, "away")
    recorder.rename_run(kept, "away")

    bare.rename_run(run_id, "later")
    bare.set_note(run_id, "later")
    bare.set_tags(run_id, {"a": "later"})
    bare.archive_run(run_id)
    bare.unarchive_run(run_id)
    bare.delete_run(restored)
    bare.restore_run(restored)
    bare.describe_experiment(experiment_id, "later")
    bare.delete_experiment(gone)
    outage.come_back()
    recorder.close()

    run = bare.get_run(run_id)
    assert (run.name, run.note, run.tags, run.archived_at) == ("later", "later", {"a": "later", "b": "away"}, None)
    assert (bare.get_run(restored).name, bare.get_run(kept).name) == ("first", "away")
    assert bare.get_experiment(experiment_id).description == "later"
    assert bare.find_experiment("gone") is None
    assert all(of_run.calls.quarantined == 0 for of_run in recorder.health().runs.values())


def test_a_change_whose_reply_was_lost_is_made_once(bare: MemoryStore, fast_path: Path) -> None:
    deletion = ExperimentChange(at_us=5, is_deleted=True)
    folder = write(
        fast_path / "writer",
        [
            encode(EXPERIMENT),
            encode(run_record("run-1")),
            change("run-1", is_archived=True),
            encode(ExperimentChangeRecord(at_us=5, experiment_id=experiment_id_of("x"), change=deletion)),
        ],
    )
    journal = Journal.adopt(folder)
    assert journal is not None
    leftover = Leftover(journal)
    store = faulty(bare, Faults([None, None, None, None, None, "lost reply", "lost reply", None, "lost reply"]))

    for _ in range(20):
        try:
            if not leftover.step(store):
                break
        except TryLaterError:
            continue

    assert leftover.counts.quarantined == 0
    assert bare.find_experiment("x") is None
    bare.restore_run("run-1")
    assert bare.get_run("run-1").archived_at == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=5)


@pytest.mark.parametrize("is_purged", [False, True], ids=["deleted", "purged"])
def test_a_late_journal_of_a_deleted_run_does_not_bring_it_back_and_other_runs_go_on(
    bare: MemoryStore, fast_path: Path, *, is_purged: bool
) -> None:
    bare.get_or_create_experiment("x")
    bare.ensure_run(experiment_id_of("x"), run_id="gone")
    bare.delete_run("gone")
    if is_purged:
        purge(bare)
    payloads = [encode(run_record("gone")), _points("gone", 1), change("gone", name="late"), _points("gone", 2)]
    others = [encode(run_record("other")), _points("other", 1)]

    leftover = drain(write(fast_path / "writer", [*payloads, *others, _points("gone", 3)]), bare)

    with pytest.raises(RunNotFoundError):
        bare.get_run("gone")
    assert list(bare.get_history("other", "loss", "train").steps) == [1]
    assert leftover.counts.quarantined == 0
    assert leftover.counts.runs["gone"].dropped_calls == (5 if is_purged else 2)
    assert leftover.counts.runs["gone"].dropped_points == (3 if is_purged else 0)
    if is_purged:
        with pytest.raises(RunDeletedError):
            bare.restore_run("gone")
    else:
        bare.restore_run("gone")
        assert list(bare.get_history("gone", "loss", "train").steps) == [1, 2, 3]


@pytest.mark.parametrize("is_purged", [False, True], ids=["deleted", "purged"])
def test_a_run_whose_parent_was_deleted_meanwhile_is_stored_all_the_same(
    open_recorder: OpenRecorder, bare: MemoryStore, *, is_purged: bool
) -> None:
    experiment_id = bare.get_or_create_experiment("x")
    parent = bare.ensure_run(experiment_id)
    outage = Away()
    recorder = open_recorder(outage)
    child = recorder.ensure_run(experiment_id, parent_run_id=parent)
    recorder.log_metrics(child, [MetricPoint("loss", 0.5, step, "train") for step in (1, 2)])

    bare.delete_run(parent)
    if is_purged:
        purge(bare)
    outage.come_back()
    recorder.close()

    assert (recorder.health().runs[child].calls.quarantined, recorder.health().runs[child].points.stored) == (0, 2)
    assert bare.get_run(child).parent_run_id == parent
    assert list(bare.get_history(child, "loss", "train").steps) == [1, 2]


def test_a_release_that_knows_no_changes_keeps_them_for_one_that_does(
    open_recorder: OpenRecorder, bare: MemoryStore, fast_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = open_recorder(Away())
    run_id = recorder.ensure_run(recorder.get_or_create_experiment("x"), name="first")
    recorder.rename_run(run_id, "second")
    recorder.log_metrics(run_id, [MetricPoint("loss", 0.5, 1, "train")])
    die(recorder)
    (folder,) = leftovers(next((fast_path / "journals").iterdir()))

    with monkeypatch.context() as old:
        old.setattr(records_module, "_decoder", msgspec.msgpack.Decoder(OLD_RECORDS))
        drain(folder, bare)
    name, steps = bare.get_run(run_id).name, list(bare.get_history(run_id, "loss", "train").steps)
    refused = sum(count_refused(fast_path).values())
    done = requeue_refused(bare, IDENTITY, state_dir=fast_path)

    assert (name, steps, refused) == ("first", [1], 1)
    assert (done.stored, done.refused) == (1, 0)
    assert bare.get_run(run_id).name == "second"


def _described(text: str) -> ExperimentChange:
    return ExperimentChange(at_us=5, description=text)
