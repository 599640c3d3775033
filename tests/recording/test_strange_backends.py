"""Backends that raise what no store should: nothing is lost, and the log says what happened and no secret."""

import logging
from pathlib import Path
from typing import Any

import pytest

from recording.conftest import IDENTITY
from runstore import MetricPoint, StoreUnavailableError
from runstore.memory import MemoryDatabase, MemoryStore
from runstore.recording import Recorder, RecorderOptions
from runstore.series import SeriesColumns
from support.dying import wait_for
from support.walking import found_below

PASSWORD = "s3cret-pw"


class Panic(BaseException):
    """As an extension in Rust raises one."""


class Strange(MemoryStore):
    """Raises something until it is mended."""

    raised: BaseException | None = None

    def append(self, run_id: str, series: SeriesColumns) -> None:
        if self.raised is not None:
            raise self.raised
        super().append(run_id, series)


class RefusesLargeCalls(MemoryStore):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        if sum(len(columns.steps) for columns in series.values()) > 10:
            raise RuntimeError(f"postgresql://me:{PASSWORD}@host/runs: too much")
        super().append(run_id, series)


def opened(path: Path, store: type[MemoryStore], database: MemoryDatabase, **options: Any) -> Recorder:
    given = {"state_dir": path, "confirm_s": 120.0, "close_deadline_s": 20.0, "away_deadline_s": 0.2, **options}
    return Recorder(lambda: store(database), identity=IDENTITY, options=RecorderOptions(**given))


def test_an_exit_inside_a_backend_ends_no_drain_and_loses_nothing(
    fast_path: Path, database: MemoryDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = opened(fast_path, Strange, database)
    run_id = recorder.ensure_run(recorder.get_or_create_experiment("e"))
    monkeypatch.setattr(Strange, "raised", SystemExit(3))
    recorder.log_metrics(run_id, [MetricPoint("loss", 0.0, 0)])
    wait_for(lambda: recorder.health().last_error is not None)
    with pytest.raises(StoreUnavailableError, match="SystemExit"):
        recorder.flush(deadline_s=0.05)
    monkeypatch.setattr(Strange, "raised", None)

    for step in range(1, 20):
        recorder.log_metrics(run_id, [MetricPoint("loss", float(step), step)])
    recorder.log_config(run_id, {"lr": 0.1})

    assert list(recorder.get_history(run_id, "loss", "other").steps) == list(range(20))
    assert recorder.get_config(run_id) == {"lr": 0.1}
    recorder.close()


def test_a_panic_of_a_driver_is_a_refusal_of_its_record_alone(
    fast_path: Path, database: MemoryDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(fast_path, Strange, database) as recorder:
        run_id = recorder.ensure_run(recorder.get_or_create_experiment("e"))
        monkeypatch.setattr(Strange, "raised", Panic("index out of bounds"))
        recorder.log_metrics(run_id, [MetricPoint("loss", 0.0, 0)])
        recorder.flush()
        monkeypatch.setattr(Strange, "raised", None)

        for step in range(1, 20):
            recorder.log_metrics(run_id, [MetricPoint("loss", float(step), step)])

        assert list(recorder.get_history(run_id, "loss", "other").steps) == list(range(1, 20))
        assert recorder.health().quarantined_records == 1
    (letters,) = found_below(fast_path, "journals/*/quarantine/*/dead-letters.jsonl")
    assert "Panic: index out of bounds" in letters.read_text()


def test_a_backends_error_for_a_large_call_shows_no_password(
    fast_path: Path, database: MemoryDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), opened(fast_path, RefusesLargeCalls, database) as recorder:
        run_id = recorder.ensure_run(recorder.get_or_create_experiment("e"))
        recorder.log_metrics(run_id, [MetricPoint("loss", float(step), step) for step in range(100)])
        recorder.finalize(run_id, "completed")
        assert len(recorder.get_history(run_id, "loss", "other")) == 100

    assert "smaller parts" in caplog.text
    assert PASSWORD not in caplog.text
