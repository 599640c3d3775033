"""The Parquet files of one run that Neptune's exporter has written: a row a value, of which the type names the column."""

import importlib
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from runstore.errors import MissingDriverError, SourceError
from runstore.importing.gathering import Point

NEEDED: Final = frozenset(
    {"project_id", "run_id", "attribute_path", "attribute_type", "step", "timestamp", "float_value"}
)
_VALUES: Final = {
    "int": "int_value", "float": "float_value", "string": "string_value", "bool": "bool_value",
    "datetime": "datetime_value", "string_set": "string_set_value",
}  # fmt: skip
"""In which column the value of an attribute stands, by its type."""

_TYPES: Final = {
    "project_id": ("string", "large_string"),
    "run_id": ("string", "large_string"),
    "attribute_path": ("string", "large_string"),
    "attribute_type": ("string", "large_string"),
    "step": ("decimal", "integer"),
    "timestamp": ("timestamp",),
    "int_value": ("integer",),
    "float_value": ("floating",),
    "string_value": ("string", "large_string"),
    "bool_value": ("boolean",),
    "datetime_value": ("timestamp",),
    "string_set_value": ("list", "large_list"),
    "file_value": ("struct",),
}
"""What pyarrow calls the types of the columns that are read."""

_SERIES: Final = "float_series"
_ROWS: Final = 50_000
_OUTSIDE_US: Final = 2**62


def check_pyarrow() -> None:
    """Whether Parquet can be read.

    Raises:
        MissingDriverError: pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise MissingDriverError(
            "to read the Parquet files of Neptune's exporter takes pyarrow, which is not installed; install it: pip install pyarrow"
        )


class NeptuneParquet:
    """The parts of one run, in their order."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Reads nothing yet."""
        self._paths = paths

    @staticmethod
    def identity(path: Path) -> tuple[str, str] | None:
        """The project and the run of a file; ``None`` for one that is not of the exporter, or has no row.

        Raises:
            SourceError: the file cannot be read.
        """
        for _, batch in _batches(path, ["project_id", "run_id"]):
            project, run = batch
            return (str(project[0]), str(run[0])) if project else None
        return None

    def attributes(self, others: "Counter[tuple[str, str]]", files: dict[str, str]) -> dict[str, Any]:
        """The values that are no series, by path.

        Args:
            others: counts the rows of what is neither a value nor a series of numbers, by type and path.
            files: takes the places of files, by path.
        """
        found: dict[str, Any] = {}
        columns = ["attribute_path", "attribute_type", *_VALUES.values(), "file_value"]
        for path in self._paths:
            for _, batch in _batches(path, columns):
                values = dict(zip(columns, batch, strict=True))
                for index, (key, kind) in enumerate(zip(batch[0], batch[1], strict=True)):
                    if kind in _VALUES:
                        found[str(key)] = values[_VALUES[kind]][index]
                    elif kind == "file" and values["file_value"][index]:
                        files[str(key)] = str(values["file_value"][index].get("path") or "")
                    elif kind != _SERIES:
                        others[str(kind), str(key)] += 1
        return found

    def points(self) -> Iterator[Point]:
        """The points of the series of numbers.

        Raises:
            SourceError: a row has no step, or no number; names it.
        """
        columns = ["attribute_path", "attribute_type", "step", "timestamp", "float_value"]
        for path in self._paths:
            for begin, (keys, kinds, steps, times, values) in _batches(path, columns):
                for index, kind in enumerate(kinds):
                    if kind != _SERIES:
                        continue
                    key, step, value = keys[index], steps[index], values[index]
                    if key is None or step is None or value is None:
                        raise SourceError(
                            f"{path}: row {begin + index}: a point of {key!r} has no path, no step or no number"
                        )
                    time = times[index]
                    whole = int(step)
                    yield key, whole if whole == step else float(step), value, _OUTSIDE_US if time is None else time


def _batches(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[list[Any]]]]:
    """Some rows at once: the number of the first, and the values of each column. None of a file of others."""
    arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    try:
        with parquet.ParquetFile(path) as file:
            if not set(file.schema_arrow.names) >= NEEDED:
                return
            _check_types(arrow.types, file.schema_arrow, path)
            begin = 0
            for batch in file.iter_batches(batch_size=_ROWS, columns=[*dict.fromkeys(columns)]):
                yield begin, [_listed(arrow, batch, name) for name in columns]
                begin += len(batch)
    except (arrow.ArrowException, OSError) as error:
        raise SourceError(f"{path}: is no Parquet file that can be read: {str(error)[:300]}") from error


def _check_types(types: Any, schema: Any, path: Path) -> None:
    for name, wanted in _TYPES.items():
        if name in schema.names:
            found = schema.field(name).type
            if not any(getattr(types, f"is_{each}")(found) for each in wanted):
                raise SourceError(
                    f"{path}: the column {name!r} has values of {str(found)[:100]}, where Neptune's exporter writes {wanted[0]}"
                )


def _listed(arrow: Any, batch: Any, name: str) -> list[Any]:
    if name not in batch.schema.names:
        return [None] * len(batch)
    column = batch.column(name)
    if name == "timestamp":  # in microseconds, whatever the file has
        column = column.cast(arrow.timestamp("us", column.type.tz)).cast(arrow.int64())
    listed: list[Any] = column.to_pylist()
    return listed
