"""The tables of an export, whichever form they have."""

from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from runstore.errors import MissingDriverError
from runstore.frames.parquet import has_parquet
from runstore.importing.json_rows import JsonRows, JsonRowsByRun
from runstore.importing.parquet_rows import ParquetRows, ParquetRowsByRun
from runstore.moving.layout import ENDINGS, Form


class Part(Protocol):
    """Some rows of a table that follow one another."""

    def rows(self) -> list[dict[str, Any]]:
        """Each row as a dictionary; times in microseconds since 1970, nested values as JSON."""
        ...

    def numbers(self, name: str) -> "array[Any]":
        """A column of numbers.

        Raises:
            SourceError: some are missing.
        """
        ...


class Rows(Protocol):
    """A table.

    Attributes:
        count: how many rows there are.
    """

    count: int

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row as a dictionary; times in microseconds since 1970, nested values as JSON.

        Raises:
            SourceError: it cannot be read further; names the place.
        """
        ...

    def close(self) -> None:
        """Closes the file."""
        ...


class RowsByRun(Protocol):
    """A table whose rows belong to runs, those of a run behind one another."""

    def of(self, run_id: str, *within: str) -> Iterator[tuple[tuple[str, ...], Part]]:
        """The rows of a run in the order of the file, split where one of the columns ``within`` changes, with their values.

        Raises:
            SourceError: they cannot be read.
        """
        ...

    def close(self) -> None:
        """Closes the file."""
        ...


class ExportTables:
    """The files of tables in the folder of an export."""

    def __init__(self, folder: Path, form: Form) -> None:
        """Opens nothing yet.

        Raises:
            MissingDriverError: what reads this form is not installed.
        """
        if form == "parquet" and not has_parquet():
            raise MissingDriverError(
                "to read an export in Parquet takes pyarrow, which is not installed; install it: pip install pyarrow"
            )
        self._folder = folder
        self._form = form

    def place(self, table: str) -> Path:
        """The file of a table."""
        return self._folder / f"{table}.{ENDINGS[self._form]}"

    def rows(self, table: str, columns: Mapping[str, str]) -> Rows:
        """A table to be read row by row.

        Raises:
            SourceError: it cannot be read.
        """
        opened = JsonRows if self._form == "json" else ParquetRows
        return opened(self.place(table), columns)

    def by_run(self, table: str, columns: Mapping[str, str]) -> RowsByRun:
        """A table to be read by the run.

        Raises:
            SourceError: it cannot be read.
        """
        opened = JsonRowsByRun if self._form == "json" else ParquetRowsByRun
        return opened(self.place(table), columns)
