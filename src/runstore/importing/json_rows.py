"""The tables of an export in JSON, a line a row, read piece by piece: by rows, or by the run that the rows belong to."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import msgspec

from runstore.errors import SourceError
from runstore.importing.source import opened_plainly
from runstore.model import to_microseconds
from runstore.moving.layout import NESTED, NON_FINITE

_BLOCK: Final = 2**21
"""Bytes read at once: fewer lines than a piece may have points."""

_MOST_LINE: Final = 64 * 2**20
"""Bytes: a run has a config of mebibytes at most."""

_TYPES: Final[dict[str, Any]] = {
    "text": str | None,
    "integer": int | None,
    "float": float | str | None,
    "flag": bool | None,
    "time": Annotated[datetime, msgspec.Meta(tz=True)] | None,
}


class _Lines:
    """A file of lines, each of which is a row."""

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        """Opens the file.

        Raises:
            SourceError: it cannot be read.
        """
        self.path = path
        self.kinds = columns
        fields = [
            (name, msgspec.Raw if name in NESTED else _TYPES[kind], msgspec.Raw() if name in NESTED else None)
            for name, kind in columns.items()
        ]
        self._decoder = msgspec.json.Decoder(msgspec.defstruct("Row", fields))
        self._bytes: BinaryIO = opened_plainly(path)

    def blocks(self, begin: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Whole lines, some at once, with the offset at which they begin; of a part of the file, or to its end.

        Raises:
            SourceError: it cannot be read, or a line has no end.
        """
        rest, offset = b"", begin
        try:
            self._bytes.seek(begin)
            while block := self._bytes.read(_BLOCK if end is None else min(_BLOCK, end - offset - len(rest))):
                cut = block.rfind(b"\n") + 1
                if not cut:
                    rest += block
                    if len(rest) > _MOST_LINE:
                        raise SourceError(f"{self.path}: has a line of over {_MOST_LINE} bytes, at byte {offset}")
                    continue
                whole = rest + block[:cut]
                yield offset, whole
                offset += len(whole)
                rest = block[cut:]
                self._bytes.seek(offset + len(rest))  # who takes the block may have read elsewhere
        except OSError as error:
            raise SourceError(f"{self.path}: cannot be read: {error.strerror or error}") from error
        if rest:
            yield offset, rest  # other programs may write a last line without an end

    def rows_of(self, block: bytes, offset: int) -> Sequence[Any]:
        """The rows of whole lines.

        Raises:
            SourceError: one of them is no row; names the line.
        """
        try:
            return self._decoder.decode_lines(block)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            pass  # found again below, with its line
        for line in block.split(b"\n"):
            try:
                if line.strip():
                    self._decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                raise SourceError(
                    f"{self.path}:{self._line_at(offset)}: is no row of this table: {error}; restore it from where it comes"
                ) from error
            offset += len(line) + 1
        raise SourceError(f"{self.path}: cannot be read as lines of JSON; restore it from where it comes")

    def plain(self, row: Any) -> dict[str, Any]:
        """A row as a dictionary; times in microseconds since 1970, nested values as JSON.

        Raises:
            SourceError: a float is none.
        """
        return {name: self._plain(getattr(row, name), name, kind) for name, kind in self.kinds.items()}

    def close(self) -> None:
        """Closes the file."""
        self._bytes.close()

    def _plain(self, value: Any, name: str, kind: str) -> Any:
        if name in NESTED:
            text = bytes(value).decode("utf-8", "backslashreplace")
            return None if text in {"", "null"} else text
        if isinstance(value, datetime):
            return to_microseconds(value)
        return self.number(value, name) if kind == "float" and value is not None else value

    def number(self, value: float | str, name: str) -> float:
        """A float, which is a text if JSON lacks it.

        Raises:
            SourceError: it is none.
        """
        if isinstance(value, str) and value not in NON_FINITE:
            known = ", ".join(sorted(NON_FINITE))
            raise SourceError(f"{self.path}: {name} is the text {value[:80]!r}; a number is none, but for {known}")
        return float(value)

    def _line_at(self, offset: int) -> int:
        return 1 + sum(block.count(b"\n") for _, block in self.blocks(0, offset)) if offset else 1


class JsonRows:
    """A table.

    Attributes:
        count: how many rows there are.
    """

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        """Opens the file, and counts its lines.

        Raises:
            SourceError: it cannot be read.
        """
        self._lines = _Lines(path, columns)
        try:
            self.count = sum(block.count(b"\n") + (not block.endswith(b"\n")) for _, block in self._lines.blocks())
        except BaseException:
            self.close()
            raise

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row; see :class:`.export_tables.Rows`."""
        for offset, block in self._lines.blocks():
            for row in self._lines.rows_of(block, offset):
                yield self._lines.plain(row)

    def close(self) -> None:
        """Closes the file."""
        self._lines.close()


class JsonPart:
    """Some rows that follow one another."""

    def __init__(self, rows: Sequence[Any], lines: _Lines) -> None:
        """Copies nothing."""
        self._rows = rows
        self._lines = lines

    def rows(self) -> list[dict[str, Any]]:
        """Each row as a dictionary."""
        return [self._lines.plain(row) for row in self._rows]

    def numbers(self, name: str) -> "array[Any]":
        """A column of numbers; see :class:`.export_tables.Part`."""
        values = list(map(attrgetter(name), self._rows))
        kind = self._lines.kinds[name]
        missing = sum(value is None for value in values)
        if missing:
            raise SourceError(f"{self._lines.path}: {missing} values of {name!r} are missing; each point has one")
        try:
            if kind == "time":
                return array("q", map(to_microseconds, values))
            if kind == "integer":
                return array("q", values)
        except OverflowError as error:
            raise SourceError(f"{self._lines.path}: a {name} is too large: {error}") from error
        return array("d", [each if each.__class__ is float else self._lines.number(each, name) for each in values])


class JsonRowsByRun:
    """A table whose rows belong to runs, those of a run behind one another: some lines are in memory at once."""

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        """Opens the file, and looks through the ids of the runs once.

        Raises:
            SourceError: it cannot be read, or a line names no run.
        """
        self._lines = _Lines(path, columns)
        self._ranges: dict[str, list[tuple[int, int]]] = {}
        try:
            self._look_through()
        except BaseException:
            self.close()
            raise

    def of(self, run_id: str, *within: str) -> Iterator[tuple[tuple[str, ...], JsonPart]]:
        """The rows of a run; see :class:`.export_tables.RowsByRun`."""
        for begin, end in self._ranges.get(run_id, ()):
            for offset, block in self._lines.blocks(begin, end):
                rows = self._lines.rows_of(block, offset)
                for key, part in groupby(rows, lambda row: tuple(getattr(row, each) for each in within)):
                    yield key, JsonPart(list(part), self._lines)

    def close(self) -> None:
        """Closes the file."""
        self._lines.close()

    def _look_through(self) -> None:
        """Where the lines of each run begin and end."""
        ids = _RunIds()
        for offset, block in self._lines.blocks():
            begin = at = offset
            now: str | None = None
            for line in block.split(b"\n"):
                if line and (found := ids.of(line)) != now:
                    self._take(now, begin, at)
                    begin, now = at, found
                    if found is None:
                        # Said by the one reading that knows each line.
                        self._lines.rows_of(line, at)
                        raise SourceError(f"{self._lines.path}: the line at byte {at} has no run_id; each row has one")
                at += len(line) + 1
            self._take(now, begin, offset + len(block))

    def _take(self, run_id: str | None, begin: int, end: int) -> None:
        if run_id is None:
            return
        ranges = self._ranges.setdefault(run_id, [])
        if ranges and ranges[-1][1] == begin:
            ranges[-1] = ranges[-1][0], end
        else:
            ranges.append((begin, end))


class _OfRun(msgspec.Struct):
    run_id: str | None = None


class _RunIds:
    """The run of one line after the other: most are as the line before, and begin alike where we have written them."""

    def __init__(self) -> None:
        self._decoder = msgspec.json.Decoder(_OfRun)
        self._last: str | None = None
        self._head = b""

    def of(self, line: bytes) -> str | None:
        if self._head and line.startswith(self._head):
            return self._last
        try:
            self._last = self._decoder.decode(line).run_id
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        self._head = b'{"run_id":' + msgspec.json.encode(self._last) + b"," if self._last is not None else b""
        return self._last
