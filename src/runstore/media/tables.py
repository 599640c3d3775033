"""A table as a file: Parquet where a library that writes it is installed, else CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol

from runstore.errors import InvalidValueError
from runstore.media.arrays import is_array
from runstore.media.files import Media, new_media, wrong_kind
from runstore.values.checks import shown

_CSV: Final = ".csv"
_PARQUET: Final = ".parquet"
_MOST_NAMES: Final = 1000
"""Of columns, in the metadata; the file has them all."""


def table(
    name: str,
    table: Any,
    *,
    columns: Sequence[str] | None = None,
    step: int | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Media:
    """A table that is to be kept: as Parquet if pyarrow or polars is installed, else as CSV; the name's ending decides.

    Args:
        name: its name; ``.csv`` or ``.parquet`` at its end says which file it becomes.
        table: a data frame of pandas or polars, a table of pyarrow, whatever else offers Arrow's C stream; a list of
            mappings; a list of rows with ``columns``; or a mapping of column names to lists.
        columns: the names of the columns, for a list of rows.
        step: the step, for one of a series.
        metadata: more to keep with it.

    Raises:
        InvalidValueError: this is no table, or the name or step is not allowed.
    """
    held = _held(table, columns)
    suffixes = (_PARQUET, _CSV) if held.writes_parquet() else (_CSV,)
    made = new_media(
        "table",
        name,
        step=step,
        suffixes=suffixes,
        write=lambda path: held.write(path, is_csv=path.suffix == _CSV),
        metadata=metadata,
    )
    if len(suffixes) == 1 and str(name).lower().endswith(_PARQUET):
        raise InvalidValueError(f"name {shown(name)} asks for Parquet, which needs pyarrow; do: pip install pyarrow")
    return made


class _Held(Protocol):
    """A table of whatever kind."""

    def writes_parquet(self) -> bool:
        """Whether what is installed can write it as Parquet."""
        ...

    def write(self, path: Path, *, is_csv: bool) -> dict[str, Any]:
        """Makes the file; gives how many rows there are, and the columns' names."""
        ...


def _held(table: Any, columns: Sequence[str] | None) -> _Held:
    library = type(table).__module__.partition(".")[0]
    if columns is None and library == "pandas" and hasattr(table, "to_frame"):
        return _Pandas(table.to_frame())  # a series
    if columns is None and library == "pandas" and hasattr(table, "to_csv"):
        return _Pandas(table)
    if columns is None and library == "polars" and hasattr(table, "collect"):
        return _Polars(table.collect())
    if columns is None and library == "polars" and hasattr(table, "write_parquet"):
        return _Polars(table)
    if columns is None and hasattr(table, "__arrow_c_stream__"):
        return _Arrow(table)
    if is_array(table) and columns is not None:
        table = table.tolist()
    return _Plain(_columns_of(table, columns))


def _columns_of(table: Any, names: Sequence[str] | None) -> dict[str, list[Any]]:
    """Plain rows or columns as columns of equal length.

    Raises:
        InvalidValueError: this is no table.
    """
    if isinstance(table, Mapping) and names is None:
        return _equal({str(name): list(_column(name, values)) for name, values in table.items()})
    if not isinstance(table, (list, tuple)):
        raise wrong_kind(
            "table", table, "a data frame, a list of mappings, a list of rows with columns=, or a mapping of columns"
        )
    if names is None:
        if not all(isinstance(row, Mapping) for row in table):
            raise InvalidValueError("table has rows that are no mappings; name their columns with columns=['a', 'b']")
        found = dict.fromkeys(str(name) for row in table for name in row)
        by_text = [{str(name): value for name, value in row.items()} for row in table]
        return {name: [row.get(name) for row in by_text] for name in found}
    if isinstance(names, str) or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise InvalidValueError(f"columns is {shown(names)}; give a list of names, each once")
    for index, row in enumerate(table):
        if not isinstance(row, (list, tuple)) or len(row) != len(names):
            raise InvalidValueError(f"table[{index}] is {shown(row)}; give {len(names)} values, one for each column")
    return {name: [row[place] for row in table] for place, name in enumerate(names)}


def _column(name: object, values: Any) -> Sequence[Any]:
    if is_array(values):
        values = values.tolist()
    if not isinstance(values, (list, tuple)):
        raise wrong_kind(f"table[{name!r}]", values, "a list of values")
    return values


def _equal(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    if len({len(values) for values in columns.values()}) > 1:
        raise InvalidValueError(
            "table has columns of different lengths: "
            + ", ".join(f"{shown(name)} of {len(values)}" for name, values in columns.items())
        )
    return columns


class _Plain:
    """Columns of Python's own values."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self._columns = {name: [_plain(value) for value in values] for name, values in columns.items()}

    def writes_parquet(self) -> bool:
        return bool(self._columns) and _is_there("pyarrow", "polars")

    def write(self, path: Path, *, is_csv: bool) -> dict[str, Any]:
        rows = len(next(iter(self._columns.values()), ()))
        if is_csv:
            with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(self._columns)
                writer.writerows(zip(*self._columns.values(), strict=True))
        elif _is_there("pyarrow"):
            import pyarrow as pa  # noqa: PLC0415 - slow, and needed for such tables only
            import pyarrow.parquet  # noqa: PLC0415

            columns = {name: _of_one_type(_arrow_column, values) for name, values in self._columns.items()}
            pyarrow.parquet.write_table(pa.table(columns), path)
        else:
            import polars as pl  # noqa: PLC0415 - as above

            columns = {name: _of_one_type(pl.Series, values) for name, values in self._columns.items()}
            pl.DataFrame(columns).write_parquet(path)
        return _told(rows, self._columns)


class _Pandas:
    """A data frame of pandas."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def writes_parquet(self) -> bool:
        return _is_there("pyarrow")

    def write(self, path: Path, *, is_csv: bool) -> dict[str, Any]:
        frame = self._frame
        is_numbered = type(frame.index).__name__ == "RangeIndex" and frame.index.name is None
        if is_csv:
            frame.to_csv(path, index=not is_numbered)
        else:
            named = frame.rename(columns=str)
            try:
                named.to_parquet(path, engine="pyarrow", index=not is_numbered)
            except Exception:  # noqa: BLE001 - pyarrow raises what it likes, and raises it again if this is no help
                _with_texts(named).to_parquet(path, engine="pyarrow", index=not is_numbered)
        return _told(len(frame), frame.columns)


class _Polars:
    """A data frame of polars."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def writes_parquet(self) -> bool:
        return True

    def write(self, path: Path, *, is_csv: bool) -> dict[str, Any]:
        if is_csv:
            self._frame.write_csv(path)
        else:
            self._frame.write_parquet(path)
        return _told(self._frame.height, self._frame.columns)


class _Arrow:
    """Whatever offers Arrow's C stream, read once."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def writes_parquet(self) -> bool:
        return True

    def write(self, path: Path, *, is_csv: bool) -> dict[str, Any]:
        if not _is_there("pyarrow"):
            if not _is_there("polars"):
                raise InvalidValueError("a table of Arrow needs pyarrow; do: pip install pyarrow")
            import polars as pl  # noqa: PLC0415 - slow, and needed for such tables only

            return _Polars(pl.DataFrame(self._table)).write(path, is_csv=is_csv)
        import pyarrow as pa  # noqa: PLC0415 - as above
        import pyarrow.csv  # noqa: PLC0415
        import pyarrow.parquet  # noqa: PLC0415

        table = pa.table(self._table)
        if is_csv:
            pyarrow.csv.write_csv(table, path)
        else:
            pyarrow.parquet.write_table(table, path)
        return _told(table.num_rows, table.column_names)


def _is_there(*libraries: str) -> bool:
    """Whether one of the libraries is installed; none is imported for this."""
    return any(find_spec(library) is not None for library in libraries)


def _plain(value: Any) -> Any:
    """A cell as Python has it: a scalar of numpy or torch as its number."""
    return value.item() if is_array(value) and not value.shape else value


def _of_one_type(array: Any, values: list[Any]) -> Any:
    """A column as the library has it; one of several types as texts, and no value is lost."""
    try:
        return array(values)
    except Exception:  # noqa: BLE001 - each library raises its own
        return array([None if value is None else str(value) for value in values])


def _arrow_column(values: list[Any]) -> Any:
    """A column of pyarrow, of a type that Parquet has: an empty mapping's it has not."""
    import pyarrow as pa  # noqa: PLC0415 - slow, and needed for such tables only
    import pyarrow.parquet  # noqa: PLC0415

    column = pa.array(values)
    pyarrow.parquet.write_table(pa.table({"column": column[:0]}), io.BytesIO())
    return column


def _with_texts(frame: Any) -> Any:
    """A frame of pandas whose columns of several types, or of one that Parquet has not, are texts; no value is lost."""
    texts = {}
    for name in frame.columns[[dtype.kind == "O" for dtype in frame.dtypes]]:
        try:
            frame[[name]].to_parquet(io.BytesIO(), engine="pyarrow", index=False)
        except Exception:  # noqa: BLE001 - as above
            texts[name] = frame[name].map(str, na_action="ignore")
    return frame.assign(**texts)


def _told(rows: int, columns: Any) -> dict[str, Any]:
    return {"rows": rows, "columns": [str(name) for name in columns][:_MOST_NAMES]}
