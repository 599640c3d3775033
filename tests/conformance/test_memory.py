"""The contract on the reference store."""

import pytest

from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.testing import Harness, RunStoreConformance


class MemoryHarness(Harness):
    """A database that lives inside this process."""

    def __init__(self) -> None:
        self._database = MemoryDatabase()

    def open(self) -> MemoryStore:
        return MemoryStore(self._database)

    def fresh(self) -> "MemoryHarness":
        return MemoryHarness()

    def age_artifacts(self, days: float) -> None:
        self._database.blobs.age(days)


class TestMemory(RunStoreConformance):
    @pytest.fixture
    def harness(self) -> MemoryHarness:
        return MemoryHarness()
