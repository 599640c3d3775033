"""The contract on SQLite where a write-ahead log cannot be had, as on a network or cloud folder."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.sql_harness import SqliteHarness
from runstore.testing import RunStoreConformance, Unsupported
from support.mounts import without_shared_memory


class RollbackJournalHarness(SqliteHarness):
    """A file in a folder of its own on the mount."""

    effort = 0.3  # the same SQL is tried in full on a local disk

    def __init__(self, mount: Path) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="sqlite-", dir=mount)))
        self._mount = mount
        self._is_mounted = False

    def fresh(self) -> "RollbackJournalHarness":
        return RollbackJournalHarness(self._mount)

    def private(self) -> SqliteHarness:
        raise Unsupported("a full disk is tried on a local one")


@pytest.fixture(scope="module")
def harness() -> Iterator[RollbackJournalHarness]:
    with without_shared_memory() as (mount, _), RollbackJournalHarness(mount) as harness:
        yield harness


class TestSQLiteWithoutSharedMemory(RunStoreConformance):
    backend = "sqlite without shared memory"
