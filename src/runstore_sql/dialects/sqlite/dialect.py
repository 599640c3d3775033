"""What SQLite does its own way."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from runstore.artifacts import Blobs
from runstore.errors import SettingsError
from runstore.local.homes import expanded
from runstore.secrets import redact_word
from runstore_sql.dialects.base import Dialect
from runstore_sql.dialects.failures import Failures
from runstore_sql.dialects.sqlite import files, journal
from runstore_sql.dialects.sqlite.blobs import BlobsBeside
from runstore_sql.dialects.sqlite.clock import NOW_US
from runstore_sql.dialects.sqlite.connecting import OPTIONS, SqliteFile, UsedFile
from runstore_sql.dialects.sqlite.failures import SqliteFailures
from runstore_sql.dialects.sqlite.history import SqliteHistoryReader
from runstore_sql.dialects.sqlite.ingest import SqlitePointWriter
from runstore_sql.dialects.sqlite.like import is_like
from runstore_sql.dialects.sqlite.listing import SqliteListing
from runstore_sql.dialects.sqlite.r0001 import FIRST_SCHEMA
from runstore_sql.dialects.sqlite.reading import ReadFile
from runstore_sql.dialects.sqlite.steward import SqliteSteward


class SqliteDialect(Dialect):
    """A file that each transaction locks as it begins."""

    name = "sqlite"
    driver = "sqlite"
    failures: ClassVar[Failures] = SqliteFailures()
    now_us = NOW_US
    begin = "BEGIN IMMEDIATE"
    begin_reading = "BEGIN IMMEDIATE"
    # A writer that meets the lock waits for milliseconds, so it should be met less than once in a hundred calls.
    points_a_piece = 4000
    rest_a_piece = 200.0
    index_unsettled = ("CREATE INDEX IF NOT EXISTS {name} ON runstore_run (status) WHERE settled IS NOT attempt",)
    first_schema = FIRST_SCHEMA
    writer = SqlitePointWriter
    histories = SqliteHistoryReader
    listing = SqliteListing
    steward = SqliteSteward

    def check_url(self, url: sa.URL, text: str) -> sa.URL:
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise SettingsError(
                f"store {redact_word(text)!r} names no file; give sqlite:///runs.db or sqlite:////absolute/runs.db, "
                "or memory:// for a store that is gone when closed"
            )
        unknown = sorted(set(url.query) - OPTIONS)
        if unknown:
            raise SettingsError(
                f"store {redact_word(text)!r} has the options {', '.join(unknown)}; known for SQLite are "
                f"{', '.join(sorted(OPTIONS))}"
            )
        return url.set(database=str(expanded(url.database, called="the path of the sqlite:/// URL")))

    def connector(self, url: sa.URL, secrets: Mapping[str, Any], *, read_only: bool) -> UsedFile:
        return (ReadFile if read_only else SqliteFile)(_path(url), {**url.query, **secrets})

    def before_opening(self, url: sa.URL, shown_url: str, *, read_only: bool) -> None:
        path = _path(url)
        files.check_file(path, shown_url, read_only=read_only)
        if not read_only and path.exists():
            journal.make_readable(path, shown_url)

    def ready_for_tables(self, connection: Any, url: sa.URL, shown_url: str) -> bool:
        journal.use_log(connection, _path(url), shown_url)
        return True  # what connects from now on knows the log

    def insert(self, table: sa.Table) -> sa.Insert:
        return sqlite.insert(table).on_conflict_do_nothing().returning(table.c.pk)

    def others_commits(self, connection: Any) -> Hashable:
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        return id(connection), version  # each connection counts for itself

    def is_like(self, text: sa.ColumnElement[Any], pattern: str) -> sa.ColumnElement[bool]:
        return is_like(text, pattern)

    def blobs(self, url: sa.URL) -> Blobs | None:
        return BlobsBeside(_path(url))


def _path(url: sa.URL) -> Path:
    return Path(url.database or "")


DIALECT: Final = SqliteDialect()
