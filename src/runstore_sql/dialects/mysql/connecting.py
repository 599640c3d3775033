"""Connections to MySQL and MariaDB, and what each session is told first.

A driver's session is its own here, behind a proxy as well: MaxScale and ProxySQL set it up again wherever they send it.
"""

import ssl
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import pymysql
from pymysql.constants import CLIENT

from runstore.errors import SettingsError, StoreFailureError

_FILES: Final = frozenset({"read_default_file", "server_public_key", "ssl_ca", "ssl_cert", "ssl_key"})
_SQL_MODE: Final = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
# Rows found, not rows changed, as SQLAlchemy has it; and several statements a text: see trips.py.
_FLAGS: Final = CLIENT.FOUND_ROWS | CLIENT.MULTI_STATEMENTS
_TLS_FAILED: Final = 2026
_OUTSIDE: Final = 1047
_NEXT_MAY_SERVE: Final = frozenset({1040, _OUTSIDE, 1053, 1129, 2002, 2003, 2006, 2013})
"""Errors after which another node of a cluster is asked: this one is away, full, or has no part in it."""
_ASK: Final = (
    "SELECT @@max_allowed_packet, @@innodb_page_size, @@log_bin AND @@binlog_format = 'STATEMENT', VERSION(); "
    "SHOW VARIABLES LIKE 'wsrep_on'"
)
_IS_PART: Final = "SHOW STATUS LIKE 'wsrep_ready'"


class ServerFacts(NamedTuple):
    """What a server says of itself.

    Attributes:
        packet: the bytes of the longest statement that it takes.
        page: the bytes of a page of InnoDB's.
        logs_statements: whether its binary log holds statements, and so forbids READ COMMITTED.
        version: as it spells it.
        is_node: whether it is a node of a Galera cluster.
    """

    packet: int
    page: int
    logs_statements: bool
    version: str
    is_node: bool = False

    @property
    def is_mariadb(self) -> bool:
        """Whether it is MariaDB and not MySQL."""
        return "mariadb" in self.version.lower()


_UNASKED: Final = ServerFacts(packet=2**30, page=0, logs_statements=False, version="")
_TOO_LARGE: Final = 1153
_HEADROOM: Final = 1024
"""Bytes that a packet holds beside the statement, generously."""


_unchecked: ssl.SSLContext | None = None


class BoundedConnection(pymysql.connections.Connection):
    """A connection that sends no statement the server would cut off: it would look like one that broke, for ever.

    Attributes:
        runstore_facts: what the server said of itself.
    """

    runstore_facts = _UNASKED

    def _create_ssl_ctx(self, sslp: Any) -> ssl.SSLContext:
        """As the driver's; where a URL asks for nothing to be checked, one for all connections of a process.

        The driver reads the system's certificates for each connection, which takes longer than all the rest, and asks none.
        """
        global _unchecked  # noqa: PLW0603 - made at the first connection, for some programs have none
        if not sslp and _unchecked is not None:
            return _unchecked
        driver: Any = super()
        made: ssl.SSLContext = driver._create_ssl_ctx(sslp)  # noqa: SLF001 - the driver's own, which is overridden
        if not sslp:
            _unchecked = made
        return made

    def query(self, sql: Any, unbuffered: bool = False) -> int:  # noqa: FBT001, FBT002 - the driver's signature
        """As the driver's.

        Raises:
            pymysql.err.OperationalError: the statement is longer than the server takes.
        """
        text = sql.encode(self.encoding) if isinstance(sql, str) else sql
        most = self.runstore_facts.packet - _HEADROOM
        if len(text) > most:
            raise pymysql.err.OperationalError(
                _TOO_LARGE, f"{len(text)} bytes in one statement; max_allowed_packet lets {most} through"
            )
        return int(super().query(text, unbuffered))

    def cursor(self, cursor: Any = None) -> Any:
        """As the driver's; many rows at once are sent in statements that the server takes."""
        made: Any = super().cursor(cursor)
        if self.runstore_facts.packet < _DRIVERS_PACKET:
            made.max_stmt_length = self.runstore_facts.packet - 2 * _HEADROOM
        return made


_DRIVERS_PACKET: Final = 1_024_000 + 2 * _HEADROOM
"""The driver sends many rows in statements of up to 1,024,000 bytes."""


def connect(arguments: dict[str, Any], hosts: Sequence[tuple[str, int]], *, read_only: bool) -> Any:
    """As :func:`connect_one`, to the first of these hosts that takes us; to the one of the arguments where there are none."""
    for host, port in hosts[:-1]:
        try:
            return connect_one({**arguments, "host": host, "port": port}, read_only=read_only)
        except pymysql.err.OperationalError as error:
            if error.args[0] not in _NEXT_MAY_SERVE:
                raise
    if hosts:
        host, port = hosts[-1]
        arguments = {**arguments, "host": host, "port": port}
    return connect_one(arguments, read_only=read_only)


def connect_one(arguments: dict[str, Any], *, read_only: bool) -> Any:
    """A connection in autocommit mode, ready for use; what the server said of itself is its ``runstore_facts``.

    Raises:
        pymysql.Error: the driver's.
        SettingsError: a file that an option names cannot be read.
    """
    try:
        connection: Any = BoundedConnection(**arguments, autocommit=True, charset="utf8mb4", client_flag=_FLAGS)
    except pymysql.err.OperationalError as error:
        cause = getattr(error, "original_exception", None)
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            raise pymysql.err.OperationalError(_TLS_FAILED, str(error.args[1])) from None
        if isinstance(cause, PermissionError):
            raise StoreFailureError(
                f"this user may not reach the database: {error.args[1]}; ask whoever runs the server"
            ) from error
        raise
    except (OSError, ValueError, TypeError, RuntimeError) as error:  # before anything was sent
        files = [f"{name}={arguments[name]}" for name in sorted(arguments) if name in _FILES]
        named = f" (files are named by {', '.join(files)})" if files else ""
        raise SettingsError(f"an option of the MySQL or MariaDB URL cannot be used: {error}{named}; mend it") from error
    try:
        with connection.cursor() as cursor:
            _set_up(connection, cursor, read_only=read_only)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: Any, cursor: Any, *, read_only: bool) -> None:
    cursor.execute(_ASK)
    packet, page, logs_statements, version = cursor.fetchone()
    cursor.nextset()
    is_node = (cursor.fetchone() or ("", ""))[1] == "ON"
    facts = ServerFacts(packet, page, bool(logs_statements), version, is_node)
    connection.runstore_facts = facts
    if is_node:
        _check_node(cursor)
    settings = {
        "sql_mode": f"'{_SQL_MODE}'",
        "time_zone": "'+00:00'",
        "group_concat_max_len": "16777216",  # the default cuts what is longer off: see listing.py
    }
    if facts.is_mariadb and not read_only:
        settings["max_statement_time"] = "0"  # what writes a large call may take its time
    if is_node:  # what any node has acknowledged is seen, before a read and as a transaction begins
        settings["wsrep_sync_wait"] = "@@SESSION.wsrep_sync_wait | 1"
    # A log of statements forbids writing under READ COMMITTED; what is written needs no more than that, and no less.
    level = "REPEATABLE READ" if facts.logs_statements and not read_only else "READ COMMITTED"
    text = ", ".join(f"{name} = {value}" for name, value in settings.items())
    cursor.execute(f"SET SESSION {text}; SET SESSION TRANSACTION ISOLATION LEVEL {level}")
    while cursor.nextset():
        pass


def _check_node(cursor: Any) -> None:
    """Refuses a node that has no part in its cluster: it lets clients in, and answers nothing."""
    cursor.execute(_IS_PART)
    if (cursor.fetchone() or ("", ""))[1] != "ON":
        raise pymysql.err.OperationalError(_OUTSIDE, "WSREP has not yet prepared node for application use")
