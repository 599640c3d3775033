"""Predictions out of a file, row by row: strict, within bounds, and with the place of whatever is wrong."""

import csv
import gzip
import io
import math
import re
import zlib
from array import array
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final, cast

import msgspec

from runstore.errors import InvalidValueError, SourceError
from runstore.predictions import making
from runstore.predictions.layout import (
    FORMAT,
    MARK,
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_LINE,
    MAX_ROWS,
    SCORE,
    SCORE_OF,
    SINGLE,
    SUBGROUP,
    VERSION,
    Header,
    score_columns,
)
from runstore.predictions.values import Calibration, Levels, Predictions, Threshold
from runstore.values.checks import MAX_NAME_LENGTH, check_name, shown

_GZIP: Final = b"\x1f\x8b"
_ROWS_AT_ONCE: Final = 4096
_FIRST_ROW: Final = 3
"""The line of the first row: before it come the header and the names of the columns."""
_NUMBERS: Final = re.compile(r"(?:[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\n)*")


def read_predictions(file: BinaryIO, *, name: str = "predictions", max_rows: int = MAX_ROWS) -> Predictions:
    """The predictions of a file, as :func:`media_of` has made it, or another program by the same rules.

    All is read once, from the beginning to the end, in memory that the columns take and no more. The file stays open.

    Args:
        file: an artifact that was opened, or a file; packed with gzip or not.
        name: what errors call it.
        max_rows: how many rows there is memory for.

    Raises:
        SourceError: this is no such file, it is of a later version or damaged, or has more rows; the message names the line.
    """
    try:
        return _Reading(file, name, max_rows).all()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(f"{name} is damaged: {error}; keep it again, or fetch it again") from error


class _Reading:
    """A file on its way into columns."""

    def __init__(self, file: BinaryIO, name: str, max_rows: int) -> None:
        self._name = name
        self._max_rows = min(max_rows, MAX_ROWS)
        head = file.read(len(_GZIP))
        whole = cast("BinaryIO", _Rejoined(head, file))
        self._file = _unpacked(whole) if head == _GZIP else whole
        self._bytes = 0
        self._line = 0

    def all(self) -> Predictions:
        header = self._header()
        classes = tuple(header.classes)
        rows = csv.reader(self._lines(), strict=True)
        columns = self._columns(next(self._parsed(rows), []), classes)
        parts: dict[str, _Part] = {name: _part_of(name, header) for name in columns}
        self._line = _FIRST_ROW
        chunks = self._parsed(rows)
        count = 0
        while chunk := list(islice(chunks, _ROWS_AT_ONCE)):
            self._check_width(chunk, len(columns))
            count += len(chunk)
            if count > self._max_rows:
                raise self._wrong(f"there are more than {self._max_rows:,} rows; divide the file")
            for (column, part), cells in zip(parts.items(), zip(*chunk, strict=True), strict=True):
                self._take(column, part, cells)
            self._line += len(chunk)
        if not count:
            raise self._wrong("there is no row; give at least one")
        return self._made(header, parts)

    def _header(self) -> Header:
        line = next(self._lines(), "")
        start = f'a first line that begins with \'# {{"format":"{FORMAT}"\''
        if not line.startswith(MARK.decode()):
            raise self._wrong(f"{shown(line)} is no header of predictions; give {start}", line=1)
        try:
            told = msgspec.json.decode(line[1:], type=dict[str, Any])
            if told.get("format") != FORMAT:
                raise self._wrong(f"the format is {shown(told.get('format'))}; give {start}", line=1)
            version = told.get("version")
            if isinstance(version, bool) or not isinstance(version, int) or version < 1:
                raise self._wrong(f"the version is {shown(version)}; give a whole number from 1 on", line=1)
            if version > VERSION:
                raise self._wrong(
                    f"the version is {version}, and this release reads up to {VERSION}; read it with a newer release",
                    line=1,
                )
            header = msgspec.convert(told, Header, strict=True)
            making.check_classes(header.classes)
        except (msgspec.MsgspecError, InvalidValueError, RecursionError) as error:
            raise self._wrong(str(error), line=1) from None
        return header

    def _columns(self, names: Sequence[str], classes: tuple[str, ...]) -> Sequence[str]:
        needed = ["id", "target", *score_columns(classes)]
        if missing := [name for name in needed if name not in names]:
            raise self._wrong(f"there is no column {missing[0]!r}; these must be there: {', '.join(needed)}", line=2)
        allowed = {*needed, *SINGLE}
        for name in names:
            if name not in allowed and not (name.startswith(SUBGROUP) and name != SUBGROUP):
                raise self._wrong(
                    f"there is a column {shown(name)}; beside {', '.join([*needed, *SINGLE[2:]])} there may be such as "
                    f"'{SUBGROUP}age'",
                    line=2,
                )
        if len(set(names)) < len(names) or len(names) > MAX_COLUMNS:
            raise self._wrong(
                f"{len(names)} columns, {len(set(names))} names; give {MAX_COLUMNS} at most, each once", line=2
            )
        return names

    def _take(self, column: str, part: "_Part", cells: Sequence[str]) -> None:
        """Takes the cells of a column; where they are not all right, tells of the first that is not."""
        try:
            part.take(cells)
        except (InvalidValueError, ValueError):
            for index, cell in enumerate(cells):
                try:
                    part.take([cell])
                except (InvalidValueError, ValueError) as error:
                    what = str(error) if isinstance(error, InvalidValueError) else f"{shown(cell)} is no number"
                    raise self._wrong(f"column {column}: {what}", line=self._line + index) from None
            raise

    def _made(self, header: Header, parts: dict[str, "_Part"]) -> Predictions:
        classes = tuple(header.classes)
        (ids,) = (part.texts for part in parts.values() if isinstance(part, _Ids))
        if len(set(ids)) < len(ids):
            index = making.first_repeated(ids)
            raise self._wrong(
                f"column id: {shown(ids[index])} is there before; give each sample its own", line=index + _FIRST_ROW
            )
        levels = {name: part.levels() for name, part in parts.items() if isinstance(part, _Texts)}
        numbers = {name: part.numbers for name, part in parts.items() if isinstance(part, _Numbers)}
        (targets,) = (part.codes for part in parts.values() if isinstance(part, _Targets))
        try:
            made = Predictions(
                classes=classes,
                ids=tuple(ids),
                targets=targets,
                scores=tuple(numbers[name] for name in score_columns(classes)),
                is_probability=header.is_probability,
                groups=levels.get("group"),
                weights=numbers.get("weight"),
                splits=levels.get("split"),
                sites=levels.get("site"),
                subgroups={name[len(SUBGROUP) :]: found for name, found in levels.items() if name.startswith(SUBGROUP)},
                thresholds=making.check_thresholds(
                    [msgspec.convert(each, Threshold) for each in header.thresholds], classes
                ),
                calibration=making.check_calibration(msgspec.convert(header.calibration, Calibration | None)),
                about=header.about,
            )
            making.check_sizes(made)
        except (msgspec.MsgspecError, InvalidValueError) as error:
            raise self._wrong(str(error), line=1) from None
        return made

    def _parsed(self, rows: Any) -> Iterator[list[str]]:
        """The rows; what is no CSV is told with its line."""
        while True:
            try:
                row = next(rows, None)
            except csv.Error as error:
                raise self._wrong(f"{error}; quote cells with commas or quotes", line=rows.line_num + 1) from None
            if row is None:
                return
            yield row

    def _lines(self) -> Iterator[str]:
        """The lines as text, each within its bounds, and all of them together."""
        number = 0 if not self._bytes else 1
        while line := self._file.readline(MAX_LINE + 1):
            number += 1
            self._bytes += len(line)
            if len(line) > MAX_LINE:
                raise self._wrong(
                    f"the line has more than {MAX_LINE} bytes; this is no file of predictions", line=number
                )
            if self._bytes > MAX_BYTES:
                raise self._wrong(f"there are more than {MAX_BYTES} bytes; divide the file", line=number)
            try:
                yield line.decode()
            except UnicodeDecodeError as error:
                raise self._wrong(f"byte {error.start} is no UTF-8; write the file as UTF-8", line=number) from None

    def _check_width(self, chunk: list[list[str]], width: int) -> None:
        if set(map(len, chunk)) != {width}:
            index, row = next((index, row) for index, row in enumerate(chunk) if len(row) != width)
            raise self._wrong(f"there are {len(row)} cells for {width} columns", line=self._line + index)

    def _wrong(self, what: str, *, line: int | None = None) -> SourceError:
        return SourceError(f"{self._name}{'' if line is None else f', line {line}'}: {what}")


def _unpacked(file: BinaryIO) -> BinaryIO:
    """The file without its packing; buffered, since GzipFile's own ``readline`` takes several calls in Python."""
    return io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=file)), 2**16)


class _Rejoined:
    """A file whose first bytes were read already."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._head = head
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not self._head:
            return self._file.read(size)
        head, self._head = self._head, b""
        if 0 <= size < len(head):
            head, self._head = head[:size], head[size:]
            return head
        return head + self._file.read(size - len(head) if size >= 0 else size)

    def readline(self, size: int = -1) -> bytes:
        if not self._head:
            return self._file.readline(size)
        head, self._head = self._head, b""
        if b"\n" in head:
            line, _, self._head = head.partition(b"\n")
            return line + b"\n"
        return head + self._file.readline(size - len(head))


class _Ids:
    """The column that names the samples."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def take(self, cells: Sequence[str]) -> None:
        if not ("".join(cells).isprintable() and all(cells) and max(map(len, cells)) <= MAX_NAME_LENGTH):
            for cell in cells:
                check_name(cell, "it")
        self.texts.extend(cells)


class _Targets:
    """The column that tells what is true."""

    def __init__(self, classes: Sequence[str]) -> None:
        self._codes = {name: code for code, name in enumerate(classes)}
        self.codes = array("i")

    def take(self, cells: Sequence[str]) -> None:
        if not set(cells) <= self._codes.keys():
            raise InvalidValueError(f"{shown(cells[0])} is no class; give one of {shown(list(self._codes))}")
        self.codes.extend(map(self._codes.__getitem__, cells))


class _Texts:
    """A column of texts that repeat; an empty cell is none."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {"": -1}
        self._found = array("i")

    def take(self, cells: Sequence[str]) -> None:
        for cell in set(cells) - self._codes.keys():
            check_name(cell, "it")
            self._codes[cell] = len(self._codes) - 1
        self._found.extend(map(self._codes.__getitem__, cells))

    def levels(self) -> Levels:
        """The column, its texts in code-point order."""
        del self._codes[""]
        names = sorted(self._codes)
        order = {self._codes[name]: code for code, name in enumerate(names)} | {-1: -1}
        return Levels(names=tuple(names), codes=array("i", map(order.__getitem__, self._found)))


class _Numbers:
    """A column of numbers within a range."""

    def __init__(self, low: float, high: float) -> None:
        self._low = low
        self._high = high
        self.numbers = array("d")

    def take(self, cells: Sequence[str]) -> None:
        if not _NUMBERS.fullmatch("\n".join(cells) + "\n"):  # float() takes 1_0, too, and nan
            raise InvalidValueError(f"{shown(cells[0])} is no number")
        found = array("d", map(float, cells))
        if not (self._low <= min(found) and max(found) <= self._high):
            bounds = f"{self._low:g} to {self._high:g}"
            raise InvalidValueError(f"{shown(cells[0])} is out of range; give a number from {bounds}")
        self.numbers.extend(found)


_Part = _Ids | _Targets | _Texts | _Numbers


def _part_of(name: str, header: Header) -> _Part:
    if name == "id":
        return _Ids()
    if name == "target":
        return _Targets(header.classes)
    largest = math.nextafter(math.inf, 0)
    if name == "weight":
        return _Numbers(0.0, largest)
    if name == SCORE or name.startswith(SCORE_OF):
        return _Numbers(0.0, 1.0) if header.is_probability else _Numbers(-largest, largest)
    return _Texts()
