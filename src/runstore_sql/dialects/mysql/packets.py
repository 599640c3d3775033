"""How much MySQL and MariaDB take in one statement, and give in one row; see :class:`runstore_sql.dialects.mysql.connecting.ServerFacts`."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

_LARGEST: Final = 13 * 2**20
"""Bytes that are sent at once where the server would take more: MariaDB's default is 16 MiB."""
_HEADROOM: Final = 4096
"""Bytes that stand around what is counted, generously."""
_FIXED: Final = 2_000
"""Bytes of what stands around the rows of a statement, at most."""

ItemT = TypeVar("ItemT")


def room_in(connection: Any) -> int:
    """How many bytes one statement, or one row of an answer, may have on this driver's connection."""
    return min(int(connection.runstore_facts.packet) - _HEADROOM, _LARGEST)


def in_packets(items: Sequence[ItemT], longest: int, room: int) -> Iterable[Sequence[ItemT]]:
    """The items in as few parts as a server's packet allows: nearly always one."""
    a_packet = max((room - _FIXED) // longest, 1)
    return (items[first : first + a_packet] for first in range(0, len(items), a_packet))
