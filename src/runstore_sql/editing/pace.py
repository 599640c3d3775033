"""Long work in short pieces: each is a transaction of its own, and others find the database free in between."""

import time
from collections.abc import Callable, Hashable
from typing import Final, TypeVar

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
        self._seen: Hashable = None

    def piece(self, work: Callable[[sa.Connection], ResultT]) -> ResultT:
        """What ``work`` gives in one transaction; then rests."""
        dialect, before = self._database.dialect, self._seen

        def timed(connection: sa.Connection) -> tuple[ResultT, float]:
            self._seen = dialect.others_commits(connection)
            began = time.monotonic()
            return work(connection), began

        result, began = self._database.write(timed)
        if self._seen is None or self._seen != before:
            time.sleep(min((time.monotonic() - began) * dialect.rest_a_piece, _LONGEST_REST_S))
        return result
