"""Where the contestants store: files on a real disk, and servers of our own that wait for it (fsync on)."""

import os
import secrets
import shutil
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support import processes
from support.servers import Server, private_server

KINDS = {"postgresql": "postgresql", "mariadb": "mariadb", "mongodb": "mongodb-replica"}
"""The server of each backend. MongoDB is a replica set of one node: a standalone one has no transactions."""


class Place:
    """An empty database and directory for one contestant, gone when released."""

    def __init__(self, backend: str, directory: Path, server: Server | None) -> None:
        self.backend = backend
        self.directory = directory / secrets.token_hex(4)
        self.directory.mkdir()
        self._server = server
        self.url = server.new_database() if server else f"sqlite:///{self.directory}/runs.db"

    def as_task(self) -> dict[str, str]:
        """What a worker needs to know."""
        return {"url": self.url, "directory": str(self.directory)}

    def size(self) -> int:
        """Bytes of tables and indexes, or of the files."""
        return size_of(self.url, self.directory)

    def settle(self) -> None:
        """Does what a server does by itself some time after much was written: statistics, and PostgreSQL's VACUUM."""
        settle = {"postgresql": _settle_postgresql, "mariadb": _settle_mariadb}.get(self.backend)
        if settle:
            settle(self.url)

    def release(self) -> None:
        """Drops the database and removes the directory."""
        if self._server:
            self._server.drop_database(self.url)
        shutil.rmtree(self.directory, ignore_errors=True)


class Places:
    """The servers of one run of the suite, each started when it is first needed."""

    def __init__(self, directory: Path, stack: Any) -> None:
        self._directory = directory
        self._stack = stack
        self._servers: dict[str, Server] = {}
        self._lock = threading.Lock()

    def new(self, backend: str) -> Place:
        """An empty place.

        Raises:
            ServerUnavailableError: this machine cannot run such a server; says why.
        """
        with self._lock:
            if backend in KINDS and backend not in self._servers:
                self._servers[backend] = self._stack.enter_context(private_server(KINDS[backend]))
        return Place(backend, self._directory, self._servers.get(backend))

    def versions(self) -> dict[str, str]:
        """What each server that was started says of itself."""
        found = {"SQLite": sqlite3.sqlite_version}
        for backend, server in self._servers.items():
            name, version = _VERSIONS[backend](server)
            found[name] = version
        return found


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """A directory below ``parent`` in which servers keep their data too; all of it is gone at the end."""
    processes.fast_directory = lambda: str(parent)  # tests want the fastest place, we want the disk
    state = processes.StateDirectory()
    os.environ[processes.STATE_VARIABLE] = str(state.path)
    try:
        yield state.path
    finally:
        del os.environ[processes.STATE_VARIABLE]
        state.close()


def size_of(url: str, directory: Path) -> int:
    """Bytes of the tables and indexes of a database, or of the SQLite files in a directory."""
    measures = {"postgresql": _postgresql_size, "mysql": _mariadb_size, "mongodb": _mongodb_size}
    measure = measures.get(urlsplit(url).scheme)
    if measure:
        return measure(url)
    for file in directory.rglob("*.db"):
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(file.stat().st_size for file in directory.rglob("*.db*"))


def _postgresql_size(url: str) -> int:
    import psycopg  # noqa: PLC0415 - only who measures this backend needs its driver

    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'm', 'p')"
        ).fetchone()
    return int(found[0]) if found else 0


def _mariadb_size(url: str) -> int:
    database = urlsplit(url).path[1:]
    with _mariadb(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(FILE_SIZE) FROM information_schema.INNODB_SYS_TABLESPACES WHERE NAME LIKE %s",
            (f"{database}/%",),
        )
        return int((cursor.fetchone() or (0,))[0])


def _settle_postgresql(url: str) -> None:
    import psycopg  # noqa: PLC0415 - only who measures this backend needs its driver

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _settle_mariadb(url: str) -> None:
    with _mariadb(url) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")
        names = ", ".join(f"`{name}`" for name, _ in cursor.fetchall())
        cursor.execute(f"ANALYZE TABLE {names}")


def _mariadb(url: str) -> Any:
    import pymysql  # noqa: PLC0415 - only who measures this backend needs its driver

    parts = urlsplit(url)
    return pymysql.connect(host=parts.hostname, port=parts.port or 3306, user=parts.username, database=parts.path[1:])


def _mongodb_size(url: str) -> int:
    import pymongo  # noqa: PLC0415 - only who measures this backend needs its driver

    with pymongo.MongoClient[dict[str, Any]](url) as client:
        client.admin.command("fsync")  # a checkpoint: what is not on disk yet has no size
        found = client[urlsplit(url).path[1:]].command("dbStats")
    return int(found["storageSize"] + found["indexSize"])


def _postgresql_version(server: Server) -> tuple[str, str]:
    import psycopg  # noqa: PLC0415 - only who measures this backend needs its driver

    with psycopg.connect(f"{server.url}/postgres") as connection:
        found = connection.execute("SHOW server_version").fetchone()
    return "PostgreSQL", str(found[0]).split()[0] if found else "unknown"


def _mariadb_version(server: Server) -> tuple[str, str]:
    with _mariadb(f"{server.url}/mysql") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        return "MariaDB", str((cursor.fetchone() or ("unknown",))[0]).split("-")[0]


def _mongodb_version(server: Server) -> tuple[str, str]:
    with server.client() as client:  # type: ignore[attr-defined]
        return "MongoDB", str(client.server_info()["version"])


_VERSIONS = {"postgresql": _postgresql_version, "mariadb": _mariadb_version, "mongodb": _mongodb_version}
