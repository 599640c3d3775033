"""The whole contract on DuckDB."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from duckdb_harness import DuckHarness

from runstore.testing import RunStoreConformance


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckHarness]:
    folder: Path = tmp_path_factory.mktemp("duckdb")
    yield DuckHarness(folder)


class TestDuckDB(RunStoreConformance):
    backend = "duckdb (example)"
