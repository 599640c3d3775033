"""What PostgreSQL does its own way."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.selectable import NamedFromClause

from runstore.errors import SchemaError, StoreFailureError
from runstore_sql.dialects.base import Dialect
from runstore_sql.dialects.connector import ServerConnector
from runstore_sql.dialects.failures import Failures, takes_no_writes
from runstore_sql.dialects.options import split_hosts
from runstore_sql.dialects.postgresql import connecting, partitions
from runstore_sql.dialects.postgresql.clock import NOW_US
from runstore_sql.dialects.postgresql.failures import PostgresqlFailures
from runstore_sql.dialects.postgresql.history import PostgresqlHistoryReader
from runstore_sql.dialects.postgresql.ingest import PostgresqlPointWriter
from runstore_sql.dialects.postgresql.listing import PostgresqlListing
from runstore_sql.dialects.postgresql.partitions import LOCK, Partitions
from runstore_sql.dialects.postgresql.r0001 import FIRST_SCHEMA
from runstore_sql.dialects.postgresql.rights import AT_OPENING
from runstore_sql.dialects.postgresql.steward import PostgresqlSteward


class PostgresqlDialect(Dialect):
    """A server, perhaps behind a pooler: nothing is set in a session."""

    name = "postgresql"
    driver = "postgresql+psycopg"
    failures: ClassVar[Failures] = PostgresqlFailures()
    now_us = NOW_US
    begin = "BEGIN ISOLATION LEVEL READ COMMITTED"
    begin_reading = f"{begin}, READ ONLY"
    without_limit = "SET LOCAL statement_timeout = 0"
    hashes_sets = True
    returns_updated = True
    # A writer that appends locks no run's row, and looks at it as it was when its statement began.
    settling_mark = "-txid_current()"
    is_ripe = """runstore_run.settled < 0 AND (-runstore_run.settled < txid_snapshot_xmin(txid_current_snapshot())
        OR -runstore_run.settled > txid_current())"""  # of another server, whose database was brought here
    index_unsettled = (
        "CREATE INDEX IF NOT EXISTS {name} ON runstore_run (({unsettled}), status)",
        "ANALYZE runstore_run, runstore_metric, runstore_result",  # the planner knows nothing of them yet
    )
    first_schema = FIRST_SCHEMA
    writer = PostgresqlPointWriter
    histories = PostgresqlHistoryReader
    listing = PostgresqlListing
    steward = PostgresqlSteward

    def split(self, text: str) -> sa.URL:
        """Also as libpq spells one of several servers."""
        return split_hosts(text)

    def check_options(self, url: sa.URL) -> None:
        connecting.check_options(url)

    def connector(self, url: sa.URL, secrets: Mapping[str, Any], *, read_only: bool) -> ServerConnector:
        return ServerConnector(url, partial(connecting.connect, read_only=read_only), secrets=secrets)

    def check_schema(self, connection: sa.Connection, shown_url: str) -> None:
        if connection.exec_driver_sql("SELECT current_schema()").scalar() is None:
            raise SchemaError(
                f"{shown_url} has no schema to look into: none of its search path is there, or may be used; make it "
                "(CREATE SCHEMA), ask for the right (GRANT USAGE ON SCHEMA), or name another one with "
                "?options=-csearch_path%3Dpublic behind the URL"
            )

    def check_rights(self, connection: sa.Connection, shown_url: str) -> None:
        is_replica, may_write = connection.exec_driver_sql(AT_OPENING).one()
        if is_replica:
            raise takes_no_writes(shown_url, "the server follows another one")
        if not may_write:
            user = connection.exec_driver_sql("SELECT current_user").scalar()
            raise StoreFailureError(
                f"{user} may read the tables of {shown_url} and not write them; ask their owner for INSERT, UPDATE and "
                "DELETE on the runstore_ tables and USAGE on their sequences, or use open_reader(url)"
            )

    @contextmanager
    def lock(self, connection: sa.Connection, url: sa.URL, shown_url: str) -> Iterator[None]:
        del url, shown_url
        connection.exec_driver_sql(LOCK)
        yield

    def upkeep(self, url: sa.URL) -> Partitions | None:
        return Partitions.of(url)

    def is_unsettled(self, of: NamedFromClause) -> sa.ColumnElement[bool]:
        """As an index on it has it: the server keeps figures of what it indexes, and of no two columns together."""
        return _unsettled(of) == sa.literal_column("1")

    def is_settled(self, of: NamedFromClause) -> sa.ColumnElement[bool]:
        return _unsettled(of).is_(None)

    def insert_unknown(self, table: sa.Table) -> sa.Insert:
        return postgresql.insert(table).on_conflict_do_nothing()

    def expired_partitions(self, connection: sa.Connection, *, deleted_before_us: int | None) -> Sequence[str]:
        return partitions.expired(connection, deleted_before_us)

    def drop_partition(self, connection: sa.Connection, name: str) -> None:
        partitions.drop(connection, name)

    def insert(self, table: sa.Table) -> sa.Insert:
        return postgresql.insert(table).on_conflict_do_nothing().returning(table.c.pk)


def _unsettled(of: NamedFromClause) -> sa.ColumnElement[int]:
    text = f"(CASE WHEN {of.name}.settled = {of.name}.attempt THEN NULL ELSE 1 END)"
    return sa.literal_column(text, sa.SmallInteger)


DIALECT: Final = PostgresqlDialect()
