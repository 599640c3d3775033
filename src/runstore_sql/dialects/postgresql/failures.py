"""What PostgreSQL's errors mean."""

from typing import Any, Final

from runstore_sql.dialects.failures import Failures

_TRANSIENT: Final = frozenset(
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
_ADVICE: Final = {
    "28": "check user and password, and ask whoever runs the server whether it lets you in from this machine",
    "3D000": "make the database (CREATE DATABASE), or mend its name in the URL",
    "3F000": "no schema of the search path is there: make it (CREATE SCHEMA), or name another with "
    "?options=-csearch_path%3Dpublic behind the URL",
    "42501": "ask the owner of the database for the right: CONNECT on the database, USAGE on the schema, SELECT on the "
    "runstore_ tables to read, INSERT, UPDATE and DELETE and USAGE on their sequences to write, CREATE on the schema to "
    "make them, or have somebody who has it run `runstore migrate upgrade`",
}


class PostgresqlFailures(Failures):
    """By SQLSTATE, or by the first two characters of one, which are its class."""

    module = "psycopg"
    transient = _TRANSIENT
    of_replica = frozenset({"25006"})
    conflicts = frozenset({"40001", "40P01"})
    full = frozenset({"53100"})
    taken = frozenset({"23505"})
    missing = frozenset({"42P01", "42703"})
    cut_off = frozenset({"57014"})
    advice = _ADVICE

    def code(self, error: BaseException) -> Any:
        return getattr(error, "sqlstate", None)

    def words(self, error: BaseException) -> str:
        """The message of the server's answer, and not the statement that it quotes."""
        told = getattr(error, "diag", None)
        if told is not None and told.message_primary:
            return " ".join(filter(None, (told.message_primary, told.message_detail, told.message_hint)))
        return super().words(error)

    def advice_for(self, error: BaseException) -> str | None:
        code = self.code(error) or ""
        return self.advice.get(code) or self.advice.get(code[:2])

    def is_passing(self, error: BaseException) -> bool:
        state = self.code(error)
        if state is not None:
            return state in self.transient or state.startswith("08")
        # Without a state the server was not reached, or the connection broke; see wire.py for one that was turned away.
        return type(error).__name__ in {"OperationalError", "InterfaceError", "ConnectionTimeout"}
