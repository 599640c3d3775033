"""PostgreSQL's binary arrays, packed column by column.

psycopg turns a list into an array one Python object at a time; a column of 64-bit items in an :class:`array.array`
needs only its bytes swapped and each item's length put before it.
"""

import struct
import sys
from array import array
from typing import Any, Final

from psycopg import Connection
from psycopg.adapt import Dumper
from psycopg.pq import Format

_OIDS: Final = {"q": (20, 1016), "d": (701, 1022)}
_HEADER: Final = struct.Struct(">iiIii")
"""Dimensions, whether there are NULLs, type of the items, their number, and the first index."""
_EMPTY_HEADER: Final = struct.Struct(">iiI")
_ITEM: Final = 12
"""Bytes of one item with its length."""


class PackedArray:
    """A column of int64 (typecode ``q``) or float64 (``d``) as a parameter of type ``int8[]`` or ``float8[]``."""

    __slots__ = ("column",)

    def __init__(self, column: "array[Any]") -> None:
        """Takes the column as it is; it must not change before the statement was sent."""
        self.column = column


class _PackedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: PackedArray) -> bytes:
        return _packed(obj.column)


class PackedInts(PackedArray):
    """An ``int8[]``."""


class PackedFloats(PackedArray):
    """A ``float8[]``."""


class _IntsDumper(_PackedDumper):
    oid = _OIDS["q"][1]


class _FloatsDumper(_PackedDumper):
    oid = _OIDS["d"][1]


def register(connection: "Connection[Any]") -> None:
    """Teaches a connection to send packed columns."""
    connection.adapters.register_dumper(PackedInts, _IntsDumper)
    connection.adapters.register_dumper(PackedFloats, _FloatsDumper)


def _packed(column: "array[Any]") -> bytes:
    item = _OIDS[column.typecode][0]
    if not column:
        return _EMPTY_HEADER.pack(0, 0, item)
    return _HEADER.pack(1, 0, item, len(column), 1) + interleaved(column)


def unpacked(data: bytes, typecode: str) -> "array[Any]":
    """The column whose items, in network order, were put one after the other."""
    column = array(typecode, data)
    if sys.byteorder == "little":
        column.byteswap()
    return column


def interleaved(column: "array[Any]") -> bytearray:
    """Each item in network order with its length (8) before it."""
    swapped = column[:]
    if sys.byteorder == "little":
        swapped.byteswap()
    raw = swapped.tobytes()
    packed = bytearray(_ITEM * len(column))
    packed[3::_ITEM] = b"\x08" * len(column)
    for index in range(8):
        packed[4 + index :: _ITEM] = raw[index::8]
    return packed
