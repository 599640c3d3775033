"""The contract on SQLite."""

from collections.abc import Iterator

import pytest

from conformance.sql_harness import SqliteHarness
from runstore.testing import RunStoreConformance


@pytest.fixture(scope="module")
def harness() -> Iterator[SqliteHarness]:
    with SqliteHarness() as harness:
        yield harness


class TestSQLite(RunStoreConformance):
    backend = "sqlite"
