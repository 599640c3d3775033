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
        "25P03",  # a transaction that stood idle for too long was ended, or one that lasted
        "25P04",
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
_POSTGRESQL_ADVICE: Final = {
    "28": "check user and password, and ask whoever runs the server whether it lets you in from this machine",
    "3D000": "make the database (CREATE DATABASE), or mend its name in the URL",
    "3F000": "no schema of the search path is there: make it (CREATE SCHEMA), or name another with "
    "?options=-csearch_path%3Dpublic behind the URL",
    "42501": "ask the owner of the database for the right: CONNECT on the database, USAGE on the schema, SELECT on the "
    "runstore_ tables to read, INSERT, UPDATE and DELETE and USAGE on their sequences to write, CREATE on the schema to "
    "make them",
}

_MYSQL_TRANSIENT: Final = frozenset(
    {
        0,  # the driver's "not connected"
        1020,  # record changed since last read
        1040,  # too many connections
        1047,  # a node of a cluster that is not ready
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
_MYSQL_ADVICE: Final = {
    **dict.fromkeys(
        (1044, 1142, 1143, 1227, 1370),
        "ask whoever runs the server for the right: SELECT on the database to read; INSERT, UPDATE and DELETE to "
        "write; CREATE, INDEX, REFERENCES and CREATE VIEW to make the tables",
    ),
    **dict.fromkeys((1045, 1698), "check user and password, and the machine from which this user may come"),
    1049: "make the database (CREATE DATABASE), or mend its name in the URL",
    1129: "ask whoever runs the server to let this machine in again (FLUSH HOSTS)",
    1130: "ask whoever runs the server to let this user in from this machine",
    1153: "the server's max_allowed_packet is too small for it; ask for a larger one",
    2026: "see whether the server speaks TLS, and whose certificate it shows (ssl_ca)",
}
_FULL: Final = frozenset(
    {
        "SQLITE_FULL",
        "53100",  # PostgreSQL: disk full
        1021,  # MariaDB, MySQL: disk full
        1114,  # the table is full, as when its tablespace cannot grow
    }
)
_REPLICA: Final = frozenset({"25006", 1290, 1836})
_MISSING: Final = frozenset({"42P01", "42703", 1054, 1146})
_TAKEN: Final = frozenset({"23505", 1062})
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
    said = _words(driver_error).strip() or type(driver_error).__name__
    if _code(driver_error) in _REPLICA:
        return StoreUnavailableError(
            f"{place} takes no writes: {said}; it is a read replica, or about to become the primary: name the primary in "
            "the URL, or try again"
        )
    if is_transient(error):
        return StoreUnavailableError(f"{place} is away or busy: {said}; try again, and see whether the server is up")
    refused = f"{place} refused: {type(driver_error).__name__}: {said}"
    if _code(driver_error) in _FULL:
        return StoreFullError(f"{refused}; the disk is full; free some space")
    return StoreFailureError(f"{refused}; {_advice(driver_error)}")


def _words(error: BaseException) -> str:
    """What the driver says in one line: of PostgreSQL's answer the message, and not the statement that it quotes."""
    told = getattr(error, "diag", None)
    if told is not None and told.message_primary:
        return " ".join(filter(None, (told.message_primary, told.message_detail, told.message_hint)))
    return " ".join(str(error).split())


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


def is_missing(error: BaseException | None) -> bool:
    """Whether a driver's error says that a table or column is not there. A right that is missing is another thing."""
    if isinstance(error, sqlite3.Error):
        # SQLite has one code for all mistakes in a statement, and one language.
        return str(error).startswith(("no such table", "no such column"))
    return error is not None and _code(error) in _MISSING


def is_cut_off(error: BaseException | None) -> bool:
    """Whether PostgreSQL ended a statement, as it does when one takes longer than ``statement_timeout``."""
    return getattr(error.orig if isinstance(error, sa.exc.DBAPIError) else error, "sqlstate", None) == "57014"


def is_taken(error: BaseException | None) -> bool:
    """Whether a driver's error says that a unique key is taken."""
    return error is not None and _code(error) in _TAKEN


def _is_transient_postgresql(error: BaseException) -> bool:
    state: str | None = getattr(error, "sqlstate", None)
    if state is not None:
        return state in _POSTGRESQL_TRANSIENT or state.startswith("08")
    # Without a state the server was not reached, or the connection broke; see wire.py for one that was turned away.
    return type(error).__name__ in {"OperationalError", "InterfaceError", "ConnectionTimeout"}


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
    code = _code(error)
    advised = _MYSQL_ADVICE.get(code) if isinstance(code, int) else None
    if isinstance(code, str) and not name:
        advised = _POSTGRESQL_ADVICE.get(code) or _POSTGRESQL_ADVICE.get(code[:2])
    if advised is not None:
        return advised
    return "mend what the database complains of: trying the same again will not help"
