"""Stores for exports and imports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exporting.filling import filled_store
from runstore import open_store
from runstore.backend import BackendStore


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with something of everything, and a long history, which no test changes."""
    return filled_store(tmp_path_factory.mktemp("filled"))


@pytest.fixture
def target(tmp_path: Path) -> Iterator[BackendStore]:
    """An empty store."""
    with open_store(f"sqlite:///{tmp_path / 'target.db'}", durable=False) as store:
        assert isinstance(store, BackendStore)
        yield store
