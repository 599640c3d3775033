"""Connections to MySQL and MariaDB: their options, and what each session is told first.

A driver's session is its own here, behind a proxy as well: MaxScale and ProxySQL set it up again wherever they send it.
"""

import ssl
from typing import Any, Final, NamedTuple

import pymysql
import sqlalchemy as sa
from pymysql.constants import CLIENT

from runstore.errors import SettingsError, StoreFailureError
from runstore_sql.partitions import SETTING as PARTITION_SETTING
from runstore_sql.url_options import check_known

_TAKEN: Final = frozenset(
    {
        "bind_address",
        "compress",
        "connect_timeout",
        "passwd",
        "password",
        "program_name",
        "read_default_file",
        "read_default_group",
        "read_timeout",
        "server_public_key",
        "ssl_ca",
        "ssl_capath",
        "ssl_cert",
        "ssl_check_hostname",
        "ssl_cipher",
        "ssl_disabled",
        "ssl_key",
        "ssl_key_password",
        "ssl_verify_cert",
        "ssl_verify_identity",
        "unix_socket",
        "write_timeout",
    }
)
_SECONDS: Final = ("connect_timeout", "read_timeout", "write_timeout")
_SWITCHES: Final = ("compress", "ssl_check_hostname", "ssl_disabled", "ssl_verify_cert", "ssl_verify_identity")
_FILES: Final = frozenset({"read_default_file", "server_public_key", "ssl_ca", "ssl_cert", "ssl_key"})
_WORDS: Final = {
    "1": True,
    "on": True,
    "true": True,
    "yes": True,
    "0": False,
    "off": False,
    "false": False,
    "no": False,
}
_NOT_TAKEN: Final = {
    "autocommit": "runstore begins and ends its own transactions",
    "charset": "runstore speaks utf8mb4, whatever the database's own character set is",
    "client_flag": "runstore sets the flags it needs",
    "collation": "runstore's tables name their own",
    "conv": "runstore reads values its own way",
    "cursorclass": "runstore reads rows its own way",
    "init_command": "it would change what runstore's statements mean",
    "local_infile": "runstore loads no files",
    PARTITION_SETTING: "it is for PostgreSQL alone",
    "sql_mode": "runstore sets the mode that its statements are written for",
    "use_unicode": "runstore's texts are Unicode",
}
_TLS: Final = (
    "write ?ssl_ca=/path/of/ca.pem&ssl_verify_identity=true for TLS with the server's certificate checked; without "
    "any such option TLS is used where the server has it, and nothing is checked"
)
_MEANT: Final = dict.fromkeys(
    ("ssl", "sslmode", "usessl", "requiressl", "tls", "verifyservercertificate", "sslrootcert"), _TLS
)
_SQL_MODE: Final = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
# Rows found, not rows changed, as SQLAlchemy has it; and several statements a text: see trips.py.
_FLAGS: Final = CLIENT.FOUND_ROWS | CLIENT.MULTI_STATEMENTS
_TLS_FAILED: Final = 2026
_ASK: Final = "SELECT @@max_allowed_packet, @@innodb_page_size, @@log_bin AND @@binlog_format = 'STATEMENT', VERSION()"


class ServerFacts(NamedTuple):
    """What a server says of itself.

    Attributes:
        packet: the bytes of the longest statement that it takes.
        page: the bytes of a page of InnoDB's.
        logs_statements: whether its binary log holds statements, and so forbids READ COMMITTED.
        version: as it spells it.
    """

    packet: int
    page: int
    logs_statements: bool
    version: str

    @property
    def is_mariadb(self) -> bool:
        """Whether it is MariaDB and not MySQL."""
        return "mariadb" in self.version.lower()


_UNASKED: Final = ServerFacts(packet=2**30, page=0, logs_statements=False, version="")
_TOO_LARGE: Final = 1153
_HEADROOM: Final = 1024
"""Bytes that a packet holds beside the statement, generously."""


class BoundedConnection(pymysql.connections.Connection):
    """A connection that sends no statement the server would cut off: it would look like one that broke, for ever.

    Attributes:
        runstore_facts: what the server said of itself.
    """

    runstore_facts = _UNASKED

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


def check_options(url: sa.URL) -> None:
    """Refuses options that the driver does not have, cannot read, or that would break a promise.

    Raises:
        SettingsError: names them.
    """
    check_known(url.query, _TAKEN, place="a MySQL or MariaDB URL", refused=_NOT_TAKEN, meant=_MEANT)
    arguments_of(url)


def arguments_of(url: sa.URL) -> dict[str, Any]:
    """The driver's arguments.

    Raises:
        SettingsError: an option's value is not of its kind.
    """
    given: dict[str, Any] = dict(url.query)
    for name in _SECONDS:
        if name in given and not (given[name].isascii() and given[name].isdigit() and 0 < int(given[name]) < 31536000):  # noqa: PLR2004 - a year, the driver's limit
            raise SettingsError(f"the option {name}={given[name]} is no whole number of seconds; give one such as 30")
        if name in given:
            given[name] = int(given[name])
    for name in _SWITCHES:
        if name in given and given[name].lower() not in _WORDS:
            raise SettingsError(f"the option {name}={given[name]} is neither true nor false; write one of them")
        if name in given:
            given[name] = _WORDS[given[name].lower()]
    tls = {name: given.pop(f"ssl_{name}") for name in ("capath", "cipher", "check_hostname") if f"ssl_{name}" in given}
    if tls:  # the driver takes these only with all the others, under its own names
        tls |= {name: given.pop(f"ssl_{name}") for name in ("ca", "cert", "key") if f"ssl_{name}" in given}
        given["ssl"] = tls
    named = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "database": url.database,
    }
    return {**{name: value for name, value in named.items() if value is not None}, **given}


def connect(arguments: dict[str, Any], *, read_only: bool) -> Any:
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
    facts = ServerFacts(packet, page, bool(logs_statements), version)
    connection.runstore_facts = facts
    settings = {
        "sql_mode": f"'{_SQL_MODE}'",
        "time_zone": "'+00:00'",
        "group_concat_max_len": "16777216",  # the default cuts what is longer off: see many_runs.py
    }
    if facts.is_mariadb and not read_only:
        settings["max_statement_time"] = "0"  # what writes a large call may take its time
    # A log of statements forbids writing under READ COMMITTED; what is written needs no more than that, and no less.
    level = "REPEATABLE READ" if facts.logs_statements and not read_only else "READ COMMITTED"
    text = ", ".join(f"{name} = {value}" for name, value in settings.items())
    cursor.execute(f"SET SESSION {text}; SET SESSION TRANSACTION ISOLATION LEVEL {level}")
    while cursor.nextset():
        pass
