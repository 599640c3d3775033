"""A table keeps each value's type, tells what is missing from NaN, and comes out of every library the same."""

import gc
import math
import subprocess
import sys
from array import array
from datetime import UTC, datetime
from typing import Any

import duckdb
import pandas
import polars
import pyarrow
import pytest

from runstore.errors import InvalidValueError
from runstore.frames import Frame, arrow
from runstore.frames.columns import Column, Kind, column_of, numbers, words

NOON = datetime(2026, 11, 21, 12, 0, 0, 1, tzinfo=UTC)
"""With a microsecond, which nothing may round away."""


def everything() -> Frame:
    """Three rows of every kind of column, with and without missing values."""
    return Frame(
        [
            column_of("ints", [1, None, 2**63 - 1]),
            column_of("whole ints", [1, 2, -(2**63)]),
            column_of("floats", [1.5, math.nan, None]),
            column_of("whole floats", [1.5, 2, -math.inf]),
            column_of("booleans", [True, None, False]),
            column_of("whole booleans", [True, True, False]),
            column_of("texts", ["a", None, "ü🫁"]),
            column_of("times", [NOON, None, datetime(1, 1, 1, tzinfo=UTC)]),
            column_of("nothing", [None, None, None]),
            words("words", ["x", "y"], [2, 1]),
            numbers("steps", Kind.INT, array("q", [0, 1, 2])),
        ]
    )


@pytest.mark.parametrize(
    ("values", "kind", "read"),
    [
        ([1, 2, None], Kind.INT, [1, 2, None]),
        ([1, 2.5], Kind.FLOAT, [1.0, 2.5]),
        ([True, None], Kind.BOOL, [True, None]),
        ([True, 1], Kind.TEXT, ["true", "1"]),
        ([1, "a", [1, 2], {}], Kind.TEXT, ["1", "a", "[1,2]", "{}"]),
        ([2**63], Kind.TEXT, ["9223372036854775808"]),
        ([2**53 + 1, 0.5], Kind.TEXT, ["9007199254740993", "0.5"]),
        ([NOON], Kind.TIME, [NOON]),
        ([None], Kind.TEXT, [None]),
        ([], Kind.TEXT, []),
    ],
    ids=repr,
)
def test_a_column_takes_the_kind_that_holds_all_of_its_values_exactly(
    values: list[Any], kind: Kind, read: list[Any]
) -> None:
    column = column_of("x", values)

    assert column.kind is kind
    assert list(column.objects()) == read


def test_a_frame_gives_columns_and_rows_without_any_library() -> None:
    frame = Frame([column_of("name", ["a", "b"]), column_of("lr", [0.1, None])])

    assert (len(frame), frame.columns, frame["lr"]) == (2, ("name", "lr"), [0.1, None])
    assert list(frame) == [{"name": "a", "lr": 0.1}, {"name": "b", "lr": None}]
    assert repr(frame) == "Frame(2 rows: name, lr)"
    with pytest.raises(KeyError, match="no column 'x'; there are name, lr"):
        frame["x"]


def test_polars_and_pyarrow_read_what_stands_in_the_table() -> None:
    frame = everything()
    expected = list(frame)
    table = pyarrow.table(frame)
    table.validate(full=True)

    for rows in (table.to_pylist(), polars.DataFrame(frame).to_dicts()):
        assert list(map(repr, map(_plain, rows))) == list(map(repr, map(_plain, expected)))


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its times in one spelling of UTC."""
    return {name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in row.items()}


def test_the_types_are_those_of_the_values() -> None:
    table, polared, pandad = pyarrow.table(everything()), polars.DataFrame(everything()), everything().to_pandas()

    assert {field.name: str(field.type) for field in table.schema} == {
        "ints": "int64",
        "whole ints": "int64",
        "floats": "double",
        "whole floats": "double",
        "booleans": "bool",
        "whole booleans": "bool",
        "texts": "large_string",
        "times": "timestamp[us, tz=UTC]",
        "nothing": "large_string",
        "words": "dictionary<values=large_string, indices=int32, ordered=0>",
        "steps": "int64",
    }
    assert str(polared.schema["times"]) == "Datetime(time_unit='us', time_zone='UTC')"
    assert {name: str(kind) for name, kind in pandad.dtypes.items()} == {
        "ints": "Int64",
        "whole ints": "int64",
        "floats": "Float64",
        "whole floats": "float64",
        "booleans": "boolean",
        "whole booleans": "bool",
        "texts": "string",
        "times": "datetime64[us, UTC]",
        "nothing": "string",
        "words": "category",
        "steps": "int64",
    }


def test_pandas_tells_nan_from_missing_and_keeps_large_integers() -> None:
    made = everything().to_pandas()

    assert made["floats"].isna().tolist() == [False, False, True]
    assert math.isnan(made["floats"].iloc[1])
    assert made["ints"].iloc[2] == 2**63 - 1
    assert made["times"].iloc[0] == pandas.Timestamp(NOON)
    assert made["texts"].isna().tolist() == [False, True, False]
    assert made["words"].tolist() == ["x", "x", "y"]


def test_a_change_in_pandas_changes_nothing_else() -> None:
    frame = Frame([numbers("x", Kind.FLOAT, array("d", [1.0, 2.0]))])

    made = frame.to_pandas()
    made.loc[0, "x"] = 9.0

    assert frame["x"] == [1.0, 2.0]


def test_duckdb_queries_the_table_by_its_name() -> None:
    frame = everything()  # noqa: F841 - DuckDB finds it by its name

    found = duckdb.sql("select words, count(*), sum(steps) from frame group by words order by words")

    assert found is not None
    assert found.fetchall() == [("x", 2, 1), ("y", 1, 2)]


def test_the_numbers_of_a_history_are_taken_without_a_copy() -> None:
    values = array("d", [0.5]) * 1000
    frame = Frame([numbers("value", Kind.FLOAT, values)])

    taken = pyarrow.table(frame)["value"].chunk(0)

    assert taken.buffers()[1].address == values.buffer_info()[0]


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 1000])
def test_what_is_missing_is_told_bit_by_bit(rows: int) -> None:
    values = [number % 3 == 0 or None for number in range(rows)]

    assert pyarrow.table(Frame([column_of("x", values, Kind.BOOL)]))["x"].to_pylist() == values


def test_a_table_of_no_rows_keeps_its_columns() -> None:
    empty = Frame([column_of("x", [], Kind.INT), column_of("y", [], Kind.TEXT), words("z", [], [])])

    assert (
        pyarrow.table(empty).schema.names
        == polars.DataFrame(empty).columns
        == list(empty.to_pandas())
        == ["x", "y", "z"]
    )


def test_what_was_taken_is_released_and_what_was_not_is_as_well() -> None:
    gc.collect()
    before = len(arrow._kept)  # noqa: SLF001 - whether memory is given back shows nowhere else
    frame = everything()

    taken = [pyarrow.table(frame), polars.DataFrame(frame)]
    kept = frame.__arrow_c_stream__()
    column = taken[0]["texts"]
    del taken
    gc.collect()
    assert column.to_pylist() == ["a", None, "ü🫁"]  # a part outlives the whole
    del column, kept
    gc.collect()

    assert len(arrow._kept) == before  # noqa: SLF001 - as above


def test_a_program_that_still_holds_tables_ends_well() -> None:
    program = """
import sys, threading
import polars, pyarrow
from runstore.frames import Frame
from runstore.frames.columns import column_of, words

frame = Frame([column_of("i", [1, None, 3] * 1000), column_of("t", ["a"] * 3000), words("w", ["x", "y"], [2000, 1000])])
sys.held = [polars.DataFrame(frame), pyarrow.table(frame), frame.__arrow_c_stream__()]
class Circle:
    pass
circle = Circle()
circle.itself, circle.tables = circle, [polars.DataFrame(frame), pyarrow.table(frame)]
def work():
    for _ in range(50):
        assert polars.DataFrame(frame).filter(polars.col("i") == 1).height == 1000
        assert pyarrow.table(frame).num_rows == 3000
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("wanted", ["numpy", 5, "Pandas", ""])
def test_an_unknown_wish_is_told_what_there_is(wanted: Any) -> None:
    from runstore.frames.frame import check_library  # noqa: PLC0415 - inner

    with pytest.raises(InvalidValueError, match="'pandas', 'polars', 'arrow', 'frame'"):
        check_library(wanted)


def test_a_library_that_is_missing_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from runstore.frames import frame as module  # noqa: PLC0415 - inner

    monkeypatch.setattr(module, "find_spec", lambda _: None)
    table = everything()

    with pytest.raises(InvalidValueError, match=r"pandas is not installed; run: pip install pandas"):
        module.check_library("pandas")
    assert module.converted(table, None) is table


def test_the_first_library_that_is_installed_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    from runstore.frames import frame as module  # noqa: PLC0415 - inner

    installed = {"polars", "pyarrow"}
    monkeypatch.setattr(module, "find_spec", lambda name: name in installed or None)

    assert isinstance(module.converted(everything(), None), polars.DataFrame)
    installed.add("pandas")
    assert isinstance(module.converted(everything(), None), pandas.DataFrame)
    installed.clear()
    installed.add("pyarrow")
    assert isinstance(module.converted(everything(), None), pyarrow.Table)


def test_a_column_of_words_says_each_text_once() -> None:
    column: Column = words("run_id", ["a", "b", "a"], [2, 0, 1])

    assert column.words == ("a", "b")
    assert list(column.objects()) == ["a", "a", "a"]
