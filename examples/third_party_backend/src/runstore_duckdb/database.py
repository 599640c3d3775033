"""The file: attached for the length of one call, under a lock that threads and processes share."""

import fcntl
import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import duckdb

from runstore.errors import (
    ForeignSchemaError,
    SchemaError,
    SchemaTooNewError,
    SettingsError,
    StoreFailureError,
    StoreUnavailableError,
)

VERSION: Final = 2
_LOCK_WAIT_S: Final = 60.0
_TABLES: Final = """
CREATE TABLE runstore_schema (version INTEGER, min_client INTEGER);
CREATE TABLE experiments (id VARCHAR PRIMARY KEY, name VARCHAR, description VARCHAR, created_us BIGINT);
CREATE TABLE runs (id VARCHAR PRIMARY KEY, experiment_id VARCHAR, parent_run_id VARCHAR, body VARCHAR, provenance VARCHAR);
CREATE TABLE configs (run_id VARCHAR PRIMARY KEY, document VARCHAR);
CREATE TABLE points (run_id VARCHAR, metric_name VARCHAR, dataset_type VARCHAR, step BIGINT, value DOUBLE,
                     logged_at_us BIGINT, PRIMARY KEY (run_id, metric_name, dataset_type, step));
CREATE TABLE artifacts (run_id VARCHAR, name VARCHAR, body VARCHAR, metadata VARCHAR, PRIMARY KEY (run_id, name));
"""
_SINCE_2: Final = """
ALTER TABLE experiments ADD COLUMN deleted_us BIGINT;
ALTER TABLE experiments ADD COLUMN described_us BIGINT;
ALTER TABLE runs ADD COLUMN changed VARCHAR;
CREATE TABLE deletions (run_id VARCHAR PRIMARY KEY, deleted_us BIGINT, is_purged BOOLEAN);
"""
_NAMES: Final = {"experiments", "runs", "configs", "points", "artifacts"}
_NUMBERS: Final = itertools.count(1)
_OF_PROCESS: Final[dict[int, duckdb.DuckDBPyConnection]] = {}


def _duckdb() -> duckdb.DuckDBPyConnection:
    """The DuckDB of this process. To begin one takes 40 ms, and to attach a file to it 5; a forked child begins its own."""
    known = _OF_PROCESS.get(os.getpid())
    return known or _OF_PROCESS.setdefault(os.getpid(), duckdb.connect(":memory:", config={"threads": 1}))


class DuckFile:
    """One DuckDB file. Holds nothing of it between calls, so it may be pickled, forked and used from any thread."""

    def __init__(self, url: str) -> None:
        path = unquote(urlsplit(url).path.removeprefix("/"))
        if not path:
            raise SettingsError(f"store {url!r} names no file; give duckdb:///runs.duckdb")
        self.path = Path(path).absolute()

    def prepare(self, *, read_only: bool) -> None:
        """Makes the schema in an empty file; refuses a file that is not ours or too new."""
        if read_only and not self.path.exists():
            raise SchemaError(f"there is no store at {self.path}: no such file; open_store(url) makes one")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.transaction() as connection:
            found = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
            if "runstore_schema" in found:
                self._check_version(connection, read_only=read_only)
            elif found & _NAMES:
                raise ForeignSchemaError(
                    f"{self.path} holds {', '.join(sorted(found & _NAMES))}, which runstore did not make; "
                    "give runstore a file of its own"
                )
            else:
                connection.execute(_TABLES + _SINCE_2)
                connection.execute("INSERT INTO runstore_schema VALUES (?, ?)", [VERSION, VERSION])

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection in a transaction that is committed at the end, or rolled back by an error."""
        with self._locked():
            connection = _duckdb().cursor()
            name = f"file{next(_NUMBERS)}"
            try:
                quoted = str(self.path).replace("'", "''")
                connection.execute(f"ATTACH '{quoted}' AS {name}")
                connection.execute(f"USE {name}")
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
            except duckdb.IOException as error:
                raise StoreUnavailableError(
                    f"{self.path} cannot be opened: {error}; close other programs that have it open, and try again"
                ) from error
            except duckdb.Error as error:
                raise StoreFailureError(
                    f"{self.path} refused: {type(error).__name__}: {error}; see the cause, trying again will not help"
                ) from error
            finally:
                with suppress(duckdb.Error):  # there is none, or it was committed
                    connection.execute("ROLLBACK")
                connection.execute("USE memory")
                connection.execute(f"DETACH DATABASE IF EXISTS {name}")
                connection.close()

    def _check_version(self, connection: duckdb.DuckDBPyConnection, *, read_only: bool) -> None:
        row = connection.execute("SELECT version, min_client FROM runstore_schema").fetchone()
        version, min_client = row or (VERSION, VERSION)
        if min_client > VERSION:
            raise SchemaTooNewError(
                f"{self.path} has schema {version}, which takes a client that knows {min_client}; this one knows "
                f"{VERSION}. Run: pip install -U runstore-duckdb"
            )
        if version < VERSION and read_only:
            raise SchemaError(
                f"{self.path} has schema {version} and is read with schema {VERSION}; open_store(url) brings it there"
            )
        if version < VERSION:
            connection.execute(_SINCE_2)
            connection.execute("UPDATE runstore_schema SET version = ?, min_client = ?", [VERSION, VERSION])

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One call at a time. The operating system gives the lock back when its holder dies."""
        deadline = time.monotonic() + _LOCK_WAIT_S
        with self.path.with_name(f"{self.path.name}.lock").open("ab") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise StoreUnavailableError(
                            f"{self.path} has been busy for {_LOCK_WAIT_S:.0f} s; try again later"
                        ) from None
                    time.sleep(0.0005)
                else:
                    break
            yield
