"""Long work in short pieces: each is a transaction of its own, and others find the database free in between."""

import time
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from runstore_sql.connections.database import Database

_LONGEST_REST_S: Final = 2.0

ResultT = TypeVar("ResultT")


class Pace:
    """Does pieces of work and rests after each, so that other writers' calls take hardly longer than without it.

    What a writer of SQLite meets is a locked file, so there the rest is long; but only while others write.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._before: Hashable = None
        self._seen: Hashable = None
        self._began = 0.0

    def piece(self, work: Callable[[sa.Connection], ResultT]) -> ResultT:
        """What ``work`` gives in one transaction; then rests."""

        def timed(connection: sa.Connection) -> ResultT:
            self._begin(connection.connection.dbapi_connection)
            return work(connection)

        result = self._database.write(timed)
        self._rest()
        return result

    def driver_piece(self, work: Callable[[Any], ResultT]) -> ResultT:
        """What ``work`` gives on a connection of the driver's, in a transaction of its own; then rests."""

        def timed(connection: Any) -> ResultT:
            self._begin(connection)
            return work(connection)

        result = self._database.with_driver(timed)
        self._rest()
        return result

    def _begin(self, connection: Any) -> None:
        self._before, self._seen = self._seen, self._database.dialect.others_commits(connection)
        self._began = time.monotonic()

    def _rest(self) -> None:
        if self._seen is None or self._seen != self._before:
            took_s = time.monotonic() - self._began
            time.sleep(min(took_s * self._database.dialect.rest_a_piece, _LONGEST_REST_S))
