"""Harnesses of the SQL databases: the database seen from outside, and broken on purpose."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from runstore.backend import Store
from runstore.errors import StoreClosedError
from runstore.testing import Harness, Unsupported, age_files
from runstore.testing.harness import open_url
from runstore.testing.proxy import FaultProxy
from runstore_sql.store import SqlStore
from support import going_back
from support.engines import MariaDB, PostgreSQL
from support.processes import fast_directory
from support.servers import Server, private_server

DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "sqlite": "sqlite"}


class SqlHarness(Harness):
    """What all SQL databases have in common."""

    url: str

    def __init__(self) -> None:
        self._stores: weakref.WeakSet[SqlStore] = weakref.WeakSet()

    def open(self) -> Store:
        store = open_url(self.url)
        assert isinstance(store, SqlStore)
        self._stores.add(store)
        return store

    def open_connections(self) -> int:
        return sum(_in_use(store) for store in self._stores)

    def fingerprint(self) -> Hashable:
        with self.admin() as connection:
            inspector = sa.inspect(connection)
            tables = sorted([*inspector.get_table_names(), *inspector.get_view_names()])
            shape = {
                table: [(column["name"], repr(column["type"])) for column in inspector.get_columns(table)]
                for table in tables
            }
            quoted = connection.dialect.identifier_preparer.quote
            rows = {
                table: sorted(repr(tuple(row)) for row in connection.exec_driver_sql(f"SELECT * FROM {quoted(table)}"))
                for table in tables
            }
        return repr((shape, rows))

    def mark_newer(self, *, readable: bool) -> None:
        with self.admin() as connection:
            connection.exec_driver_sql("ALTER TABLE runstore_run ADD COLUMN of_the_future INTEGER")
            connection.exec_driver_sql("CREATE TABLE runstore_future (pk INTEGER)")
            connection.exec_driver_sql("UPDATE runstore_schema SET version = 99, written_by = '99.0'")
            if not readable:
                connection.exec_driver_sql("UPDATE runstore_schema SET min_reader = 98, min_writer = 98")
            connection.commit()

    def plant_foreign_schema(self) -> None:
        with self.admin() as connection:
            connection.exec_driver_sql("CREATE TABLE runs (colour INTEGER)")
            connection.exec_driver_sql("CREATE TABLE experiments (shape INTEGER)")
            connection.exec_driver_sql("INSERT INTO runs VALUES (7)")
            connection.commit()

    def damage_artifact(self, run_id: str, name: str) -> None:  # noqa: ARG002 - the only one in its database
        with self.admin() as connection:
            flipped = sa.text("UPDATE runstore_blob_chunk SET data = :data WHERE blob_pk = :blob AND number = :number")
            for blob, number, data in connection.exec_driver_sql(
                "SELECT blob_pk, number, data FROM runstore_blob_chunk"
            ):
                damaged = bytes([data[0] ^ 1]) + bytes(data[1:])
                connection.execute(flipped, {"data": damaged, "blob": blob, "number": number})
            connection.commit()

    def age_artifacts(self, days: float) -> None:
        with self.admin() as connection:
            older = sa.text("UPDATE runstore_blob SET created_us = created_us - :age")
            connection.execute(older, {"age": round(days * 86_400e6)})
            connection.commit()

    def hold_lock(self, run_id: str, seconds: float) -> None:
        def hold(holds: threading.Event) -> None:
            with self.admin() as connection:
                connection.execute(
                    sa.text("SELECT * FROM runstore_run WHERE id = :id FOR UPDATE"), {"id": run_id}
                ).all()
                connection.exec_driver_sql("SELECT * FROM runstore_series FOR UPDATE").all()
                holds.set()
                time.sleep(seconds)

        in_background(hold)

    @contextmanager
    def admin(self) -> Iterator[sa.Connection]:
        """A connection beside the store's own."""
        parts = urlsplit(self.url)
        engine = sa.create_engine(
            urlunsplit(parts._replace(scheme=DRIVERS[parts.scheme])) if parts.netloc else self.url, poolclass=NullPool
        )
        with engine.connect() as connection:
            yield connection


class ServerHarness(SqlHarness):
    """A database of PostgreSQL or MariaDB."""

    def __init__(
        self,
        server: Server,
        *,
        url: str | None = None,
        proxy: FaultProxy | None = None,
        owned: ExitStack | None = None,
    ) -> None:
        super().__init__()
        self._server = server
        self._is_ours = url is None
        self._owned = owned
        self._proxy = proxy
        self.url = url or server.new_database()

    def fresh(self) -> "ServerHarness":
        return type(self)(self._server)

    def faulty(self) -> "ServerHarness":
        parts = urlsplit(self.url)
        proxy = FaultProxy("127.0.0.1", self._server.ports[0])
        netloc = f"{parts.username}@127.0.0.1:{proxy.port}"
        return type(self)(self._server, url=urlunsplit(parts._replace(netloc=netloc)), proxy=proxy)

    def private(self) -> "ServerHarness":
        owned = ExitStack()
        return type(self)(owned.enter_context(private_server(self._server.kind)), owned=owned)

    def close(self) -> None:
        if self._proxy is not None:
            self._proxy.close()
        if self._is_ours:
            self._server.drop_database(self.url)
        if self._owned is not None:
            self._owned.close()

    def back_up(self) -> Callable[[], None]:
        if isinstance(self._server, PostgreSQL):
            return going_back.of_postgresql(self._server, self.url)
        assert isinstance(self._server, MariaDB)
        return going_back.of_mariadb(self._server, self.url)

    def open_transactions(self) -> int:
        statement = {
            "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%%'",
            "mariadb": "SELECT count(*) FROM information_schema.INNODB_TRX t "
            "JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id "
            "WHERE p.DB = DATABASE() AND p.ID <> CONNECTION_ID()",
        }[self._server.kind]
        with self.admin() as connection:
            return int(connection.exec_driver_sql(statement).scalar_one())

    def open_with_password(self, password: str) -> Store:
        parts = urlsplit(self.url)
        netloc = f"stranger:{quote(password, safe='')}@127.0.0.1:{self._server.ports[0]}"
        return open_url(urlunsplit(parts._replace(netloc=netloc, path="/no_such_database")))

    def open_refused(self) -> Store:
        return self.open_with_password("wrong")

    def drop_connections(self) -> None:
        self._through_proxy().drop()

    def outage(self) -> AbstractContextManager[None]:
        return self._through_proxy().away()

    def cut_after(self, statements: int) -> AbstractContextManager[Callable[[], bool]]:
        return self._through_proxy().cut_after(statements)

    def count_round_trips(self) -> AbstractContextManager[Callable[[], int]]:
        return self._through_proxy().counted()

    def restart(self) -> None:
        if self._owned is None:
            raise Unsupported("the server is shared")
        self._server.kill()
        self._server.start()

    def _through_proxy(self) -> FaultProxy:
        if self._proxy is None:
            raise Unsupported("the connections do not pass through a proxy")
        return self._proxy


class SqliteHarness(SqlHarness):
    """A file of its own in a directory of its own."""

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__()
        self._folder = folder or Path(tempfile.mkdtemp(prefix="sqlite-", dir=fast_directory()))
        self._is_mounted = folder is not None
        self.path = self._folder / "runs.sqlite"
        self.url = f"sqlite:///{self.path}"

    def fresh(self) -> "SqliteHarness":
        return SqliteHarness()

    def private(self) -> "SqliteHarness":
        folder = Path(tempfile.mkdtemp(prefix="sqlite-disk-"))
        command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
            folder.rmdir()
            raise Unsupported("a small disk of its own cannot be mounted here (needs root)")
        return SqliteHarness(folder)

    def close(self) -> None:
        if self._is_mounted:
            subprocess.run(["umount", "-l", str(self._folder)], check=True)
        shutil.rmtree(self._folder)

    @contextmanager
    def full(self) -> Iterator[None]:
        if not self._is_mounted:
            raise Unsupported("the disk is shared")
        filler = self._folder / "filler"
        free = shutil.disk_usage(self._folder).free
        filler.write_bytes(b"\0" * max(0, free - 256 * 1024))
        try:
            yield
        finally:
            filler.unlink()

    def back_up(self) -> Callable[[], None]:
        return going_back.of_sqlite(self.path)

    def open_transactions(self) -> int:
        with closing(sqlite3.connect(self.path, timeout=0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN EXCLUSIVE")
                connection.execute("ROLLBACK")
            except sqlite3.OperationalError:
                return 1
        return 0

    def hold_lock(self, run_id: str, seconds: float) -> None:  # noqa: ARG002 - the lock is the whole file's
        def hold(holds: threading.Event) -> None:
            connection = sqlite3.connect(self.path, isolation_level=None)
            connection.execute("BEGIN IMMEDIATE")
            holds.set()
            time.sleep(seconds)
            connection.execute("ROLLBACK")
            connection.close()

        in_background(hold)

    def damage_artifact(self, run_id: str, name: str) -> None:
        with open_url(self.url) as store:
            (record,) = (each for each in store.list_artifacts(run_id) if each.name == name)
        path = Path(record.uri)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    def age_artifacts(self, days: float) -> None:
        age_files(self._folder, days)


def _in_use(store: SqlStore) -> int:
    try:
        return store.connections_in_use()
    except StoreClosedError:
        return 0


def in_background(work: Callable[[threading.Event], Any]) -> None:
    """Runs ``work`` in a thread and returns once it has set its event."""
    holds = threading.Event()
    threading.Thread(target=work, args=(holds,), daemon=True).start()
    assert holds.wait(240), "the rival never got its lock"
