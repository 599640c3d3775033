"""Columns of a table: typed buffers as Apache Arrow lays them out, made from Python values.

A missing value is null, never a NaN: a metric may really be NaN. Integers stay integers, and a column whose values are
of several kinds is text, as a person reads them.
"""

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from enum import Enum
from itertools import accumulate
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from runstore.model import from_microseconds, to_microseconds

_INT64: Final = range(-(2**63), 2**63)
_EXACT_INTS: Final = range(-(2**53), 2**53 + 1)
"""Integers that float64 holds exactly, and all between them."""


class Kind(Enum):
    """What a column holds."""

    INT = "int"
    """int64"""
    FLOAT = "float"
    """float64"""
    BOOL = "bool"
    TEXT = "text"
    TIME = "time"
    """Microseconds since 1970, UTC."""
    WORD = "word"
    """One of a few texts, kept once: a number a row says which."""


class Column(Struct, frozen=True, kw_only=True):
    """The values of one column.

    Attributes:
        name: as the filter language writes the field.
        kind: what the values are.
        length: how many there are, missing ones too.
        values: the numbers: int64, float64, a byte each for booleans; for words an int32 each, the place in ``words``.
        present: a byte each, 0 where the value is missing; ``None`` where none is. What then stands in ``values`` means
            nothing.
        ends: for texts, where each one ends in ``letters``, behind a 0.
        letters: the texts, one behind the other, in UTF-8.
        words: the texts that a column of words chooses from.
    """

    name: str
    kind: Kind
    length: int
    values: "array[Any] | bytearray" = bytearray()
    present: bytes | None = None
    ends: "array[int] | None" = None
    letters: bytes = b""
    words: tuple[str, ...] = ()

    def is_missing(self, row: int) -> bool:
        """Whether the value of a row is missing."""
        return self.present is not None and not self.present[row]

    def objects(self) -> Iterator[Any]:
        """The values as Python has them, ``None`` where one is missing."""
        value = self._reading()
        return (None if self.is_missing(row) else value(row) for row in range(self.length))

    def _reading(self) -> Callable[[int], Any]:
        values, ends = self.values, self.ends
        match self.kind:
            case Kind.TEXT if ends is not None:
                return lambda row: self.letters[ends[row] : ends[row + 1]].decode()
            case Kind.WORD:
                return lambda row: self.words[values[row]]
            case Kind.TIME:
                return lambda row: from_microseconds(values[row])
            case Kind.BOOL:
                return lambda row: bool(values[row])
            case _:
                return lambda row: values[row]


def numbers(name: str, kind: Kind, values: "array[Any]") -> Column:
    """A column over numbers that are there already, with none missing."""
    return Column(name=name, kind=kind, length=len(values), values=values)


def words(name: str, texts: Sequence[str], counts: Iterable[int]) -> Column:
    """A column of texts, each of which stands in so many rows, one group behind the other."""
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    codes = array("i")
    for text, count in zip(texts, counts, strict=True):
        codes.extend(array("i", [places[text]]) * count)
    return Column(name=name, kind=Kind.WORD, length=len(codes), values=codes, words=tuple(places))


def column_of(name: str, values: Sequence[Any], kind: Kind | None = None) -> Column:
    """A column of Python values, ``None`` where one is missing.

    Args:
        name: the column's.
        values: int, float, bool, str, aware datetime, and of a config lists and mappings.
        kind: of all values that are there; found by looking at them if not given.
    """
    kind = _kind_of(values) if kind is None else kind
    present = bytes(value is not None for value in values)
    column = Column(name=name, kind=kind, length=len(values), present=None if all(present) else present)
    match kind:
        case Kind.TEXT:
            encoded = [b"" if value is None else text_of(value).encode() for value in values]
            ends = array("q", accumulate(map(len, encoded), initial=0))
            return replace(column, ends=ends, letters=b"".join(encoded))
        case Kind.BOOL:
            return replace(column, values=bytearray(map(bool, values)))
        case Kind.TIME:
            return replace(column, values=array("q", [0 if each is None else to_microseconds(each) for each in values]))
        case Kind.INT:
            return replace(column, values=array("q", [0 if each is None else each for each in values]))
        case Kind.FLOAT:
            return replace(column, values=array("d", [0.0 if each is None else each for each in values]))
        case Kind.WORD:
            raise ValueError("a column of words is made by words()")


def text_of(value: Any) -> str:
    """A value as a person reads it: texts as they are, what is nested as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, (int, float)) else json.dumps(value, separators=(",", ":"))


def _kind_of(values: Iterable[Any]) -> Kind:
    """The one kind that holds all values exactly: text, where no other does."""
    types = {type(value) for value in values} - {type(None)}
    if types == {int} and all(value is None or value in _INT64 for value in values):
        return Kind.INT
    if types and types <= {int, float} and all(type(value) is not int or value in _EXACT_INTS for value in values):
        return Kind.FLOAT
    if types == {bool}:
        return Kind.BOOL
    if types == {datetime}:
        return Kind.TIME
    return Kind.TEXT
