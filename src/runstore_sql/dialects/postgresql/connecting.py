"""Connections to PostgreSQL: their options, what each is asked first, and poolers in between.

A pooler such as PgBouncer hands one server session to many programs in turn. What is set in a session then meets
other programs, and what one session has prepared is not there in the next. So nothing is set and nothing is prepared
where the session may not be ours alone: whatever a transaction needs is said as it begins.
"""

from typing import Any, Final

import psycopg
import sqlalchemy as sa
from psycopg import pq

from runstore.errors import SchemaError, StoreFailureError
from runstore_sql.dialects.options import check_known
from runstore_sql.dialects.postgresql.arrays import register
from runstore_sql.dialects.postgresql.partitions import SETTING as PARTITION_SETTING
from runstore_sql.dialects.postgresql.wire import refusal_of

_DEFAULTS: Final = {
    "application_name": "runstore",
    "connect_timeout": 10,
    "keepalives_count": 3,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
}
_NOT_TAKEN: Final = {
    "client_encoding": "runstore speaks UTF-8",
    "replication": "such a connection takes no queries",
}
# One answer: it is set only if the session that answers is the one that was begun for this connection.
# Compiling a query takes longer than running any of ours; fewer digits than this would round what is read.
_SET_UP: Final = (
    "SELECT CASE WHEN pg_backend_pid() = {pid} "
    "THEN set_config('jit', 'off', false) || set_config('extra_float_digits', '1', false){more} END, "
    "current_setting('extra_float_digits')::int"
)
_READ_ONLY: Final = " || set_config('default_transaction_read_only', 'on', false)"


def check_options(url: sa.URL) -> None:
    """Refuses options that the driver does not have, or that would break a promise.

    Raises:
        SettingsError: names them.
    """
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    check_known(
        url.query, known - _NOT_TAKEN.keys() | {PARTITION_SETTING}, whose="a PostgreSQL URL", refused=_NOT_TAKEN
    )


def connect(arguments: dict[str, Any], *, read_only: bool) -> "psycopg.Connection[Any]":
    """A connection in autocommit mode, ready for use.

    Args:
        arguments: libpq's, and psycopg's own.
        read_only: for a handle that only reads.

    Raises:
        psycopg.Error: with the server's code, where it turned us away.
        SchemaError: the database cannot keep every text.
        StoreFailureError: a pooler in between gives no transactions.
    """
    arguments = {**_DEFAULTS, **arguments, "client_encoding": "UTF8"}
    arguments.pop(PARTITION_SETTING, None)
    try:
        connection = psycopg.connect(autocommit=True, **arguments)
    except psycopg.Error as error:
        found = refusal_of(error, arguments)
        if found is None:
            raise
        raise found from None
    try:
        _set_up(connection, read_only=read_only)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: "psycopg.Connection[Any]", *, read_only: bool) -> None:
    told = connection.pgconn.parameter_status
    encoding = (told(b"server_encoding") or b"UTF8").decode()
    if encoding != "UTF8":
        raise SchemaError(
            f"the database {connection.info.dbname!r} keeps its texts in {encoding}, which has no room for every name; "
            "runstore needs UTF-8: make a database with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )
    if not read_only and told(b"default_transaction_read_only") == b"on" and told(b"in_hot_standby") != b"on":
        raise StoreFailureError(
            f"the database {connection.info.dbname!r} begins every transaction of {connection.info.user!r} read-only: "
            "the setting default_transaction_read_only is on; set it off for this role or database, or take it out of "
            "the URL's options"
        )
    register(connection)
    query = _SET_UP.format(pid=connection.pgconn.backend_pid, more=_READ_ONLY if read_only else "")
    answer = connection.execute(query.encode()).fetchone()
    assert answer is not None  # noqa: S101 - one row, always
    is_ours, digits = answer
    if is_ours is None:
        _stay_apart(connection, digits)


def _stay_apart(connection: "psycopg.Connection[Any]", digits: int) -> None:
    """Readies a connection whose session a pooler lends out."""
    connection.prepare_threshold = None
    try:
        connection.execute("BEGIN")
        connection.execute("COMMIT")
    except psycopg.Error as error:
        raise StoreFailureError(
            f"the pooler in front of {connection.info.dbname!r} refuses transactions: {str(error).strip()}; runstore "
            "needs one that pools by transaction or by session (PgBouncer: pool_mode = transaction)"
        ) from error
    if digits < 1:
        raise SchemaError(
            f"numbers come rounded from {connection.info.dbname!r}, for its setting extra_float_digits is {digits}; "
            "set it to 1 for this role or database"
        )
