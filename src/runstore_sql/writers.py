"""The way of one ``log_metrics`` call into the database, by dialect."""

from typing import Any

from runstore_sql import ingest
from runstore_sql.database import Database


def log_points(database: Database, run_id: str, groups: ingest.Groups) -> None:
    """Writes the points of one call in one transaction.

    Raises:
        RunNotFoundError: no such run; nothing was written.
    """

    def write(connection: Any) -> None:
        with database.driver_transaction(connection) as cursor:
            ingest.write(writer, cursor, run_id, groups)

    if database.dialect == "sqlite":
        from runstore_sql.ingest_sqlite import SqlitePointWriter  # noqa: PLC0415 - each dialect its own

        writer: ingest.PointWriter = SqlitePointWriter()
        database.with_driver(write)
    else:
        raise NotImplementedError
