"""The tables of an export in Parquet, read piece by piece: by rows, or by the run that the rows belong to."""

import importlib
import math
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from runstore.errors import RunStoreError, SourceError
from runstore.importing.source import opened_plainly

_RUN: Final = "run_id"
_RUNS_AT_ONCE: Final = 25
_MOST_ROWS: Final = 20_000_000
"""Of one group of rows, which is read as a whole: ours have up to 100,000, but a file of a few bytes could claim any number."""


class ParquetPart:
    """Some rows of a table that follow one another."""

    def __init__(self, table: Any, path: Path) -> None:
        """Copies nothing."""
        self._table = table
        self._path = path

    def rows(self) -> list[dict[str, Any]]:
        """Each row as a dictionary."""
        rows: list[dict[str, Any]] = self._table.to_pylist()
        return rows

    def numbers(self, name: str) -> "array[Any]":
        """A column of numbers. A float that is missing is NaN: pandas writes the one as the other, and no export lacks any.

        Raises:
            SourceError: some are missing.
        """
        column = self._table.column(name)
        is_float = str(column.type) == "double"
        if is_float and column.null_count:
            column = column.fill_null(math.nan)
        if column.null_count:
            raise SourceError(f"{self._path}: {column.null_count} values of {name!r} are missing; each point has one")
        numbers: array[Any] = array("d" if is_float else "q")
        for chunk in column.chunks:
            begin = chunk.offset * numbers.itemsize
            numbers.frombytes(memoryview(chunk.buffers()[1])[begin : begin + len(chunk) * numbers.itemsize])
        return numbers


class ParquetRows:
    """A table, its columns in our types whatever program wrote it last.

    Attributes:
        count: how many rows there are.
    """

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        """Opens the file.

        Raises:
            SourceError: it is not there, is no Parquet, lacks a column or has groups of too many rows.
        """
        self._path = path
        self._kinds = columns
        self._arrow: Any = importlib.import_module("pyarrow")
        self._compute: Any = importlib.import_module("pyarrow.compute")
        parquet: Any = importlib.import_module("pyarrow.parquet")
        self._bytes = opened_plainly(path)
        try:
            self.count = self._open(parquet)
        except BaseException:
            self._bytes.close()
            raise

    def _open(self, parquet: Any) -> int:
        """Opens what the bytes hold; gives how many rows there are."""
        with self._translated():
            self._file: Any = parquet.ParquetFile(self._bytes)
            missing = self._kinds.keys() - set(self._file.schema_arrow.names)
            rows = [self._file.metadata.row_group(each).num_rows for each in range(self._file.num_row_groups)]
        if missing:
            raise SourceError(f"{self._path}: has no column {' and no column '.join(sorted(missing))}; export it again")
        if max(rows, default=0) > _MOST_ROWS:
            raise SourceError(
                f"{self._path}: has a group of {max(rows)} rows; at most {_MOST_ROWS} are read at once, so write smaller groups"
            )
        return sum(rows)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row; times in microseconds since 1970.

        Raises:
            SourceError: it cannot be read further.
        """
        with self._translated():
            batches = self._file.iter_batches(batch_size=_RUNS_AT_ONCE, columns=list(self._kinds))
            while True:
                batch = next(batches, None)
                if batch is None:
                    return
                yield from ParquetPart(self._fit(self._arrow.Table.from_batches([batch])), self._path).rows()

    def close(self) -> None:
        """Closes the file."""
        self._bytes.close()

    def _group(self, number: int, *columns: str) -> Any:
        with self._translated():
            return self._fit(self._file.read_row_group(number, columns=list(columns or self._kinds)))

    def _fit(self, table: Any) -> Any:
        """The columns in our types, each in one piece."""
        arrow = self._arrow
        types = {
            "text": [arrow.string()],
            "integer": [arrow.int64()],
            "float": [arrow.float64()],
            "flag": [arrow.bool_()],
            "time": [arrow.timestamp("us", tz="UTC"), arrow.int64()],
        }
        fitted = {}
        for name in table.column_names:
            column = table.column(name)
            for each in types[self._kinds[name]]:
                column = column.cast(each)
            fitted[name] = arrow.concat_arrays(column.chunks) if column.num_chunks else arrow.array([], column.type)
        return arrow.table(fitted)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except RunStoreError:
            raise
        except (self._arrow.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
            raise SourceError(f"{self._path}: cannot be read: {error}; restore it from where it comes") from error


class ParquetRowsByRun(ParquetRows):
    """A table whose rows belong to runs, those of a run behind one another: the last group that was read stays in memory."""

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        """Opens the file, and looks through the ids of the runs once."""
        super().__init__(path, columns)
        self._groups: dict[str, list[int]] = {}
        self._read: tuple[int, Any, dict[str, list[tuple[int, int]]]] | None = None
        try:
            for number in range(self._file.num_row_groups):
                for run_id in self._ranges(self._group(number, _RUN)):
                    self._groups.setdefault(run_id, []).append(number)
        except BaseException:
            self.close()
            raise

    def of(self, run_id: str, *within: str) -> Iterator[tuple[tuple[str, ...], ParquetPart]]:
        """The rows of a run in the order of the file, split where one of the columns ``within`` changes, with their values.

        Raises:
            SourceError: they cannot be read.
        """
        for number in self._groups.get(run_id, ()):
            if self._read is None or self._read[0] != number:
                table = self._group(number)
                self._read = number, table, self._ranges(table)
            _, table, ranges = self._read
            for begin, end in ranges[run_id]:
                rows = table.slice(begin, end - begin)
                ends = sorted({each for name in within for _, each in self._runs_of(rows, name)} or {end - begin})
                for first, last in zip([0, *ends[:-1]], ends, strict=True):
                    part = rows.slice(first, last - first)
                    yield tuple(part.column(name)[0].as_py() for name in within), ParquetPart(part, self._path)

    def _ranges(self, table: Any) -> dict[str, list[tuple[int, int]]]:
        """Where the rows of each run begin and end."""
        found: dict[str, list[tuple[int, int]]] = {}
        begin = 0
        for run_id, end in self._runs_of(table, _RUN):
            found.setdefault(run_id, []).append((begin, end))
            begin = end
        return found

    def _runs_of(self, table: Any, name: str) -> Iterator[tuple[str, int]]:
        """The values of a column that follow one another, each once, with the row before which it ends."""
        column = table.column(name)
        if column.null_count:
            raise SourceError(f"{self._path}: {column.null_count} values of {name!r} are missing; each row has one")
        begin = 0
        with self._translated():
            for chunk in column.chunks:
                if len(chunk):
                    encoded = self._compute.run_end_encode(chunk, run_end_type=self._arrow.int64())
                    ends = encoded.run_ends.to_pylist()
                    yield from zip(encoded.values.to_pylist(), (begin + end for end in ends), strict=True)
                begin += len(chunk)
