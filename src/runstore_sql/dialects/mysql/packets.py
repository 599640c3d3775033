"""How much MySQL and MariaDB take in one statement, and give in one row; see :class:`runstore_sql.dialects.mysql.connecting.ServerFacts`."""

from typing import Any, Final

_LARGEST: Final = 13 * 2**20
"""Bytes that are sent at once where the server would take more: MariaDB's default is 16 MiB."""
_HEADROOM: Final = 4096
"""Bytes that stand around what is counted, generously."""


def room_in(connection: Any) -> int:
    """How many bytes one statement, or one row of an answer, may have on this driver's connection."""
    return min(int(connection.runstore_facts.packet) - _HEADROOM, _LARGEST)
