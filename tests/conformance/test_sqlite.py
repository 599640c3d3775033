"""The contract on SQLite."""

from collections.abc import Iterator

import pytest

from conformance.sql_harness import SqliteHarness
from runstore.testing import RunStoreConformance


class TestSQLite(RunStoreConformance):
    @pytest.fixture(scope="class")
    def harness(self) -> Iterator[SqliteHarness]:
        with SqliteHarness() as harness:
            yield harness
