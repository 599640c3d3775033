"""The tables of an export, written by pyarrow in pieces: a store of any size takes bounded memory."""

import importlib
from array import array
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from runstore.errors import MissingDriverError
from runstore.frames.parquet import has_parquet
from runstore.model import Run, to_microseconds
from runstore.moving import MOST_POINTS_A_PIECE, ArrivingFile, ArrivingRun
from runstore.moving.layout import (
    ARTIFACT_COLUMNS,
    ARTIFACTS,
    CONFIG_COLUMNS,
    CONFIGS,
    POINT_COLUMNS,
    POINTS,
    RUN_COLUMNS,
    RUNS,
    run_row,
)
from runstore.series import Columns, Series
from runstore.values import ConfigDocument

_ROWS_AT_ONCE: Final = 10_000
_TEXT_AT_ONCE: Final = 2**24
"""Characters of the rows that wait: a run may have a config of mebibytes."""


def check_parquet(verb: str) -> None:
    """Whether what writes and reads Parquet is installed.

    Raises:
        MissingDriverError: it is not.
    """
    if not has_parquet():
        raise MissingDriverError(f"to {verb} Parquet takes pyarrow, which is not installed; run: pip install pyarrow")


class ParquetTables:
    """The four tables of one export.

    Attributes:
        points: how many were written.
        artifacts: how many.
    """

    def __init__(self, folder: Path) -> None:
        """Makes the files, in which nothing is yet."""
        self._runs = _Rows(folder / RUNS, RUN_COLUMNS)
        self._configs = _Rows(folder / CONFIGS, CONFIG_COLUMNS)
        self._artifacts = _Rows(folder / ARTIFACTS, ARTIFACT_COLUMNS)
        self._points = _Points(folder / POINTS)
        self.points = 0
        self.artifacts = 0

    def __enter__(self) -> Self:
        """The tables themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Writes what waits, if all went well, and closes the files."""
        for table in (self._runs, self._configs, self._artifacts, self._points):
            if kind is None:
                table.flush()
            table.close()

    def write_run(self, arriving: ArrivingRun) -> int:
        """Writes a run, its configuration and its points; gives how many points there were."""
        run_id, before = arriving.run.id, self.points
        self._runs.add(run_row(arriving))
        for leaf in ConfigDocument.checked(arriving.config).leaves:
            self._configs.add({"run_id": run_id, **leaf._asdict()})
        for series, piece in arriving.pieces():
            self._points.add(run_id, series, piece)
            self.points += len(piece.steps)
        return self.points - before

    def write_artifact(self, run: Run, file: ArrivingFile, kept_at: str | None) -> None:
        """Writes the record of a file; where kept bytes lie in the store is nobody's business elsewhere."""
        self._artifacts.add(
            {
                "run_id": run.id,
                "name": file.name,
                "type": file.artifact_type,
                "metadata": ConfigDocument.checked(file.metadata, "metadata").text,
                "created_at": to_microseconds(file.created_at or run.start_time),
                "is_stored": file.open is not None,
                "uri": file.uri if file.open is None else None,
                "sha256": file.sha256,
                "size": file.size,
                "file": kept_at,
            }
        )
        self.artifacts += 1


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
