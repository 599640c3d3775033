"""The whole contract on DuckDB."""

from pathlib import Path

import pytest
from duckdb_harness import DuckHarness

from runstore.testing import RunStoreConformance


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> DuckHarness:
    folder: Path = tmp_path_factory.mktemp("duckdb")
    return DuckHarness(folder)


class TestDuckDB(RunStoreConformance):
    backend = "duckdb (example)"
