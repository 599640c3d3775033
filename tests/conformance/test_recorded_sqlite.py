"""The contract on the durable recorder around SQLite."""

from collections.abc import Iterator

import pytest

from conformance.recorded import Recorded
from conformance.sql_harness import SqliteHarness
from runstore.testing import RunStoreConformance


class RecordedSqliteHarness(Recorded, SqliteHarness):
    """A file of its own, behind journals."""

    def fresh(self) -> "RecordedSqliteHarness":
        return RecordedSqliteHarness()


@pytest.fixture(scope="module")
def harness() -> Iterator[RecordedSqliteHarness]:
    with RecordedSqliteHarness() as harness:
        yield harness


class TestRecordedSQLite(RunStoreConformance):
    backend = "recorded sqlite"
