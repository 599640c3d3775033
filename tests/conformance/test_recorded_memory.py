"""The contract on the durable recorder around the reference store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.recording import Recorder, RecorderOptions
from runstore.testing import Harness, RunStoreConformance
from support import going_back


class RecordedMemoryHarness(Harness):
    """A database that lives inside this process, behind journals on disk."""

    is_immediate = False

    def __init__(self, folder: Path) -> None:
        self._database = MemoryDatabase()
        self._folder = folder

    def open(self) -> Recorder:
        store = Recorder(
            lambda: MemoryStore(self._database),
            identity=f"memory://{id(self._database)}",
            options=RecorderOptions(state_dir=self._folder),
        )
        store.wait_until_opened()
        return store

    def open_recorded(self) -> Recorder:
        return self.open()

    def back_up(self) -> Callable[[], None]:
        return going_back.of_memory(self._database)

    def fresh(self) -> "RecordedMemoryHarness":
        return RecordedMemoryHarness(self._folder)

    def age_artifacts(self, days: float) -> None:
        self._database.blobs.age(days)


class TestRecordedMemory(RunStoreConformance):
    backend = "recorded memory"

    @pytest.fixture
    def harness(self, fast_path: Path) -> RecordedMemoryHarness:
        return RecordedMemoryHarness(fast_path)
