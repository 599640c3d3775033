"""Each test of this folder that asks for ``url`` or ``store`` runs on SQLite, PostgreSQL and MariaDB."""

from collections.abc import Iterator

import pytest

from runstore.hookspecs import OpenOptions
from runstore_sql.opening import open_sql
from runstore_sql.store import SqlStore


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.server),
        pytest.param("mariadb", marks=pytest.mark.server),
    ]
)
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    """A store on a new database; the test ends with no connection checked out."""
    with open_sql(url, OpenOptions()) as store:
        yield store
        assert store.connections_in_use() == 0


@pytest.fixture
def run_id(store: SqlStore) -> str:
    return store.ensure_run(store.get_or_create_experiment("experiment"))
