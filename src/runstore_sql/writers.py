"""The way of one ``log_metrics`` call into the database, by dialect."""

from typing import Any

from runstore.series.batches import Batch, Batches
from runstore.series.checked import Series
from runstore_sql import ingest
from runstore_sql.database import Database


class Writer:
    """Writes the points of a call in one transaction; safe from any thread."""

    def __init__(self, database: Database, points: ingest.PointWriter) -> None:
        """Uses the database's connections."""
        self._database = database
        self._points = points

    @staticmethod
    def for_database(database: Database) -> "Writer":
        """The writer of the database's dialect."""
        if database.dialect == "sqlite":
            from runstore_sql.ingest_sqlite import SqlitePointWriter  # noqa: PLC0415 - each dialect its own

            return _SqliteWriter(database, SqlitePointWriter())
        if database.dialect == "mysql":
            from runstore_sql.ingest_mysql import MysqlPointWriter  # noqa: PLC0415 - as above

            return _MysqlWriter(database, MysqlPointWriter())
        from runstore_sql.ingest_postgresql import PostgresqlPointWriter  # noqa: PLC0415 - as above

        return _PostgresqlWriter(database, PostgresqlPointWriter())

    def write(self, run_id: str, batches: Batches) -> None:
        """Writes all of the points or none.

        Raises:
            RunNotFoundError: no such run; nothing was written.
        """
        self._database.with_driver(lambda connection: self._write(connection, run_id, batches))

    def _write(self, connection: Any, run_id: str, batches: Batches) -> None:
        with self._database.driver_transaction(connection) as cursor:
            ingest.write(self._points, cursor, run_id, batches)


class _PostgresqlWriter(Writer):
    """Tries the one statement first."""

    def _write(self, connection: Any, run_id: str, batches: Batches) -> None:
        points: Any = self._points
        if self._database.is_cut_short:
            with self._database.driver_transaction(connection) as cursor:
                if not (batches and points.append(cursor, run_id, batches)):
                    ingest.write(points, cursor, run_id, batches)
        elif not (batches and points.append(connection, run_id, batches)):
            super()._write(connection, run_id, batches)


class _SqliteWriter(Writer):
    """Tries the short way first, in the same transaction; all that can be worked out before it begins is."""

    def _write(self, connection: Any, run_id: str, batches: Batches) -> None:
        points: Any = self._points
        plan = points.planned(run_id, batches)
        with self._database.driver_transaction(connection) as cursor:
            if plan is None or not points.append(cursor, plan):
                ingest.write(points, cursor, run_id, batches)


class _MysqlWriter(Writer):
    """One round trip for one point that appends to a series found before; two where no series is made and no point may be overwritten."""

    def _write(self, connection: Any, run_id: str, batches: Batches) -> None:
        if len(batches) == 1 and self._has_appended(connection, run_id, *next(iter(batches.items()))):
            return
        with self._database.driver_trips(connection) as trips:
            ingest.write(self._points, trips, run_id, batches)

    def _has_appended(self, connection: Any, run_id: str, identity: Series, batch: Batch) -> bool:
        points: Any = self._points
        pk = points.key_of(run_id, identity) if len(batch.steps) == 1 else None
        if pk is None:
            return False
        with self._database.driver_trips(connection) as trips:
            points.append(trips, run_id, pk, identity, batch)
        return sum(trips.counts) == 2  # noqa: PLR2004 - the series and the point
