"""Why a PostgreSQL server turned a connection away, by the code that it sent.

libpq gives a failed connection no SQLSTATE (psycopg issue 1188), only a text in the language of the server. So after a
failure the connection is tried once more while libpq writes down what the server sends, which holds the code. A libpq
older than 18 writes nothing down before a connection stands; then what a server says in any language counts as a
refusal, unless it says in English that it is starting, stopping or full.
"""

import os
import re
import selectors
import socket
import sys
import tempfile
import time
from typing import IO, Any, Final

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

_LONGEST_S: Final = 3.0
_ANSWER: Final = re.compile(r"^B\t\d+\t(\w+)\t?(.*)$", re.MULTILINE)
_CODE: Final = re.compile(r'^ ?S "[^"]*"(?: V "[^"]*")? C "(\w{5})"')
_LETS_IN: Final = frozenset({"AuthenticationOk", "ReadyForQuery"})
_PASSING: Final = (
    "starting up",
    "shutting down",
    "recovery",
    "too many",
    "remaining connection slots",
    # PgBouncer, which speaks English alone and has one code for all it says.
    "no more connections",
    "timeout",
    "server_login_retry",
    "login has been failing",
    "cannot connect",
    "connect failed",
    "server conn crashed",
    "SSL SYSCALL error",
    "closed the connection unexpectedly",
)
_ANSWERED: Final = (
    "FATAL",
    "certificate",
    "SSL was required",
    "channel binding",
    "auth method",
    "invalid response",
    "expected authentication request",
)
"""Of libpq's own texts, those that say that somebody answered: a server, or what is no PostgreSQL at all."""
_PROTOCOL_VIOLATION: Final = "08P01"
_PARAMETER: Final = "unsupported startup parameter"


class TurnedAwayError(psycopg.OperationalError):
    """The server was reached, and nothing that time brings will let this client in."""


def refusal_of(error: psycopg.Error, arguments: dict[str, Any]) -> psycopg.Error | None:
    """The error with the code that the server gave; ``None`` where it was not reached, and may be soon.

    Args:
        error: of an attempt to connect.
        arguments: of that attempt.
    """
    said = str(error)
    if isinstance(error, psycopg.ProgrammingError):  # an option that libpq cannot read
        return TurnedAwayError(said)
    if error.sqlstate is not None or isinstance(error, psycopg.errors.ConnectionTimeout) or error.pgconn is None:
        return None
    if error.pgconn.needs_password:
        return TurnedAwayError(f"{said}; the URL has no password, and neither PGPASSWORD nor a .pgpass file gives one")
    return _judged(said, _heard(arguments))


def _judged(said: str, heard: list[tuple[str, str]] | None) -> psycopg.Error | None:
    codes = [_CODE.match(text) for kind, text in heard or () if kind == "ErrorResponse"]
    if codes and codes[-1] is not None:
        return _with_code(codes[-1].group(1), said)
    if heard is None:
        return TurnedAwayError(said)
    if any(kind in _LETS_IN for kind, _ in heard) or any(words in said for words in _PASSING):
        return None
    # Reached, by what it sent or by what was made of it, and neither side goes on: as without TLS on one of them.
    is_answered = heard or any(words in said for words in _ANSWERED)
    return TurnedAwayError(said) if is_answered else None


def _with_code(code: str, said: str) -> psycopg.Error | None:
    if code == _PROTOCOL_VIOLATION:
        if any(words in said for words in _PASSING):
            return None
        advice = "; a pooler in between lets no such setting through: give it to the role or the database instead"
        return TurnedAwayError(said + advice if _PARAMETER in said else said)
    try:
        return psycopg.errors.lookup(code)(said)
    except KeyError:
        return TurnedAwayError(said)


def _heard(arguments: dict[str, Any]) -> list[tuple[str, str]] | None:
    """What the server sends to one more attempt, kind by kind; ``None`` where libpq cannot even begin one."""
    plain = {name: value for name, value in arguments.items() if name != "context"}
    attempt = pq.PGconn.connect_start(make_conninfo(**plain).encode())
    with _notes() as notes:
        try:
            if attempt.status == pq.ConnStatus.BAD:
                return [] if _is_deserted(attempt) else None
            try:
                attempt.trace(notes.fileno())
                attempt.set_trace_flags(pq.Trace.SUPPRESS_TIMESTAMPS)
            except psycopg.NotSupportedError:
                return []
            _wait(attempt)
            attempt.untrace()
        finally:
            attempt.finish()
        notes.seek(0)
        return _ANSWER.findall(notes.read().decode(errors="replace"))


def _is_deserted(attempt: pq.abc.PGconn) -> bool:
    """Whether it failed at once because nobody listens on a socket of this machine, as while the server is down."""
    folder = attempt.host.decode()
    if sys.platform == "win32" or not folder.startswith("/"):
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(f"{folder}/.s.PGSQL.{attempt.port.decode()}")
        except PermissionError:
            return False
        except OSError:
            return True
    return False


def _notes() -> IO[bytes]:
    """A file that never reaches a disk where the system has such: what is sent may hold a password."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("runstore"), "w+b")
    return tempfile.TemporaryFile()


def _wait(attempt: pq.abc.PGconn) -> None:
    deadline = time.monotonic() + _LONGEST_S
    while (status := attempt.connect_poll()) in {pq.PollingStatus.READING, pq.PollingStatus.WRITING}:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            return
        wanted = selectors.EVENT_READ if status == pq.PollingStatus.READING else selectors.EVENT_WRITE
        with selectors.DefaultSelector() as selector:  # libpq goes on to another socket with each host
            selector.register(attempt.socket, wanted)
            selector.select(left_s)
