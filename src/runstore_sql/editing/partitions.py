"""Partitions of points whose runs are all gone: dropped as a whole, which costs no look at a point."""

import time
from collections.abc import Sequence
from typing import Final

from runstore.errors import StoreUnavailableError
from runstore_sql.connections.database import Database

_TRIES: Final = 5
_WAIT_S: Final = 0.2


def expired(database: Database, *, deleted_before_us: int | None) -> Sequence[str]:
    """The partitions that hold nothing but points of purged runs, or of runs that were deleted before a moment."""
    dialect = database.dialect
    return database.read(lambda connection: dialect.expired_partitions(connection, deleted_before_us=deleted_before_us))


def drop_expired(database: Database) -> int:
    """Drops those of purged runs; how many. One that others use all the time is emptied like a table instead."""
    return sum(_is_dropped(database, name) for name in expired(database, deleted_before_us=None))


def _is_dropped(database: Database, name: str) -> bool:
    for _ in range(_TRIES):
        try:
            database.write(lambda connection: database.dialect.drop_partition(connection, name))
        except StoreUnavailableError:
            time.sleep(_WAIT_S)
        else:
            return True
    return False
