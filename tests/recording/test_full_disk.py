"""The database's disk is full, really: a file system of a few megabytes with a SQLite file and ballast on it."""

import contextlib
import threading
from pathlib import Path

import pytest

from runstore.model import MetricPoint
from runstore.opening.stores import open_store
from runstore.recording import Recorder


def fill(folder: Path) -> Path:
    ballast = folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    return ballast


def test_what_is_logged_while_the_databases_disk_is_full_is_stored_when_it_is_not(
    small_disk: Path, fast_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(fast_path))
    store = open_store(f"sqlite:///{small_disk / 'runs.db'}")
    assert isinstance(store, Recorder)
    run_id = store.ensure_run(store.get_or_create_experiment("x"))
    store.flush()

    ballast = fill(small_disk)
    for step in range(2000):  # more than the few free pages of the file take
        store.log_metrics(run_id, [MetricPoint(name=name, value=1.0, step=step) for name in "abcdefghij"])
    pause = threading.Event()
    for _ in range(600):
        if "disk is full" in str(store.health().last_error):
            break
        pause.wait(0.1)
    pause.wait(1.0)  # a hundred tries, with the pauses of these tests
    while_full = store.health()
    ballast.unlink()
    store.flush()

    assert "StoreFullError" in str(while_full.last_error)
    assert while_full.quarantined_records == 0
    assert while_full.waiting_bytes > 0
    assert store.health().is_all_stored
    assert {series.count for series in store.get_summaries(run_id)} == {2000}
    store.close()


def test_what_is_logged_to_a_database_whose_disk_was_full_from_the_start_is_stored_when_it_is_not(
    small_disk: Path, fast_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(fast_path))
    ballast = fill(small_disk)

    with open_store(f"sqlite:///{small_disk / 'runs.db'}") as store:
        assert isinstance(store, Recorder)
        run_id = store.ensure_run(store.get_or_create_experiment("x"))
        store.log_metrics(run_id, [MetricPoint(name="loss", value=1.0, step=0)])
        while_full = store.health()
        ballast.unlink()
        store.flush()

        assert while_full.waiting_bytes > 0
        assert store.health().is_all_stored
        assert store.get_summaries(run_id)[0].count == 1
