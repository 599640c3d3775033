"""Bugs planted in the real SQL backend, for what only a file, a server or another process can show.

A child process imports this module by its name to open the same broken store; so it imports the backend alone.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, ClassVar, Self

import sqlalchemy as sa

from runstore.backend import RunEnd
from runstore.errors import ForeignSchemaError, SchemaTooNewError, StoreFailureError, StoreUnavailableError
from runstore.hookspecs import OpenOptions
from runstore.series import SeriesColumns
from runstore_sql import opening
from runstore_sql.connections.database import Database
from runstore_sql.connections.pool import Pool
from runstore_sql.dialects.base import parse_url
from runstore_sql.dialects.connector import Connector, pooled_engine
from runstore_sql.dialects.sqlite.connecting import set_up
from runstore_sql.schema.tables import SCHEMA_VERSION
from runstore_sql.store import SqlStore
from runstore_sql.transactions import Transactions

OPTIONS = OpenOptions()


class SqlMutant(SqlStore):
    """The SQL store, opened in a way that a subclass may break. By itself it has no bug.

    Attributes:
        breaks: the clause that must catch it.
        server: the kind of server that shows the bug; on SQLite if empty.
        database_kind: what it reaches the database by.
    """

    breaks: ClassVar[str] = ""
    server: ClassVar[str] = ""
    database_kind: ClassVar[type[Database]] = Database

    @classmethod
    def at(cls, url: str) -> Self:
        """A store at this URL, its schema made or checked."""
        opening.open_sql(url, OPTIONS).close()
        return cls.unchecked(url)

    @classmethod
    def unchecked(cls, url: str) -> Self:
        """A store at this URL, whatever is there."""
        database = cls.database_kind(parse_url(url), read_only=False)
        blobs = opening.blobs_of(database, None)
        return cls(database, blobs, is_place_named=False, reopen=partial(cls.at, url))


@contextmanager
def beside(url: str) -> Iterator[sa.Connection]:
    """A connection in autocommit mode, past the store."""
    database = Database(parse_url(url), read_only=False)
    try:
        with database.engine.connect() as connection:
            yield connection
    finally:
        database.close()


# Opening


class OpeningStampsTheSchema(SqlMutant):
    """As trackers that keep when, or by what, a database was last opened."""

    breaks = "OPEN.1"

    @classmethod
    def at(cls, url: str) -> Self:
        store = super().at(url)
        with beside(url) as connection:
            connection.exec_driver_sql(f"UPDATE runstore_schema SET written_by = 'opened at {time.time_ns()}'")
        return store


class OpeningBeginsAfresh(SqlMutant):
    """As an object mapper that was left in its development setting, which drops and creates."""

    breaks = "OPEN.1"

    @classmethod
    def at(cls, url: str) -> Self:
        store = super().at(url)
        with beside(url) as connection:
            connection.exec_driver_sql("DELETE FROM runstore_run")
        return store


class RacersMakeTheTablesTwice(SqlMutant):
    """Looks and then makes, with no lock around both and no IF NOT EXISTS: a server started by several workers."""

    breaks = "OPEN.2"

    @classmethod
    def at(cls, url: str) -> Self:
        with beside(url) as connection:
            is_there = sa.inspect(connection).has_table("of_the_mutant")
        store = super().at(url)
        if not is_there:
            with beside(url) as connection:
                connection.exec_driver_sql("CREATE TABLE of_the_mutant (pk INTEGER)")
        return store


class NewerSchemasAreOpened(SqlMutant):
    """Knows its own version alone, and does not ask what a newer one demands."""

    breaks = "OPEN.3"

    @classmethod
    def at(cls, url: str) -> Self:
        with suppress(SchemaTooNewError):
            return super().at(url)
        return cls.unchecked(url)


class NewerSchemasAreTouched(SqlMutant):
    """Notes the visit before it looks at the version."""

    breaks = "OPEN.3"

    @classmethod
    def at(cls, url: str) -> Self:
        with beside(url) as connection:
            if sa.inspect(connection).has_table("runstore_schema"):
                connection.exec_driver_sql("UPDATE runstore_schema SET written_by = 'a visitor'")
        return super().at(url)


class AnyOtherSchemaIsRefused(SqlMutant):
    """Wants its own version exactly, so one upgraded machine locks all others out."""

    breaks = "OPEN.3"

    @classmethod
    def at(cls, url: str) -> Self:
        store = super().at(url)
        with beside(url) as connection:
            found = connection.exec_driver_sql("SELECT version FROM runstore_schema").scalar()
        if found != SCHEMA_VERSION:
            store.close()
            raise SchemaTooNewError(f"found schema {found}, know {SCHEMA_VERSION}; run: pip install -U runstore")
        return store


class StrangersTablesAreAdopted(SqlMutant):
    """A table of the right name is taken for its own."""

    breaks = "OPEN.4"

    @classmethod
    def at(cls, url: str) -> Self:
        with suppress(ForeignSchemaError):
            return super().at(url)
        return cls.unchecked(url)


class TablesAreMadeBesideAStrangers(SqlMutant):
    """Begins to make its tables, and sees only then that others are in the way."""

    breaks = "OPEN.4"

    @classmethod
    def at(cls, url: str) -> Self:
        try:
            return super().at(url)
        except ForeignSchemaError:
            with beside(url) as connection:
                connection.exec_driver_sql("CREATE TABLE runstore_future (pk INTEGER)")
            raise


class PicklesCarryTheirConnections(SqlMutant):
    """Pickled attribute by attribute, as anything is that says nothing of it."""

    breaks = "OPEN.5"

    def __reduce__(self) -> tuple[Any, ...]:
        self.database.engine.connect().close()
        return type(self).unchecked, (self.database.whole_url,), vars(self)


class ForkedChildrenAreTurnedAway(SqlMutant):
    """A handle is bound to the process that opened it, as those of many drivers are."""

    breaks = "OPEN.5"

    def append(self, run_id: str, series: SeriesColumns) -> None:
        if self.database.__dict__.setdefault("owner", os.getpid()) != os.getpid():
            raise StoreFailureError(f"{self!r} was opened before a fork; open another")
        super().append(run_id, series)


class _PlainFile(Connector):
    """Connects as any program does, and does not mind forks."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def engine(self) -> sa.Engine:
        return pooled_engine(sa.URL.create("sqlite"), max_overflow=0, creator=self._connect_to_file)

    def _connect_to_file(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        set_up(connection)
        return connection


class _PlainDatabase(Database):
    """Reaches a file so."""

    def __init__(self, url: sa.URL, *, read_only: bool) -> None:
        super().__init__(url, read_only=read_only)
        self._connector = _PlainFile(str(self.url.database))
        self._pool = Pool(self._connector, self.shown_url, is_broken=self._is_broken)


class FileLocksAreInherited(SqlMutant):
    """A forked child goes by its parent's table of file locks, of which it holds none."""

    breaks = "OPEN.5"
    database_kind = _PlainDatabase


# Durability


class PointsAreAcknowledgedBeforeTheCommit(SqlMutant):
    """Keeps points in memory until there are enough of them, or until it is closed."""

    breaks = "DUR.1"

    def append(self, run_id: str, series: SeriesColumns) -> None:
        self.__dict__.setdefault("kept", []).append((run_id, series))

    def close(self) -> None:
        for run_id, series in self.__dict__.pop("kept", []):
            super().append(run_id, series)
        super().close()


class EndsAreWrittenAtExit(SqlMutant):
    """Leaves the last word to the interpreter's shutdown, which SIGKILL does not run."""

    breaks = "DUR.1"

    def end_run(self, run_id: str, end: RunEnd) -> None:
        self.__dict__.setdefault("ends", []).append((run_id, end))

    def close(self) -> None:
        for run_id, end in self.__dict__.pop("ends", []):
            super().end_run(run_id, end)
        super().close()


class RollUpsAreNeverMended(SqlMutant):
    """As they are where only what is added to a series is rolled up."""

    breaks = "MET.15"

    def append(self, run_id: str, series: SeriesColumns) -> None:
        roller = self._points._roller  # noqa: SLF001 - its bug is planted here
        roller.mend = lambda cursor, state, steps: state  # type: ignore[method-assign]  # noqa: ARG005 - as it is called
        super().append(run_id, series)


class RollUpsTrustWhatTheyRemember(SqlMutant):
    """As they do that take the points a handle has written for all that there are."""

    breaks = "MET.15"

    def append(self, run_id: str, series: SeriesColumns) -> None:
        tails = self._points._tails  # noqa: SLF001 - as above
        find = type(tails).find
        tails.find = lambda run_id, series, state, batch: find(  # type: ignore[method-assign]
            tails, run_id, series, state._replace(rewrites=0), batch
        )
        super().append(run_id, series)


class OneTry(Database):
    """Raises the first error there is, and does not wait for a lock."""

    def __init__(self, url: sa.URL, *, read_only: bool) -> None:
        impatient = url.update_query_dict({"timeout": "0"}) if url.get_backend_name() == "sqlite" else url
        super().__init__(impatient, read_only=read_only)

    def _retry(self, attempt: Callable[[], Any]) -> Any:
        return self._attempt(attempt)


class BusyIsRaisedAtOnce(SqlMutant):
    """``database is locked``, at the first rival."""

    breaks = "DUR.4"
    database_kind = OneTry


class BusyIsSwallowed(SqlMutant):
    """Training must go on, so what could not be written is forgotten."""

    breaks = "DUR.4"
    database_kind = OneTry

    def append(self, run_id: str, series: SeriesColumns) -> None:
        with suppress(StoreUnavailableError):
            super().append(run_id, series)


class TenTries(Database):
    """Tries again whatever is wrong."""

    def _retry(self, attempt: Callable[[], Any]) -> Any:
        for _ in range(9):
            with suppress(Exception):
                return super()._retry(attempt)
        return super()._retry(attempt)


class RefusalsAreTriedAgain(SqlMutant):
    """A typing error costs as much as an outage."""

    breaks = "DUR.4"
    server = "postgresql"
    database_kind = TenTries


class _Unfinished(Transactions):
    """Ends a transaction that succeeded, and no other."""

    @contextmanager
    def on_driver(self, connection: Any) -> Iterator[Any]:
        cursor = connection.cursor()
        cursor.execute(self.begin)
        yield cursor
        cursor.execute("COMMIT")


class WithoutRollback(Database):
    """Has its transactions so."""

    def __init__(self, url: sa.URL, *, read_only: bool) -> None:
        super().__init__(url, read_only=read_only)
        self.transactions = _Unfinished(self.transactions.begin)


class FailedTransactionsStayOpen(SqlMutant):
    """Nobody rolls back after a refused call, and the next one finds the database locked."""

    breaks = "DUR.5"
    database_kind = WithoutRollback


class ReadingInTransactions(Database):
    """What a driver does by itself unless it is told to commit each statement."""

    def read(self, work: Callable[[sa.Connection], Any]) -> Any:
        def begun(connection: sa.Connection) -> Any:
            connection.exec_driver_sql("BEGIN")
            return work(connection)

        return super().read(begun)


class ReadsLeaveATransactionOpen(SqlMutant):
    """``idle in transaction``: the server can clean up nothing that is younger."""

    breaks = "DUR.5"
    server = "postgresql"
    database_kind = ReadingInTransactions


class DroppedConnectionsAreKept(SqlMutant):
    """``server has gone away``, in the morning."""

    breaks = "DUR.5"
    server = "postgresql"
    database_kind = OneTry
