"""A CSV in memory, read strictly: what is doubtful in it is an error that says what to mend."""

import csv
import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

from pneumo_train.errors import DataError
from pneumo_train.words import cleaned, enumerated, shown, split_ending

_SEPARATORS = {";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}
_COLUMNS_SHOWN = 20
_SHOWN = 3
_UTF_16 = ("\ufffd\ufffd", "\0")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first row of a CSV.

    Attributes:
        columns: the names, cleaned.
        trouble: why there are none, if they cannot be read.
    """

    columns: tuple[str, ...] = ()
    trouble: str | None = None

    @classmethod
    def read(cls, stream: IO[str]) -> "Header":
        """The header of a stream of text that was decoded as UTF-8, with what does not fit replaced."""
        try:
            names = next(csv.reader(stream), [])
        except csv.Error as error:
            return cls(trouble=f"is no CSV ({error})")
        if any(mark in name for name in names for mark in _UTF_16):
            return cls(trouble="is not UTF-8; save it as CSV UTF-8")
        return cls(columns=tuple(map(cleaned, names)))

    def describe(self) -> str:
        """What a message says of the columns, with a guess where the separator is another."""
        if self.trouble is not None:
            return self.trouble
        if not self.columns:
            return "is empty, or its first line is"
        if len(self.columns) == 1:
            (only,) = self.columns
            guesses = [name for separator, name in _SEPARATORS.items() if separator in only]
            guess = f": is its separator {guesses[0]}? save it with commas" if guesses else ""
            return f"has the one column {shown(only)}{guess}"
        return f"has the columns {enumerated(list(self.columns), at_most=_COLUMNS_SHOWN)}"

    def alike(self, column: str) -> str | None:
        """A column that differs from the wanted one in case, blanks and underscores alone."""
        wanted = _squeezed(column)
        return next((name for name in self.columns if _squeezed(name) == wanted and name != column), None)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows by column, each with its line number as a spreadsheet shows it (the header is row 1)."""

    path: Path
    header: Header
    rows: list[tuple[int, dict[str, str]]]

    @classmethod
    def read(cls, path: Path) -> "Table":
        """The table of a file.

        Raises:
            DataError: it is no CSV in UTF-8, a row has other columns than the header, or there is no row.
        """
        try:
            with path.open(encoding="utf-8-sig", newline="") as stream:
                reader = csv.reader(stream, strict=True)
                columns = tuple(map(cleaned, next(reader, [])))
                lines = [(number, list(map(cleaned, line))) for number, line in enumerate(reader, start=2)]
        except (UnicodeDecodeError, csv.Error, OSError) as error:
            raise DataError(f"{path}: cannot be read as a UTF-8 CSV ({error}); save it as one") from error
        lines = [(number, line) for number, line in lines if any(line)]
        again = [number for number, line in lines if tuple(line) == columns]
        if again:
            raise DataError(f"{path} row {again[0]}: is the header once more ({len(again):,} times); remove it")
        ragged = [number for number, line in lines if len(line) != len(columns)]
        if ragged:
            raise DataError(
                f"{path} row {ragged[0]}: other than the header's {len(columns)} columns "
                f"({len(ragged):,} such of {len(lines):,} rows); mend the table"
            )
        if not lines:
            raise DataError(f"{path}: 0 rows below the header; nothing to train on")
        rows = [(number, dict(zip(columns, line, strict=True))) for number, line in lines]
        return cls(path=path, header=Header(columns=columns), rows=rows)

    def require(self, column: str, key: str, *, advice: str = "add the column or name another") -> None:
        """Refuses a table that lacks a column or has it twice; ``key`` is the configuration's key that names it.

        Raises:
            DataError: says which columns there are.
        """
        times = self.header.columns.count(column)
        if times > 1:
            places = [str(place) for place, name in enumerate(self.header.columns, start=1) if name == column]
            raise DataError(
                f"{self.path}: {times} columns are called {column!r} ({key}), the {' and '.join(places)} of "
                f"{len(self.header.columns)}; rename or remove the one that is not meant"
            )
        if not times:
            alike = self.header.alike(column)
            hint = f"; did you mean {alike!r}?" if alike else f": {advice}"
            raise DataError(
                f"{self.path} ({len(self.rows):,} rows): no column {column!r} ({key}); it {self.header.describe()}{hint}"
            )

    def value(self, row: Mapping[str, str], column: str, number: int) -> str:
        """A cell that must not be empty.

        Raises:
            DataError: it is.
        """
        if not row[column]:
            raise DataError(f"{self.path} row {number}: no value in {column!r} ({len(self.rows):,} rows); fill it in")
        return row[column]

    def values_of(self, column: str) -> str:
        """What a column holds, for a message."""
        found = dict.fromkeys(row[column] for _, row in self.rows)
        return f"{len(found):,} different values, as {enumerated([repr(value) for value in found], at_most=_SHOWN)}"

    def joined(self, other: "Table", *, on: str) -> "Table":
        """Each row with the columns that only the other table has, found by the same value of ``on``.

        Raises:
            DataError: the other table lacks the column or a row, or has two different rows for one value.
        """
        other.require(on, "data.image_column")
        fresh = [column for column in other.header.columns if column not in self.header.columns]
        index: dict[str, dict[str, str]] = {}
        for number, row in other.rows:
            key = _image_key(other.value(row, on, number))
            if index.setdefault(key, row) != row:
                raise DataError(f"{other.path} row {number}: a second, other row for {on} = {row[on]!r}; keep one")
        unknown = [row[on] for _, row in self.rows if _image_key(row[on]) not in index]
        if unknown:
            raise DataError(
                f"{other.path} ({len(other.rows):,} rows): {len(unknown):,} of the {len(self.rows):,} rows of "
                f"{self.path.name} have no row here, as {enumerated(unknown, at_most=_SHOWN)}; complete it"
            )
        rows = [
            (number, row | {column: index[_image_key(row[on])][column] for column in fresh})
            for number, row in self.rows
        ]
        return Table(path=self.path, header=Header(columns=(*self.header.columns, *fresh)), rows=rows)


def missing_columns(headers: Iterable[tuple[str, Header]], wanted: Iterable[str]) -> str:
    """What each of several tables has instead of the wanted columns, with the nearest names."""
    parts = []
    for name, header in headers:
        likely = [(column, alike) for column in wanted if (alike := header.alike(column))]
        hint = "".join(f" ({alike!r} for {column!r}?)" for column, alike in likely)
        parts.append(f"{shown(name)} {header.describe()}{hint}")
    return "; ".join(parts)


def _image_key(text: str) -> str:
    """An image's name for comparing two tables: with or without its ending is the same."""
    return split_ending(text)[0]


def _squeezed(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
