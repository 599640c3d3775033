"""The contract on three nodes of MariaDB Galera."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import cycle
from typing import Any, cast

import pytest
import sqlalchemy as sa

from conformance.sql_harness import ServerHarness, in_background
from runstore import open_reader
from runstore.backend import Store
from runstore.opening import open_store
from runstore.testing import RunStoreConformance, Unsupported
from runstore.testing.harness import open_url
from runstore_sql.store import SqlStore
from support import session
from support.engines import Server, database_of
from support.galera import Galera

pytestmark = pytest.mark.server


class GaleraHarness(ServerHarness):
    """A database of a cluster's, as docs/clusters.md says: this process's writers name the nodes in one order.

    Its readers, and writers in other processes, go through the nodes in turn.
    """

    effort = 0.05

    def __init__(self, server: Server, **more: Any) -> None:
        super().__init__(server, **more)
        assert isinstance(server, Galera)
        self._galera = server
        self._nodes = cycle(range(server.nodes))

    def open(self) -> Store:
        if self._proxy is not None:  # it stands before the first node
            return super().open()
        store = open_url(self._galera.on(self.url, 0, 1, 2))
        assert isinstance(store, SqlStore)
        self._stores.add(store)
        return store

    def open_reader(self) -> Store:
        return cast("Store", open_reader(self._next_url()))

    def open_recorded(self) -> Store:
        return open_store(self._galera.on(self.url, 0, 1, 2))

    def recipe(self) -> Callable[[], Store]:
        return partial(open_url, self._next_url())

    def hold_lock(self, run_id: str, seconds: float) -> None:
        """A rival's locks, which a call through another node does not wait for: the rival is undone."""

        def hold(holds: threading.Event) -> None:
            with suppress(sa.exc.OperationalError), self.admin() as connection:
                found = connection.execute(
                    sa.text("SELECT pk FROM runstore_run WHERE id = :id FOR UPDATE"), {"id": run_id}
                )
                connection.execute(
                    sa.text("SELECT pk FROM runstore_series WHERE run_pk = :pk FOR UPDATE"), {"pk": found.scalar_one()}
                ).all()
                holds.set()
                time.sleep(seconds)

        in_background(hold)

    def private(self) -> "GaleraHarness":
        raise Unsupported("the cluster is shared; other tests kill its nodes and cut them off")

    def open_transactions(self) -> int:
        name, own = database_of(self.url), "p.ID <> CONNECTION_ID()"
        asked = (
            "SELECT count(*) FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p "
            f"ON p.ID = t.trx_mysql_thread_id WHERE p.DB = '{name}' AND {own}"
        )
        return sum(int(self._galera.ask(node, asked)[0][0]) for node in range(self._galera.nodes))

    @contextmanager
    def admin(self) -> Iterator[sa.Connection]:
        with super().admin() as connection:
            connection.exec_driver_sql("SET SESSION wsrep_sync_wait = 7")
            connection.commit()
            yield connection

    def _next_url(self) -> str:
        return self.url if self._proxy is not None else self._galera.on(self.url, next(self._nodes))


@pytest.fixture(scope="module")
def harness(request: pytest.FixtureRequest) -> Iterator[GaleraHarness]:
    server = session.server_or_skip("mariadb-galera", request)
    with GaleraHarness(server) as harness:
        yield harness


class TestGalera(RunStoreConformance):
    backend = "mariadb galera"
