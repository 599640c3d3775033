"""A driver's error as one of ours: try again, or not (ERR.1-3, DUR.4).

What a driver says is kept as the cause and quoted; the caller takes the secrets out of both.
"""

import sqlite3
from typing import Final

import sqlalchemy as sa

from runstore.errors import RunStoreError, StoreFailureError, StoreFullError, StoreUnavailableError

_POSTGRESQL_TRANSIENT: Final = frozenset(
    {
        "25006",  # read-only transaction: a standby that was the primary
        "40001",  # serialization failure
        "40P01",  # deadlock
        "53300",  # too many connections
        "55P03",  # lock not available
        "57014",  # cancelled, as by a statement timeout
        "57P01",  # shut down by the administrator
        "57P02",  # crash shutdown
        "57P03",  # starting up
        "57P05",  # idle session timeout
    }
)
_POSTGRESQL_REFUSED: Final = (" does not exist", "authentication failed", "no pg_hba.conf entry", "is not permitted")

_MYSQL_TRANSIENT: Final = frozenset(
    {
        0,  # the driver's "not connected"
        1020,  # record changed since last read
        1040,  # too many connections
        1053,  # shutdown in progress
        1158,  # network read and write errors and timeouts, to 1161
        1159,
        1160,
        1161,
        1203,  # too many connections of this user
        1205,  # lock wait timeout
        1213,  # deadlock
        1290,  # running with --read-only: a replica that was the primary
        1317,  # interrupted
        1836,  # read-only mode
        1927,  # connection was killed
        2002,  # cannot connect, to 2006
        2003,
        2006,
        2013,  # lost connection
        2014,  # packets out of step
        2055,
        4031,  # disconnected by the server because of inactivity
    }
)
_FULL: Final = frozenset(
    {
        "SQLITE_FULL",
        "53100",  # PostgreSQL: disk full
        1021,  # MariaDB, MySQL: disk full
        1114,  # the table is full, as when its tablespace cannot grow
    }
)
_SQLITE_TRANSIENT: Final = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")
_SQLITE_ADVICE: Final = {
    "SQLITE_READONLY": "the file or its folder cannot be written; check its permissions",
    "SQLITE_CANTOPEN": "the file cannot be opened; check that its folder exists and can be written",
    "SQLITE_IOERR": "the disk failed or the file system lacks locks (a network share?); use a local disk",
    "SQLITE_CORRUPT": "the file is damaged; restore it from a backup",
    "SQLITE_NOTADB": "the file is no SQLite database; give another path",
}


def translate(error: Exception, *, place: str) -> RunStoreError:
    """The error to raise instead of ``error``, which becomes its cause.

    Args:
        error: from SQLAlchemy or a driver.
        place: the redacted URL.
    """
    driver_error = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig is not None else error
    said = str(driver_error).strip() or type(driver_error).__name__
    if is_transient(error):
        return StoreUnavailableError(f"{place} is away or busy: {said}; try again, and see whether the server is up")
    refused = f"{place} refused: {type(driver_error).__name__}: {said}"
    if _code(driver_error) in _FULL:
        return StoreFullError(f"{refused}; the disk is full; free some space")
    return StoreFailureError(f"{refused}; {_advice(driver_error)}")


def is_transient(error: BaseException) -> bool:
    """Whether the same call, begun afresh, may succeed."""
    if isinstance(error, sa.exc.TimeoutError):  # no connection of the pool became free
        return True
    if isinstance(error, sa.exc.DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_transient(error.orig))
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorname", "").startswith(_SQLITE_TRANSIENT)
    module = type(error).__module__.partition(".")[0]
    if module == "psycopg":
        return _is_transient_postgresql(error)
    if module == "pymysql":
        return _code(error) in _MYSQL_TRANSIENT
    return False


def _is_transient_postgresql(error: BaseException) -> bool:
    state: str | None = getattr(error, "sqlstate", None)
    if state is not None:
        return state in _POSTGRESQL_TRANSIENT or state.startswith("08")
    # Without a state the server was not reached or the connection broke, unless it turned us away at the door.
    is_about_connection = type(error).__name__ in {"OperationalError", "InterfaceError", "ConnectionTimeout"}
    return is_about_connection and not any(words in str(error) for words in _POSTGRESQL_REFUSED)


def _code(error: BaseException) -> object:
    """What the database calls its error: SQLite's name, PostgreSQL's state, MySQL's number (which has a state as well)."""
    if type(error).__module__.partition(".")[0] == "pymysql":
        return error.args[0] if error.args else 0
    return getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)


def _advice(error: BaseException) -> str:
    name = getattr(error, "sqlite_errorname", "")
    for beginning, advice in _SQLITE_ADVICE.items():
        if name.startswith(beginning):
            return advice
    return "mend what the database complains of: trying the same again will not help"
