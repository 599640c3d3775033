"""What the errors of MySQL and MariaDB mean."""

from typing import Any, Final

from runstore_sql.dialects.failures import Failures

_TRANSIENT: Final = frozenset(
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
_ADVICE: Final = {
    **dict.fromkeys(
        (1044, 1142, 1143, 1227, 1370),
        "ask whoever runs the server for the right: SELECT on the database to read with "
        "open_reader; INSERT, UPDATE and DELETE to write; CREATE, INDEX, REFERENCES and CREATE VIEW to make the tables, or "
        "have somebody who has these run `runstore migrate upgrade`",
    ),
    **dict.fromkeys((1045, 1698), "check user and password, and the machine from which this user may come"),
    1049: "make the database (CREATE DATABASE), or mend its name in the URL",
    1129: "ask whoever runs the server to let this machine in again (FLUSH HOSTS)",
    1130: "ask whoever runs the server to let this user in from this machine",
    1153: "the server's max_allowed_packet is too small for it; ask for a larger one",
    2026: "see whether the server speaks TLS, and whose certificate it shows (ssl_ca)",
}


class MysqlFailures(Failures):
    """By the servers' numbers, and the driver's own from 2000 on."""

    module = "pymysql"
    transient = _TRANSIENT
    of_replica = frozenset({1290, 1836})
    conflicts = frozenset({1020, 1213})
    outside = frozenset({1047})
    full = frozenset(
        {
            1021,
            1114,  # the table is full, as when its tablespace cannot grow
        }
    )
    taken = frozenset({1062})
    missing = frozenset({1054, 1146})
    advice = _ADVICE

    def code(self, error: BaseException) -> Any:
        return error.args[0] if self._is_drivers(error) and error.args else 0
