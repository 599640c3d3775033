"""A store that has forgotten what it acknowledged is told again, and nothing is written over."""

import threading
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from recording.conftest import OpenRecorder
from runstore.cli.recorders import recorder_table
from runstore.errors import SettingsError
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.model import MetricPoint, RunStatus, SeriesSummary
from runstore.recording import Recorder, RecorderOptions, stored_health
from runstore.recording.again.lookout import Lookout
from runstore.recording.again.resend import Resend
from runstore.recording.keeping import Keeping, keeping_of
from runstore_ui.run.recorders import recorders_of


class Backup:
    """What a database held at one moment; restoring it forgets the rest, as a backup or a standby that lagged does."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database
        self._kept = self._copy(database)

    @staticmethod
    def _copy(database: MemoryDatabase) -> dict[str, Any]:
        with database.lock:
            return {name: deepcopy(value) for name, value in vars(database).items() if name != "lock"}

    def restore(self) -> None:
        with self._database.lock:
            vars(self._database).update(deepcopy(self._kept))


class Outages:
    """Lets the store be away, and has it do something before it answers again."""

    def __init__(self) -> None:
        self.is_away = False
        self.has_failed = threading.Event()

    def __call__(self, name: str) -> str | None:
        if self.is_away and name != "close":
            self.has_failed.set()
            return "away"
        return None

    def over(self, meanwhile: Callable[[], None], recorder: Recorder, run_id: str) -> None:
        """The store goes away, something happens to it, and it comes back."""
        self.has_failed.clear()
        self.is_away = True
        recorder.log_metrics(run_id, [MetricPoint(name="outage", value=0.0, step=0)])
        assert self.has_failed.wait(timeout=60)
        meanwhile()
        self.is_away = False


@pytest.fixture
def outages() -> Outages:
    return Outages()


@pytest.fixture
def recorder(open_recorder: OpenRecorder, outages: Outages) -> Recorder:
    return open_recorder(outages)


def log(recorder: Recorder, run_id: str, steps: range, *, name: str = "loss", times: float = 1.0) -> None:
    for step in steps:
        recorder.log_metrics(run_id, [MetricPoint(name=name, value=step * times, step=step, dataset_type="train")])


def begun(recorder: Recorder, **given: Any) -> str:
    return recorder.ensure_run(recorder.get_or_create_experiment("going back", description="of stores"), **given)


def points(bare: MemoryStore, run_id: str, name: str = "loss") -> dict[int, float]:
    history = bare.get_history(run_id, name, "train")
    return dict(zip(history.steps, history.values, strict=True))


def read(bare: MemoryStore, run_id: str, name: str) -> bytes:
    with bare.open_artifact(run_id, name) as file:
        return file.read()


def test_points_that_were_forgotten_in_an_outage_are_sent_again(
    recorder: Recorder, outages: Outages, bare: MemoryStore, database: MemoryDatabase
) -> None:
    run_id = begun(recorder)
    log(recorder, run_id, range(100))
    recorder.flush()
    backup = Backup(database)
    log(recorder, run_id, range(100, 300))
    recorder.flush()

    outages.over(backup.restore, recorder, run_id)
    log(recorder, run_id, range(300, 310))
    recorder.flush()

    assert points(bare, run_id) == {step: float(step) for step in range(310)}
    told = recorder.health().runs[run_id].sent_again
    assert told is not None
    assert (told.points_missing, told.points, told.lost) == (200, 200, ())
    assert recorder.health().is_all_stored


def test_a_run_that_was_forgotten_is_begun_again_with_all_that_it_had(
    recorder: Recorder, outages: Outages, bare: MemoryStore, database: MemoryDatabase, tmp_path: Path
) -> None:
    backup = Backup(database)
    recorder.get_or_create_experiment("going back")
    parent = begun(recorder, name="parent")
    run_id = begun(recorder, name="one", tags={"a": "b"}, parent_run_id=parent, provenance={"git": "abc"})
    recorder.log_config(run_id, {"lr": 0.1, "model": {"depth": 3}})
    recorder.log_config(run_id, {"lr": 0.2})
    log(recorder, run_id, range(50))
    (tmp_path / "weights").write_bytes(b"weights")
    kept = recorder.log_artifact(run_id, tmp_path / "weights")
    recorder.set_note(run_id, "a note")
    recorder.finalize(parent, "completed")
    recorder.flush()
    before = bare.get_run(run_id)

    outages.over(backup.restore, recorder, run_id)
    recorder.finalize(run_id, "completed")
    recorder.close()

    after = bare.get_run(run_id)
    assert (after.name, after.tags, after.note, after.start_time, after.parent_run_id, after.provenance) == (
        before.name, before.tags, before.note, before.start_time, before.parent_run_id, before.provenance,
    )  # fmt: skip
    assert (after.status, after.attempt) == (RunStatus.COMPLETED, 1)
    assert bare.get_config(run_id) == {"lr": 0.2, "model": {"depth": 3}}
    assert points(bare, run_id) == {step: float(step) for step in range(50)}
    assert read(bare, run_id, "weights") == b"weights"
    assert next(each for each in bare.list_artifacts(run_id) if each.name == "weights").sha256 == kept.sha256
    assert bare.get_experiment(bare.get_run(run_id).experiment_id).description == "of stores"


def test_a_run_that_was_forgotten_unnoticed_is_ended_without_an_error(
    recorder: Recorder, bare: MemoryStore, database: MemoryDatabase
) -> None:
    backup = Backup(database)
    run_id = begun(recorder)
    log(recorder, run_id, range(50))
    recorder.flush()

    backup.restore()
    recorder.finalize(run_id, "completed")
    recorder.close()

    assert bare.get_run(run_id).status == RunStatus.COMPLETED
    assert points(bare, run_id) == {step: float(step) for step in range(50)}


def test_points_that_were_forgotten_unnoticed_are_sent_again_when_the_run_ends(
    recorder: Recorder, bare: MemoryStore, database: MemoryDatabase
) -> None:
    run_id = begun(recorder)
    log(recorder, run_id, range(10))
    recorder.flush()
    backup = Backup(database)
    log(recorder, run_id, range(10, 50))
    recorder.log_config(run_id, {"late": True})
    recorder.flush()

    backup.restore()
    log(recorder, run_id, range(50, 60))
    recorder.finalize(run_id, "completed")
    recorder.close()

    assert points(bare, run_id) == {step: float(step) for step in range(60)}
    assert bare.get_config(run_id) == {"late": True}
    told = recorder.health().runs[run_id].sent_again
    assert told is not None
    assert (told.points, told.lost) == (40, ())


def test_an_end_that_was_forgotten_is_told_again_though_the_run_was_resumed(
    recorder: Recorder, outages: Outages, bare: MemoryStore, database: MemoryDatabase
) -> None:
    run_id, other = begun(recorder), begun(recorder)
    log(recorder, run_id, range(10))
    recorder.flush()
    backup = Backup(database)
    outages.is_away = True
    recorder.finalize(run_id, "failed")
    recorder.ensure_run(run_id=run_id, resume=True)
    recorder.finalize(run_id, "completed")
    outages.is_away = False
    recorder.flush()
    assert bare.get_run(run_id).attempt == 2

    outages.over(backup.restore, recorder, other)
    recorder.close()

    assert (bare.get_run(run_id).status, bare.get_run(run_id).attempt) == (RunStatus.COMPLETED, 2)


def test_what_others_wrote_since_is_not_written_over(
    recorder: Recorder, outages: Outages, bare: MemoryStore, database: MemoryDatabase
) -> None:
    run_id = begun(recorder)
    log(recorder, run_id, range(10))
    recorder.log_config(run_id, {"lr": 0.1})
    recorder.rename_run(run_id, "ours")
    recorder.flush()
    backup = Backup(database)
    log(recorder, run_id, range(10, 20))
    recorder.log_config(run_id, {"seed": 1, "late": 1})
    recorder.rename_run(run_id, "ours, later")
    recorder.flush()

    def others_write() -> None:
        backup.restore()
        bare.log_metrics(
            run_id, [MetricPoint(name="loss", value=-1.0, step=step, dataset_type="train") for step in (3, 15)]
        )
        bare.log_config(run_id, {"seed": 2, "lr": 0.5})
        bare.rename_run(run_id, "a person's")

    outages.over(others_write, recorder, run_id)
    recorder.close()

    assert points(bare, run_id) == {**{step: float(step) for step in range(20)}, 3: -1.0, 15: -1.0}
    assert bare.get_config(run_id) == {"lr": 0.5, "seed": 2, "late": 1}
    assert bare.get_run(run_id).name == "a person's"


def test_a_value_that_was_logged_again_for_its_step_is_the_last_one(
    recorder: Recorder, outages: Outages, bare: MemoryStore, database: MemoryDatabase
) -> None:
    run_id = begun(recorder)
    log(recorder, run_id, range(10))
    recorder.log_config(run_id, {"lr": 0.1})
    recorder.flush()
    backup = Backup(database)
    log(recorder, run_id, range(5), times=2.0)
    recorder.log_config(run_id, {"lr": 0.2})
    recorder.flush()

    outages.over(backup.restore, recorder, run_id)
    recorder.close()

    assert points(bare, run_id) == {step: step * (2.0 if step < 5 else 1.0) for step in range(10)}
    assert bare.get_config(run_id) == {"lr": 0.2}


def test_a_change_that_alone_was_forgotten_is_made_again(
    recorder: Recorder, outages: Outages, bare: MemoryStore, database: MemoryDatabase
) -> None:
    run_id, other = begun(recorder), begun(recorder)
    recorder.flush()
    backup = Backup(database)
    recorder.set_note(run_id, "a note")
    recorder.flush()

    outages.over(backup.restore, recorder, other)
    recorder.close()

    assert bare.get_run(run_id).note == "a note"
    told = recorder.health().runs[run_id].sent_again
    assert told is not None
    assert (told.calls, told.lost) == (1, ())


def test_points_that_a_torn_backup_lacks_are_seen_once_the_store_has_gone_back(
    open_recorder: OpenRecorder, bare: MemoryStore, database: MemoryDatabase
) -> None:
    told: dict[str, list[SeriesSummary]] = {}

    class Torn(MemoryStore):
        def read_summaries(self, run_ids: Sequence[str]) -> dict[str, list[SeriesSummary]]:
            return {**super().read_summaries(run_ids), **{run_id: told[run_id] for run_id in run_ids if run_id in told}}

    recorder = open_recorder(open_store=lambda: Torn(database))
    run_id, other = begun(recorder), begun(recorder)
    log(recorder, run_id, range(20))
    recorder.flush()
    backup = Backup(database)
    recorder.log_config(other, {"seen": True})
    recorder.flush()

    backup.restore()
    told.update(bare.read_summaries([run_id]))
    with database.lock:
        del database.runs[run_id].series["loss", "train"].points[7]
    recorder.finalize(other, "completed")
    recorder.close()

    assert points(bare, run_id) == {step: float(step) for step in range(20)}
    assert bare.get_config(other) == {"seen": True}


def test_a_run_that_a_person_deleted_stays_deleted(recorder: Recorder, outages: Outages, bare: MemoryStore) -> None:
    run_id, other = begun(recorder), begun(recorder)
    log(recorder, run_id, range(10))
    recorder.flush()

    outages.over(lambda: bare.delete_run(run_id), recorder, other)
    recorder.close()

    assert not bare.has_run(run_id)
    assert recorder.health().runs[run_id].sent_again is None


def test_what_the_journal_does_not_hold_any_more_is_named(
    open_recorder: OpenRecorder, outages: Outages, bare: MemoryStore, database: MemoryDatabase
) -> None:
    recorder = open_recorder(outages, kept_bytes=4_000)
    run_id = begun(recorder)
    assert recorder._writer is not None  # noqa: SLF001 - small segments, so that few points fill several
    recorder._writer.journal.segment_bytes = 1_000  # noqa: SLF001 - as above
    backup = Backup(database)
    log(recorder, run_id, range(200))
    recorder.flush()

    outages.over(backup.restore, recorder, run_id)
    recorder.close()

    health = recorder.health()
    stored = points(bare, run_id)
    assert 0 < len(stored) < 200
    assert 199 in stored
    told = health.runs[run_id].sent_again
    assert told is not None
    assert "points" in told.lost[0]
    assert not health.is_all_stored
    assert health.repairable_since is not None
    reports = stored_health(run_id, bare.list_artifacts(run_id))
    title, rows = recorder_table(reports)
    assert title[1].startswith("LOST")
    assert any(told.lost[0] in row[1] for row in rows)
    assert not recorders_of(run_id, bare.list_artifacts(run_id)).is_whole


def test_settings_say_how_much_is_kept_and_for_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = keeping_of(RecorderOptions())
    monkeypatch.setenv("RUNSTORE_KEPT_MB", "5")
    monkeypatch.setenv("RUNSTORE_KEPT_MB_IN_ALL", "6")
    monkeypatch.setenv("RUNSTORE_KEPT_DAYS", "0")
    named = keeping_of(RecorderOptions())
    given = keeping_of(RecorderOptions(kept_bytes=7, kept_bytes_in_all=8, kept_days=9))
    monkeypatch.setenv("RUNSTORE_KEPT_DAYS", "-1")

    assert usual == Keeping(writer_bytes=256_000_000, all_bytes=2_048_000_000, days=7)
    assert named == Keeping(writer_bytes=5_000_000, all_bytes=6_000_000, days=0)
    assert given == Keeping(writer_bytes=7, all_bytes=8, days=9)
    with pytest.raises(
        SettingsError, match="RUNSTORE_KEPT_DAYS is '-1'; give a whole number of days, 0 to keep nothing"
    ):
        keeping_of(RecorderOptions())


def test_bytes_that_the_store_forgot_are_sent_again(
    recorder: Recorder, outages: Outages, bare: MemoryStore, database: MemoryDatabase, tmp_path: Path
) -> None:
    run_id = begun(recorder)
    recorder.flush()
    backup = Backup(database)
    (tmp_path / "folder").mkdir()
    for name in ("a", "b"):
        (tmp_path / "folder" / name).write_text(name)
    recorder.log_artifact(run_id, tmp_path / "folder")
    recorder.flush()

    outages.over(backup.restore, recorder, run_id)
    recorder.close()

    assert [read(bare, run_id, f"folder/{name}") for name in ("a", "b")] == [b"a", b"b"]


MUTANTS: dict[str, tuple[type, str, Callable[..., Any]]] = {
    "does not look again": (Lookout, "_look", lambda *_, **__: None),
    "looks but does not send": (Resend, "_send_journal", lambda *_, **__: None),
    "sends twice": (Resend, "_rest_of", lambda _self, _run_id, _series, columns, _top: columns),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_recorder_that_does_not_keep_what_is_promised_here_is_noticed(
    open_recorder: OpenRecorder,
    outages: Outages,
    database: MemoryDatabase,
    monkeypatch: pytest.MonkeyPatch,
    mutant: str,
) -> None:
    monkeypatch.setattr(*MUTANTS[mutant])
    broken = {
        "does not look again": test_points_that_were_forgotten_in_an_outage_are_sent_again,
        "looks but does not send": test_points_that_were_forgotten_in_an_outage_are_sent_again,
        "sends twice": test_what_others_wrote_since_is_not_written_over,
    }[mutant]

    with pytest.raises(AssertionError):
        broken(open_recorder(outages), outages, MemoryStore(database), database)
