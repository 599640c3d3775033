"""What a SQL dialect is: what it can do as data, and what it does its own way as methods."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, ClassVar, Protocol

import sqlalchemy as sa
from sqlalchemy.sql.selectable import NamedFromClause

from runstore.artifacts import Blobs
from runstore.errors import SettingsError
from runstore.local.files import CHUNK
from runstore.secrets import redact_word
from runstore.urls import scheme_of, with_plain_scheme
from runstore_sql.dialects.connector import Connector
from runstore_sql.dialects.failures import Failures
from runstore_sql.dialects.first_schema import FirstSchema
from runstore_sql.dialects.kinds import kinds
from runstore_sql.dialects.like import like_pattern
from runstore_sql.dialects.steward import Steward
from runstore_sql.metrics.history import HistoryReader
from runstore_sql.metrics.ingest import PointWriter
from runstore_sql.metrics.listing import Listing


class Upkeep(Protocol):
    """What a store of this dialect has done ahead, at openings for writing."""

    def begin(self, connection: sa.Connection) -> None:
        """Does the first of it in an empty database, before the migrations, which leave it as it is."""
        ...

    def is_due(self, connection: sa.Connection) -> bool:
        """Whether there is something to do."""
        ...

    def catch_up(self, connection: sa.Connection) -> None:
        """Does it."""
        ...


class Dialect(ABC):
    """One SQL dialect. Without state, for any number of handles and threads.

    Attributes:
        name: as SQLAlchemy knows it.
        driver: SQLAlchemy's name of the dialect with the driver that we use.
        failures: what the driver's errors mean.
        now_us: SQL for the database's clock, in microseconds since 1970 UTC.
        begin: the statement that begins a transaction that writes.
        begin_reading: the one for a handle that only reads. It says so at each transaction: a setting of the session's may
            meet another program, behind a pooler.
        without_limit: the statement that lets a transaction take its time.
        commits_ddl: whether each statement that changes the schema commits by itself, so that no transaction holds one.
        has_partial_indexes: whether an index can leave rows out.
        index_unsettled: what makes the index ``{name}`` on the runs for which ``{unsettled}`` holds; none where a computed
            column takes its place.
        keeps_joins_in_order: the word behind ``SELECT`` that has tables joined as they stand.
        points_a_piece: how many points one transaction removes of what nobody needs any more.
        rest_a_piece: how long others then find the database free, as a multiple of the time that this took.
        sorts_in_blocks: whether an index on the first term of an order serves, with the rows that are equal in it sorted
            by the others.
        hashes_sets: whether runs are best found in several sets of keys at once, in an order that the planner chooses.
        joins_results: whether tests of metrics are best joined: any condition is asked of a run as soon as it is read, before
            other sets of keys have left few.
        returns_updated: whether an update can give what it has changed, and what stands about it in other tables.
        settling_mark: SQL for what ``settled`` of a run that has ended is first, where a write that began before may
            still be under way; ``None`` where the lock of its row keeps all writes off.
        is_ripe: SQL for whether all that were under way when a run ``runstore_run`` was marked are over.
        first_schema: for the migration of the first schema.
        writer: writes points.
        histories: reads the points of a series.
        listing: reads configs and summaries of many runs.
        steward: answers what a person wants to know of the database.
    """

    name: ClassVar[str]
    driver: ClassVar[str]
    failures: ClassVar[Failures]
    now_us: ClassVar[str]
    begin: ClassVar[str]
    begin_reading: ClassVar[str]
    without_limit: ClassVar[str] = ""
    commits_ddl: ClassVar[bool] = False
    has_partial_indexes: ClassVar[bool] = True
    index_unsettled: ClassVar[tuple[str, ...]] = ()
    keeps_joins_in_order: ClassVar[str] = ""
    points_a_piece: ClassVar[int] = 2000
    rest_a_piece: ClassVar[float] = 3.0
    sorts_in_blocks: ClassVar[bool] = True
    hashes_sets: ClassVar[bool] = False
    joins_results: ClassVar[bool] = False
    returns_updated: ClassVar[bool] = False
    settling_mark: ClassVar[str | None] = None
    is_ripe: ClassVar[str | None] = None
    first_schema: ClassVar[FirstSchema]
    writer: ClassVar[type[PointWriter[Any, Any]]]
    histories: ClassVar[type[HistoryReader[Any]]]
    listing: ClassVar[type[Listing[Any]]]
    steward: ClassVar[type[Steward]]

    # --- connecting

    def parse(self, text: str) -> sa.URL:
        """The URL with the driver that we use.

        Raises:
            SettingsError: it cannot be understood.
        """
        try:
            url = self.split(with_plain_scheme(text))
        except (sa.exc.ArgumentError, ValueError):
            raise SettingsError(f"store {redact_word(text)!r} cannot be understood as a database URL") from None
        return self.check_url(url, text).set(drivername=self.driver)

    def split(self, text: str) -> sa.URL:
        """The parts of a URL.

        Raises:
            sqlalchemy.exc.ArgumentError, ValueError: it cannot be understood.
        """
        return sa.make_url(text)

    def check_url(self, url: sa.URL, text: str) -> sa.URL:
        """The URL as it is connected to.

        Args:
            url: the parts.
            text: as it was given.

        Raises:
            SettingsError: names what is missing, or cannot be taken.
        """
        if not url.database:
            raise SettingsError(
                f"store {redact_word(text)!r} names no database; add one after the host, as in …@host/runs"
            )
        self.check_options(url)
        return url

    def check_options(self, url: sa.URL) -> None:
        """Refuses options that the driver lacks, or that would break a promise."""

    @abstractmethod
    def connector(self, url: sa.URL, secrets: Mapping[str, Any], *, read_only: bool) -> Connector:
        """How a handle connects.

        Args:
            url: without the options that hold secrets.
            secrets: those.
            read_only: whether the handle only reads.
        """

    # --- opening

    def before_opening(self, url: sa.URL, shown_url: str, *, read_only: bool) -> None:
        """Refuses a URL at which no store can be opened as asked; readies one that can.

        Args:
            url: the store's.
            shown_url: the same without its secrets.
            read_only: whether the store is opened for reading.
        """

    def check_schema(self, connection: sa.Connection, shown_url: str) -> None:
        """Refuses a database in which no tables can be looked for."""

    def check_rights(self, connection: sa.Connection, shown_url: str) -> None:
        """Refuses to write with a user who may only read: better told now than by a run that nothing can be stored of."""

    def ready_for_tables(self, connection: Any, url: sa.URL, shown_url: str) -> bool:
        """Readies a database, on a driver's connection, before tables are made; whether that takes new connections."""
        del connection, url, shown_url
        return False

    @contextmanager
    def lock(self, connection: sa.Connection, url: sa.URL, shown_url: str) -> Iterator[None]:
        """Lets only one process at a time change the schema; here the transaction itself does."""
        del connection, url, shown_url
        yield

    def upkeep(self, url: sa.URL) -> Upkeep | None:
        """What is done ahead in this store.

        Raises:
            SettingsError: it is asked for wrongly.
        """
        del url
        return None

    # --- rows

    @abstractmethod
    def insert(self, table: sa.Table) -> sa.Insert:
        """An insert for :meth:`insert_new`."""

    def insert_new(self, connection: sa.Connection, statement: sa.Insert, values: dict[str, Any]) -> bool:
        """Inserts a row unless its unique key is taken; whether it did."""
        return connection.execute(statement, values).first() is not None

    def insert_unknown(self, table: sa.Table) -> sa.Insert:
        """An insert that leaves out rows whose unique key is taken."""
        return table.insert()

    # --- what nobody needs any more

    def others_commits(self, connection: Any) -> Hashable:
        """What changes, on a connection of the driver's, when another commits; ``None`` where that cannot be told."""
        del connection
        return None

    def expired_partitions(self, connection: sa.Connection, *, deleted_before_us: int | None) -> Sequence[str]:
        """The partitions of points that hold nothing but points of purged runs, or of runs deleted before a moment."""
        del connection, deleted_before_us
        return ()

    def drop_partition(self, connection: sa.Connection, name: str) -> None:
        """Drops one of them; raises StoreUnavailableError, soon, where others use the table for long."""
        raise NotImplementedError

    # --- searching

    def is_unsettled(self, of: NamedFromClause) -> sa.ColumnElement[bool]:
        """Whether a run is not settled, as the index has it (:mod:`runstore_sql.settling`)."""
        return of.c.settled.is_distinct_from(of.c.attempt)

    def is_settled(self, of: NamedFromClause) -> sa.ColumnElement[bool]:
        """Whether it is, as no index has it."""
        return of.c.settled == of.c.attempt

    def hidden(self, of: NamedFromClause) -> list[sa.ColumnElement[bool]]:
        """Conditions of which an archived or deleted run fulfils one, each with an index."""
        return [of.c.archived_us.is_not(None), of.c.deleted_us.is_not(None)]

    def as_double(self, whole: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """An integer as a float64."""
        return sa.cast(whole, sa.Double)

    def is_like(self, text: sa.ColumnElement[Any], pattern: str) -> sa.ColumnElement[bool]:
        """Whether a text matches a pattern of ours."""
        return text.like(like_pattern(pattern), escape="!")

    def ready_to_sort(self, connection: sa.Connection, long_texts: int) -> None:
        """Readies a connection for an order by so many texts that may be longer than a name."""

    # --- artifacts

    def blobs(self, url: sa.URL) -> Blobs | None:
        """Where artifact bytes go unless somebody says; ``None`` for the database itself."""
        del url
        return None

    def largest_chunk(self, connection: sa.Connection) -> int:
        """How many bytes a row may hold."""
        del connection
        return CHUNK


def dialect_of(scheme: str) -> Dialect:
    """The dialect of a URL's scheme."""
    (kind,) = (kind for kind in kinds() if scheme in kind.schemes)
    dialect: Dialect = import_module(f"{__package__}.{kind.name}.dialect").DIALECT
    return dialect


def parse_url(text: str) -> sa.URL:
    """The URL with the driver that we use.

    Raises:
        SettingsError: it cannot be understood, or names a SQLite database in memory.
    """
    return dialect_of(scheme_of(text)).parse(text)
