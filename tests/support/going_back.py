"""Copies of databases, and how a database is brought back to one: as a restored backup or a standby that lagged leaves it.

Each function takes the copy and gives the call that brings the database back. What is open goes on with what is there then.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

from runstore.memory.store import MemoryDatabase
from support.engines import MariaDB, PostgreSQL, database_of, with_database
from support.waiting import wait_until

GoBack = Callable[[], None]

_PATIENCE_S = 60
_SHARED = ("lock", "blobs")
"""What handles of a memory database have in hand; of the blobs the content goes back."""


def of_memory(database: MemoryDatabase) -> GoBack:
    """A database in memory, with the bytes of its artifacts."""

    def content() -> tuple[dict[str, Any], dict[str, Any]]:
        with database.lock:
            own = {name: deepcopy(value) for name, value in vars(database).items() if name not in _SHARED}
            return own, deepcopy(vars(database.blobs))

    kept = content()

    def go_back() -> None:
        own, blobs = deepcopy(kept)
        with database.lock:
            vars(database).update(own)
            vars(database.blobs).update(blobs)

    return go_back


def of_sqlite(path: Path) -> GoBack:
    """A SQLite file, with the files of its artifacts; the copy lies beside it."""
    copy = path.with_name(f"{path.name}.copy")
    artifacts = path.with_name(f"{path.name}.artifacts")
    _copy_sqlite(path, copy)
    kept = set(artifacts.rglob("*"))

    def go_back() -> None:
        _copy_sqlite(copy, path)
        for each in set(artifacts.rglob("*")) - kept:
            if each.is_file():
                each.unlink()

    return go_back


def _copy_sqlite(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(source, timeout=_PATIENCE_S)) as one,
        closing(sqlite3.connect(target, timeout=_PATIENCE_S)) as other,
    ):
        one.backup(other)


def of_postgresql(server: PostgreSQL, url: str) -> GoBack:
    """A database of a PostgreSQL. All connections to it are ended, at the copy and when it goes back."""
    import psycopg  # noqa: PLC0415 - only who asks for this server needs its driver

    name = database_of(url)
    copy, gone = f"{name}_copy", f"{name}_gone"

    def alone(statement: str) -> None:
        """Does it while nobody is connected, which whoever connects again at once may hinder."""
        with psycopg.connect(with_database(server.url, "postgres"), autocommit=True) as connection:
            deadline = time.monotonic() + _PATIENCE_S
            while True:
                ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
                connection.execute(ended, [name])
                try:
                    connection.execute(statement.encode())
                except psycopg.errors.ObjectInUse:
                    if time.monotonic() > deadline:
                        raise
                else:
                    return

    alone(f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')

    def go_back() -> None:
        alone(f'ALTER DATABASE "{name}" RENAME TO "{gone}"')
        alone(f'ALTER DATABASE "{copy}" RENAME TO "{name}"')
        server.drop_database(with_database(server.url, gone))

    return go_back


def of_mariadb(server: MariaDB, url: str) -> GoBack:
    """A database of a MariaDB, by its rows. Connections to it are ended when it goes back."""
    copy = _RowsOfMariaDB(server.ports[0], database_of(url))
    copy.take()
    return copy.bring_back


class _RowsOfMariaDB:
    """The rows of one database, by table; new keys begin behind those that are there."""

    def __init__(self, port: int, name: str) -> None:
        import pymysql  # noqa: PLC0415 - only who asks for this server needs its driver

        self._driver: Any = pymysql
        self._port = port
        self._name = name
        self._columns: dict[str, str] = {}
        self._rows: dict[str, list[Any]] = {}

    def take(self) -> None:
        with self._connect() as connection, connection.cursor() as cursor:
            _ask(cursor, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
            tables = (
                "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE'"
            )
            columns = (
                "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
                "AND is_generated = 'NEVER' ORDER BY ordinal_position"
            )
            for (table,) in _ask(cursor, tables, self._name):
                stored = ", ".join(f"`{column}`" for (column,) in _ask(cursor, columns, self._name, table))
                self._columns[table] = stored
                self._rows[table] = _ask(cursor, f"SELECT {stored} FROM `{table}`")

    def bring_back(self) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._try_to_bring_back()
            except self._driver.err.OperationalError:  # a recorder's heartbeat came between
                if time.monotonic() > deadline:
                    raise
            else:
                return

    def _try_to_bring_back(self) -> None:
        with self._connect() as connection, connection.cursor() as cursor:
            self._end_others(cursor)
            _ask(cursor, "SET foreign_key_checks = 0")
            _ask(cursor, "BEGIN")
            for table, kept in self._rows.items():
                _ask(cursor, f"DELETE FROM `{table}`")
                if kept:
                    values = ", ".join(["%s"] * len(kept[0]))
                    cursor.executemany(f"INSERT INTO `{table}` ({self._columns[table]}) VALUES ({values})", kept)
            _ask(cursor, "COMMIT")
            counted = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND auto_increment > 0"
            for (table,) in _ask(cursor, counted, self._name):
                _ask(cursor, f"ALTER TABLE `{table}` AUTO_INCREMENT = 1")  # the least that is free, that is

    def _end_others(self, cursor: Any) -> None:
        others = "SELECT id FROM information_schema.processlist WHERE db = %s AND id <> CONNECTION_ID()"
        for (thread,) in _ask(cursor, others, self._name):
            with suppress(self._driver.err.OperationalError):  # it has left by itself
                _ask(cursor, f"KILL CONNECTION {thread}")

    def _connect(self) -> Any:
        address = {"host": "127.0.0.1", "user": "root", "charset": "utf8mb4"}
        return self._driver.connect(**address, port=self._port, database=self._name, connect_timeout=10)


def _ask(cursor: Any, statement: str, *parameters: Any) -> list[Any]:
    cursor.execute(statement, parameters)
    return list(cursor.fetchall())


def of_mongodb(connect: Callable[..., Any], url: str) -> GoBack:
    """A database of a MongoDB, by its documents, byte for byte.

    A server without replicas shows no two collections as of one moment, nor changes them at one, and points move from one
    to the other after they were acknowledged: the copy is whole where nothing changes while it is taken.
    """
    from bson import encode  # noqa: PLC0415 - only who asks for this server needs its driver
    from bson.raw_bson import RawBSONDocument  # noqa: PLC0415 - as above

    name = database_of(url)

    def content(database: Any) -> dict[str, dict[bytes, Any]]:
        found = database.list_collection_names(filter={"type": "collection"})
        return {
            each: {encode({"_id": document["_id"]}): document for document in database[each].find()}
            for each in found
            if not each.startswith("system.")
        }

    def settled(database: Any) -> dict[str, dict[bytes, Any]]:
        found = content(database)
        pause = threading.Event()

        def stands_still() -> bool:
            nonlocal found
            before = found
            pause.wait(0.05)
            found = content(database)
            return found == before

        wait_until(stands_still, "the database to stand still")
        return found

    def opened() -> Any:
        return connect(document_class=RawBSONDocument)

    with opened() as client:
        kept = settled(client[name])

    def go_back() -> None:
        with opened() as client:
            database = client[name]
            for collection, there in settled(database).items():
                wanted = kept.get(collection, {})
                gone = [document["_id"] for key, document in there.items() if key not in wanted]
                if gone:
                    database[collection].delete_many({"_id": {"$in": gone}})
                for key, document in wanted.items():
                    if there.get(key) != document:
                        database[collection].replace_one({"_id": document["_id"]}, document, upsert=True)

    return go_back
