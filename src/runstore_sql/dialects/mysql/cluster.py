"""One schema, made by one process of any node's: a lock that a whole Galera cluster knows.

``GET_LOCK`` is known to the node that gave it, and no other. So the lock is a row: of two nodes that change it at once the
cluster lets one commit, and who has changed it has seen all that was done before. The one who holds it counts its beats
up, and one who stops is taken for dead, by the waiting one's own clock.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import uniform
from secrets import token_hex
from typing import Any, Final

import sqlalchemy as sa

from runstore.errors import StoreUnavailableError
from runstore_sql.dialects.mysql.failures import MysqlFailures

_TABLE: Final = "runstore_opening"
_IS_MADE: Final = f"SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '{_TABLE}'"  # noqa: S608 - our own text, as below
# Who finds it missing makes it, and of several at once each but the first makes nothing: the cluster takes them in turn.
_MAKE: Final = (
    f"CREATE TABLE IF NOT EXISTS {_TABLE} "
    "(pk SMALLINT NOT NULL PRIMARY KEY, holder VARCHAR(32) NOT NULL, beats BIGINT NOT NULL) ENGINE=InnoDB"
)
_LOOK: Final = f"SELECT holder, beats FROM {_TABLE} WHERE pk = 1"  # noqa: S608
_FIRST: Final = sa.text(f"INSERT IGNORE INTO {_TABLE} VALUES (1, :mine, 1)")  # noqa: S608
_TAKE: Final = sa.text(f"UPDATE {_TABLE} SET holder = :mine, beats = beats + 1 WHERE pk = 1 AND beats = :beats")  # noqa: S608
_BEAT: Final = sa.text(f"UPDATE {_TABLE} SET beats = beats + 1 WHERE pk = 1 AND holder = :mine")  # noqa: S608
_LEAVE: Final = sa.text(f"UPDATE {_TABLE} SET holder = '', beats = beats + 1 WHERE pk = 1 AND holder = :mine")  # noqa: S608

_WAIT_S: Final = 60.0
_BEAT_S: Final = 3.0
_DEAD_S: Final = 15.0
_LEAVES: Final = 5

_failures: Final = MysqlFailures()


@contextmanager
def lock_of_cluster(connection: sa.Connection, shown_url: str) -> Iterator[None]:
    """Lets only one process at a time change the schema, through whichever node each of them goes.

    Raises:
        StoreUnavailableError: another one has been at it for a minute.
    """
    mine = {"mine": token_hex(8)}
    _take(connection, mine, shown_url)
    is_over = threading.Event()
    beating = threading.Thread(target=_beat, args=(connection.engine, mine, is_over), daemon=True)
    beating.start()
    try:
        yield
    finally:
        is_over.set()
        beating.join()
        if not connection.invalidated:
            _leave(connection, mine)


def _take(connection: sa.Connection, mine: dict[str, str], shown_url: str) -> None:
    if connection.exec_driver_sql(_IS_MADE).first() is None:
        connection.exec_driver_sql(_MAKE)
    begun = seen_at = time.monotonic()
    seen: Any = None
    while time.monotonic() - begun < _WAIT_S:
        try:
            found = connection.exec_driver_sql(_LOOK).first()
            if found != seen:
                seen, seen_at = found, time.monotonic()
            is_free = found is None or not found.holder or time.monotonic() - seen_at > _DEAD_S
            if is_free and _takes(connection, mine, found):
                return
        except sa.exc.DBAPIError as error:  # another node's change came first
            if connection.invalidated or not _failures.is_conflict(error):
                raise
        time.sleep(uniform(0.05, 0.2))  # noqa: S311 - so that who waits does not come in step
    raise StoreUnavailableError(f"another process has been changing {shown_url} for {_WAIT_S:.0f} s; try again")


def _takes(connection: sa.Connection, mine: dict[str, str], found: Any) -> bool:
    if found is None:
        return connection.execute(_FIRST, mine).rowcount == 1
    return connection.execute(_TAKE, {**mine, "beats": found.beats}).rowcount == 1


def _beat(engine: sa.Engine, mine: dict[str, str], is_over: threading.Event) -> None:
    """Counts the beats up until it is over. A statement that changes the schema holds a beat back, and it comes after it."""
    while not is_over.wait(_BEAT_S):
        with suppress(sa.exc.SQLAlchemyError), engine.connect() as connection:
            connection.execute(_BEAT, mine)


def _leave(connection: sa.Connection, mine: dict[str, str]) -> None:
    for _ in range(_LEAVES):
        try:
            connection.execute(_LEAVE, mine)
        except sa.exc.DBAPIError as error:
            if connection.invalidated or not _failures.is_conflict(error):
                return  # the lock is taken for a dead one's soon
        else:
            return
