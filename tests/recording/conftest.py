"""Recorders around the memory store, with short waits and journals of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from recording.faulty import faulty
from runstore.backend import BackendStore
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.recording import Recorder, RecorderOptions
from runstore.recording import outage as outage_module
from runstore.recording import worker as worker_module

IDENTITY = "memory://tests"

OpenRecorder = Callable[..., Recorder]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage_module, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(outage_module, "LONGEST_PAUSE_S", 0.01)
    monkeypatch.setattr(worker_module, "HURRIED_PAUSE_S", 0.01)
    monkeypatch.setattr(worker_module, "GATHER_S", 0.005)


@pytest.fixture
def database() -> MemoryDatabase:
    return MemoryDatabase()


@pytest.fixture
def bare(database: MemoryDatabase) -> MemoryStore:
    """The database seen without a recorder."""
    return MemoryStore(database)


@pytest.fixture
def open_recorder(database: MemoryDatabase, fast_path: Path) -> Iterator[OpenRecorder]:
    """Opens recorders on one memory database, with a fault for each call of the store if one is given."""
    opened = []

    def open_one(
        next_fault: Callable[[str], str | None] | None = None,
        *,
        open_store: Callable[[], BackendStore] | None = None,
        **options: Any,
    ) -> Recorder:
        def open_bare() -> BackendStore:
            store = MemoryStore(database)
            return store if next_fault is None else faulty(store, next_fault)

        given = {"state_dir": fast_path, "confirm_s": 120.0, "close_deadline_s": 20.0, **options}
        recorder = Recorder(
            open_store or open_bare,
            identity=IDENTITY,
            options=RecorderOptions(**given),
        )
        opened.append(recorder)
        return recorder

    yield open_one
    for recorder in opened:
        recorder.close(deadline_s=0.1)
