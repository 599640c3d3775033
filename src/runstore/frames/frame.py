"""A table that pandas, polars, pyarrow, DuckDB and others take without a copy, and that needs none of them."""

import importlib
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import repeat
from types import ModuleType
from typing import Any, Final

from runstore.errors import InvalidValueError
from runstore.frames.arrow import stream_of
from runstore.frames.columns import Column, Kind

_LIBRARIES: Final = {"pandas": "pandas", "polars": "polars", "arrow": "pyarrow"}
"""What a table may be asked for as, in the order in which they are looked for, and the library that has it."""
_FRAME: Final = "frame"


class Frame:
    """A table: named columns of equal length.

    It has the Arrow C stream interface, so whatever reads Arrow takes it as it is: ``polars.DataFrame(frame)``,
    ``pyarrow.table(frame)``, ``duckdb.sql("select … from frame")``. Iterating gives the rows as dictionaries.

    A missing value is null (``None``), never NaN: a metric may really be NaN.
    """

    def __init__(self, columns: Sequence[Column], *, length: int | None = None) -> None:
        """Takes columns of equal length, each of another name; and the length where there may be no column."""
        self._columns = {column.name: column for column in columns}
        self._length = (columns[0].length if columns else 0) if length is None else length

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self._columns)

    def __len__(self) -> int:
        """The number of rows."""
        return self._length

    def __getitem__(self, column: str) -> list[Any]:
        """The values of a column."""
        if column not in self._columns:
            raise KeyError(f"no column {column!r}; there are {', '.join(self._columns)}")
        return list(self._columns[column].objects())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The rows."""
        names = self.columns
        rows = (
            zip(*(column.objects() for column in self._columns.values()), strict=True)
            if names
            else repeat((), len(self))
        )
        return (dict(zip(names, row, strict=True)) for row in rows)

    def __repr__(self) -> str:
        """How large it is, and the names."""
        return f"Frame({len(self)} rows: {', '.join(self._columns)})"

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The table as one batch of Arrow; what another schema asks for is for its reader to make, as Arrow allows."""
        del requested_schema
        return stream_of(list(self._columns.values()), len(self))

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame``.

        Columns with missing integers, booleans or numbers have pandas' types that know ``NA`` (``Int64``, ``boolean``,
        ``Float64``); times are ``datetime64[us, UTC]``.
        """
        pandas = _library("pandas")
        return pandas.DataFrame(
            {name: _for_pandas(pandas, column) for name, column in self._columns.items()},
            index=pandas.RangeIndex(len(self)),
        )

    def to_polars(self) -> Any:
        """A ``polars.DataFrame``."""
        return _library("polars").DataFrame(self)

    def to_arrow(self) -> Any:
        """A ``pyarrow.Table``."""
        return _library("arrow").table(self)


def converted(frame: Frame, wanted: str | None) -> Any:
    """The table as it was asked for.

    Args:
        frame: the table.
        wanted: ``"pandas"``, ``"polars"``, ``"arrow"`` or ``"frame"``; ``None`` for the first of them that is installed.
    """
    if wanted is None:
        wanted = next((each for each, library in _LIBRARIES.items() if find_spec(library)), _FRAME)
    match wanted:
        case "pandas":
            return frame.to_pandas()
        case "polars":
            return frame.to_polars()
        case "arrow":
            return frame.to_arrow()
        case _:
            return frame


def check_library(wanted: object) -> str | None:
    """The argument ``as_`` of a read, whose library must be installed: told before anything is read.

    Raises:
        InvalidValueError: it is none of these, or the library is missing.
    """
    known = [*_LIBRARIES, _FRAME]
    if wanted is None:
        return None
    if not isinstance(wanted, str) or wanted not in known:
        raise InvalidValueError(f"as_ is {wanted!r}; give {', '.join(map(repr, known))}, or None for what is installed")
    if wanted != _FRAME and find_spec(_LIBRARIES[wanted]) is None:
        raise _missing(wanted)
    return wanted


def _library(wanted: str) -> ModuleType:
    try:
        return importlib.import_module(_LIBRARIES[wanted])
    except ImportError as error:
        raise _missing(wanted) from error


def _missing(wanted: str) -> InvalidValueError:
    library = _LIBRARIES[wanted]
    return InvalidValueError(
        f"a table was asked for as {wanted!r}, and {library} is not installed; run: pip install {library}, or take the "
        "table as it is with as_='frame'"
    )


def _for_pandas(pandas: ModuleType, column: Column) -> Any:
    """The values of a column as pandas holds them best; pyarrow is not needed for it."""
    numpy = importlib.import_module("numpy")
    missing = None if column.present is None else numpy.frombuffer(column.present, dtype=bool) == 0
    match column.kind:
        case Kind.TEXT:
            return pandas.array(list(column.objects()), dtype="string")
        case Kind.WORD:
            codes = numpy.frombuffer(column.values, dtype="int32")
            return pandas.Categorical.from_codes(codes, categories=list(column.words))
        case Kind.TIME:
            moments = numpy.frombuffer(column.values, dtype="datetime64[us]")
            if missing is not None:
                moments = numpy.where(missing, numpy.datetime64("NaT", "us"), moments)
            return pandas.DatetimeIndex(moments).tz_localize("UTC")
        case Kind.INT:
            values, with_missing = numpy.frombuffer(column.values, dtype="int64"), pandas.arrays.IntegerArray
        case Kind.FLOAT:
            values, with_missing = numpy.frombuffer(column.values, dtype="float64"), pandas.arrays.FloatingArray
        case Kind.BOOL:
            values, with_missing = numpy.frombuffer(column.values, dtype=bool), pandas.arrays.BooleanArray
    return values if missing is None else with_missing(values, missing)
