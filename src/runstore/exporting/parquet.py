"""The tables of an export, written by pyarrow in pieces: a store of any size takes bounded memory."""

import importlib
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from runstore.errors import MissingDriverError
from runstore.exporting.tables import ROW_TABLES, Tables
from runstore.frames.parquet import has_parquet
from runstore.moving import MOST_POINTS_A_PIECE
from runstore.moving.layout import POINT_COLUMNS, POINTS
from runstore.series import Columns, Series

_ROWS_AT_ONCE: Final = 10_000
_TEXT_AT_ONCE: Final = 2**24
"""Characters of the rows that wait: a run may have a config of mebibytes."""


def check_parquet() -> None:
    """Checks that what writes Parquet is installed.

    Raises:
        MissingDriverError: it is not.
    """
    if not has_parquet():
        raise MissingDriverError(
            "to write Parquet takes pyarrow, which is not installed; run: pip install pyarrow, or export with --format json"
        )


class ParquetTables(Tables):
    """A Parquet file a table."""

    def __init__(self, folder: Path) -> None:
        """Makes the files, in which nothing is yet."""
        super().__init__()
        self._rows = {table: _Rows(folder / f"{table}.parquet", columns) for table, columns in ROW_TABLES.items()}
        self._points = _Points(folder / f"{POINTS}.parquet")
        self._all: list[_Rows | _Points] = [*self._rows.values(), self._points]

    def add(self, table: str, row: dict[str, Any]) -> None:
        """Takes in a row."""
        self._rows[table].add(row)

    def add_points(self, run_id: str, series: Series, piece: Columns) -> None:
        """Takes in points."""
        self._points.add(run_id, series, piece)

    def flush(self) -> None:
        """Writes what waits."""
        for table in self._all:
            table.flush()

    def close(self) -> None:
        """Closes the files."""
        for table in self._all:
            table.close()


class _Table:
    """One Parquet file that grows."""

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        self._arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
        types = {
            "text": self._arrow.string(),
            "integer": self._arrow.int64(),
            "float": self._arrow.float64(),
            "flag": self._arrow.bool_(),
            "time": self._arrow.timestamp("us", tz="UTC"),
        }
        self._schema: Any = self._arrow.schema([(name, types[kind]) for name, kind in columns.items()])
        # A dictionary of floats could take 0.0 and -0.0 for one.
        texts = [name for name, kind in columns.items() if kind == "text"]
        self._writer: Any = parquet.ParquetWriter(path, self._schema, compression="zstd", use_dictionary=texts)

    def close(self) -> None:
        self._writer.close()


class _Rows(_Table):
    """Rows that come one by one."""

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        super().__init__(path, columns)
        self._waiting: list[dict[str, Any]] = []
        self._size = 0

    def add(self, row: dict[str, Any]) -> None:
        self._waiting.append(row)
        self._size += sum(len(value) for value in row.values() if isinstance(value, str))
        if len(self._waiting) >= _ROWS_AT_ONCE or self._size >= _TEXT_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            columns = [
                self._arrow.array([row[field.name] for row in self._waiting], field.type) for field in self._schema
            ]
            self._writer.write_table(self._arrow.Table.from_arrays(columns, schema=self._schema))
            self._waiting, self._size = [], 0


class _Points(_Table):
    """Points that come in pieces of one series each; a group of rows holds many of them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, POINT_COLUMNS)
        self._waiting: list[tuple[str, Series, Columns]] = []
        self._size = 0

    def add(self, run_id: str, series: Series, piece: Columns) -> None:
        if self._size and self._size + len(piece.steps) > MOST_POINTS_A_PIECE:
            self.flush()
        self._waiting.append((run_id, series, piece))
        self._size += len(piece.steps)

    def flush(self) -> None:
        if self._size:
            counts = [len(piece.steps) for _, _, piece in self._waiting]
            texts = zip(*((run_id, *series) for run_id, series, _ in self._waiting), strict=True)
            whole = Columns.joined(piece for _, _, piece in self._waiting)
            columns = [*(self._repeated(each, counts) for each in texts), *self._numbers(whole)]
            self._writer.write_table(self._arrow.Table.from_arrays(columns, schema=self._schema))
        self._waiting, self._size = [], 0

    def _repeated(self, texts: tuple[str, ...], counts: list[int]) -> Any:
        pieces = [self._arrow.repeat(text, count) for text, count in zip(texts, counts, strict=True)]
        return self._arrow.chunked_array(pieces, self._arrow.string())

    def _numbers(self, points: Columns) -> list[Any]:
        columns: list[array[Any]] = [points.steps, points.values, points.logged_at_us]
        return [
            self._arrow.Array.from_buffers(field.type, len(each), [None, self._arrow.py_buffer(each)])
            for field, each in zip(list(self._schema)[3:], columns, strict=True)
        ]
