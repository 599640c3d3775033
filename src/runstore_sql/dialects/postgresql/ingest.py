"""Points into PostgreSQL.

A call whose batches only append to series that exist, as nearly all do, is one statement: it locks the series' rows,
checks that they end before the batches begin, and writes points and summaries, or nothing at all. Any other call takes
the steps of :class:`runstore_sql.metrics.ingest.PointWriter`. Columns travel as packed binary arrays, whatever the number of points.
"""

import math
from array import array
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from itertools import accumulate
from typing import Any, Final

import psycopg

from runstore.series import Columns, Series, SeriesColumns
from runstore_sql.dialects.postgresql.arrays import PackedArray, PackedFloats, PackedInts
from runstore_sql.dialects.postgresql.clock import NOW_US
from runstore_sql.dialects.postgresql.rollups import PostgresqlRollups
from runstore_sql.metrics.ingest import FOUND_SQL, MOST_ROLLED, NONE_ROLLED, FoundRun, FoundSeries, PointWriter
from runstore_sql.metrics.numbers import to_pair
from runstore_sql.metrics.rollup_tables import SeriesState
from runstore_sql.metrics.summary_rows import EMPTY_ROW, SummaryRow, row_of, with_pairs
from runstore_sql.metrics.summary_sql import summaries_of, take_extremes
from runstore_sql.schema.leases import is_due, renewal
from runstore_sql.schema.tables import SUMMARY_COLUMNS

_IS_DUE: Final = is_due(NOW_US, "r.")
_RENEWED: Final = renewal(NOW_US)
_FIND_RUN: Final = f"SELECT r.pk, {_IS_DUE}, r.purged_us IS NOT NULL FROM runstore_run r WHERE r.id = %s FOR KEY SHARE"  # noqa: S608
"""Keeps the run from being purged until the transaction ends, and other writers from nothing."""
_FIND_SERIES: Final = f"""
    SELECT s.pk, s.name, s.dataset_type, {FOUND_SQL}
    FROM unnest(%s::text[], %s::text[]) AS k(name, dataset_type)
    JOIN runstore_series s ON s.run_pk = %s AND s.name = k.name AND s.dataset_type = k.dataset_type
    ORDER BY s.pk FOR UPDATE OF s"""  # noqa: S608 - as above
_EMPTY: Final = ", ".join("NULL" if value is None else repr(value) for value in EMPTY_ROW)
_MAKE_SERIES: Final = f"""
    INSERT INTO runstore_series (run_pk, name, dataset_type, {", ".join(SUMMARY_COLUMNS)}, level)
    SELECT %s, k.name, k.dataset_type, {_EMPTY}, -1 FROM unnest(%s::text[], %s::text[]) AS k(name, dataset_type)
    ON CONFLICT (run_pk, name, dataset_type) DO NOTHING"""  # noqa: S608 - as above
_EXISTING: Final = """
    SELECT p.series_pk, p.step, p.value FROM unnest(%s::int8[], %s::int8[]) AS k(series_pk, step)
    JOIN runstore_point p ON p.series_pk = k.series_pk AND p.step = k.step"""
_WRITE_POINTS: Final = """
    INSERT INTO runstore_point (series_pk, step, value, logged_at_us)
    SELECT * FROM unnest(%s::int8[], %s::int8[], %s::float8[], %s::int8[])"""
_OVERWRITE: Final = """
    ON CONFLICT (series_pk, step) DO UPDATE SET value = excluded.value, logged_at_us = excluded.logged_at_us"""

_IS_FLOAT: Final = {column: column.endswith("_value") for column in SUMMARY_COLUMNS}
_ROWS_OF_SUMMARIES: Final = ", ".join(f"%s::{'float8' if is_float else 'int8'}[]" for is_float in _IS_FLOAT.values())
_WRITE_SUMMARIES: Final = f"""
    UPDATE runstore_series s SET {", ".join(f"{column} = n.{column}" for column in SUMMARY_COLUMNS)}
    FROM unnest(%s::int8[], {_ROWS_OF_SUMMARIES}) AS n(pk, {", ".join(SUMMARY_COLUMNS)})
    WHERE s.pk = n.pk"""  # noqa: S608 - as above


# What the statement takes of a batch's summary. Each kind of number comes as one array, column after column.
_WHOLE: Final = [
    *("count", "non_finite_count", "first_step", "last_step", "last_special"),
    *("min_step", "min_special", "max_step", "max_special", "last_number"),
]
_REAL: Final = ["last_value", "min_value", "max_value"]
_NO_WHOLE: Final = -9
"""Stands for NULL: it is neither a count, nor a step, nor a mark."""
_WANTED: Final = ", ".join(
    [f"NULLIF((%(wholes)s::int8[])[number + {n} * %(size)s], {_NO_WHOLE}) AS {name}" for n, name in enumerate(_WHOLE)]
    + [f"NULLIF((%(reals)s::float8[])[number + {n} * %(size)s], 'NaN') AS {name}" for n, name in enumerate(_REAL)]
)


# The statement never joins its own intermediate results: the planner does not know how many rows they have, and may compare
# each of 10,000 series with each. So the rows of `locked` carry all that is needed later, and points are found by number.
_APPEND: Final = f"""
    WITH locked AS MATERIALIZED (
        SELECT s.pk, s.last_step < w.first_step AND s.count > 0 AS only_appends,
            {", ".join(f"w.{name}" for name in _WHOLE + _REAL)},
            w.number, s.count + w.count AS points, s.first_step AS begin_step,
            s.level, s.rolled_step, s.rewrites, s.thinned_step
        FROM (
            SELECT name, dataset_type, number, {_WANTED}
            FROM unnest(%(names)s::text[], %(kinds)s::text[]) WITH ORDINALITY AS k(name, dataset_type, number)
        ) w
        JOIN runstore_run r ON r.id = %(run)s AND r.purged_us IS NULL
        JOIN runstore_series s ON s.run_pk = r.pk AND s.name = w.name AND s.dataset_type = w.dataset_type
        ORDER BY s.pk FOR UPDATE OF s
    ), verdict AS MATERIALIZED (
        SELECT count(*) = %(size)s AND bool_and(only_appends) AS is_good FROM locked
    ), points AS (
        INSERT INTO runstore_point (series_pk, step, value, logged_at_us)
        SELECT pk, (%(steps)s::int8[])[number], (%(values)s::float8[])[number], (%(times)s::int8[])[number]
        FROM (
            SELECT pk, generate_series(last_number - count + 1, last_number) AS number
            FROM locked WHERE (SELECT is_good FROM verdict)
        ) p
    ), summaries AS (
        UPDATE runstore_series s SET
            count = s.count + w.count, non_finite_count = s.non_finite_count + w.non_finite_count,
            last_step = w.last_step, last_value = w.last_value, last_special = w.last_special,
            {take_extremes("w.{}".format, old="s.")}
        FROM locked w
        WHERE s.pk = w.pk AND (SELECT is_good FROM verdict)
    ), beat AS (
        UPDATE runstore_run r SET {_RENEWED}
        WHERE r.id = %(run)s AND {_IS_DUE} AND (SELECT is_good FROM verdict)
    )
    SELECT v.is_good, l.number, l.pk, l.points, l.begin_step, l.last_step, l.level, l.rolled_step, l.rewrites, l.thinned_step
    FROM verdict v LEFT JOIN locked l ON v.is_good AND l.number = ANY(%(due)s::int8[])"""  # noqa: S608 - as above
APPEND: Final = " ".join(_APPEND.split())
"""In few characters, for the driver takes a longer statement apart at each call. It
gives how those series then stand that have something to roll up. A second statement for calls that have such series, which
are few, would be planned anew for most of them: that takes longer than these do."""

# One point: i is its step, its special, 1 if it is not finite, and its time; f is its value, and the number of its pair.
_STEP, _SPECIAL, _IS_ODD, _TIME = (f"(%(i)s::int8[])[{number}]" for number in range(1, 5))
_VALUE, _NUMBER = (f"(%(f)s::float8[])[{number}]" for number in range(1, 3))


_NEW: Final = {
    f"{stat}_{part}": new
    for stat in ("min", "max")
    for part, new in (("step", _STEP), ("value", _NUMBER), ("special", _SPECIAL))
}
_APPEND_ONE: Final = f"""
    WITH appended AS (
        UPDATE runstore_series s SET
            count = s.count + 1, non_finite_count = s.non_finite_count + {_IS_ODD}, last_step = {_STEP},
            last_value = CASE WHEN {_IS_ODD} = 0 THEN {_NUMBER} END, last_special = {_SPECIAL},
            {take_extremes(_NEW.__getitem__, old="s.", is_given=f"{_IS_ODD} = 0")}
        FROM runstore_run r
        WHERE r.id = %(run)s AND r.purged_us IS NULL AND s.run_pk = r.pk AND s.name = %(name)s AND s.dataset_type = %(kind)s
            AND s.last_step < {_STEP} AND s.count > 0
        RETURNING s.pk, s.run_pk
    ), points AS (
        INSERT INTO runstore_point (series_pk, step, value, logged_at_us)
        SELECT pk, {_STEP}, {_VALUE}, {_TIME} FROM appended
    ), beat AS (
        UPDATE runstore_run r SET {_RENEWED} FROM appended a WHERE r.pk = a.run_pk AND {_IS_DUE}
    )
    SELECT 1 FROM appended"""  # noqa: S608 - as above


Connection = psycopg.Connection[Any]
Cursor = psycopg.Cursor[Any]


class PostgresqlPointWriter(PointWriter[Connection, Cursor]):
    """Tries the one statement that appends first, without a transaction around it."""

    tables = PostgresqlRollups()

    def transaction(self, connection: Connection) -> AbstractContextManager[Cursor]:
        return self._transactions.on_driver(connection)

    def write_call(self, connection: Connection, run_id: str, batches: SeriesColumns) -> None:
        due = self._watch.see(run_id, batches.items())
        is_alone = not self._transactions.is_cut_short and not due
        if is_alone and batches and self._append(connection, run_id, batches) is not None:
            self.keep(run_id, batches)
            return
        appended, rolled = batches, NONE_ROLLED
        with self._transactions.on_driver(connection) as cursor:
            states = self._append(cursor, run_id, batches, due) if batches and not is_alone else None
            if states is None:
                states, appended = self.take_steps(cursor, run_id, batches)
            if states:
                rolled = self.roll_up(cursor, run_id, states, appended)
        self.keep(run_id, appended, rolled)

    def _append(
        self, connection: Connection | Cursor, run_id: str, batches: SeriesColumns, due: Sequence[Series] = ()
    ) -> dict[Series, SeriesState] | None:
        """Writes the points if all of them only append, or nothing.

        Returns:
            How those series then stand that have something to roll up; ``None`` if nothing was written.
        """
        if len(batches) == 1 and not due:
            ((series, batch),) = batches.items()
            if len(batch.steps) == 1:
                return {} if _append_one(connection, run_id, series, batch) else None
        rows = connection.execute(APPEND, append_parameters(run_id, batches, due)).fetchall()
        if not rows[0][0]:
            return None
        if not due:
            return {}
        written = list(batches)
        return {written[number - 1]: SeriesState(*state) for _, number, *state in rows if number is not None}

    def find(self, cursor: Cursor, run_id: str, wanted: Sequence[Series]) -> FoundRun | None:
        cursor.execute(_FIND_RUN, (run_id,))
        found = cursor.fetchone()
        if found is None:
            return None
        if not wanted:
            return FoundRun(found[0], found[1], found[2], {})
        cursor.execute(_FIND_SERIES, (*map(list, zip(*wanted, strict=True)), found[0]))
        series = {(row[1], row[2]): FoundSeries.of((row[0], *row[3:])) for row in cursor.fetchall()}
        return FoundRun(found[0], found[1], found[2], series)

    def make_series(self, cursor: Cursor, run_pk: int, missing: Sequence[Series]) -> None:
        cursor.execute(_MAKE_SERIES, (run_pk, *map(list, zip(*missing, strict=True))))

    def existing_values(self, cursor: Cursor, keys: Sequence[tuple[int, int]]) -> Iterable[tuple[int, int, float]]:
        cursor.execute(_EXISTING, [PackedInts(array("q", side)) for side in zip(*keys, strict=True)])
        found: list[tuple[int, int, float]] = cursor.fetchall()
        return found

    def write_points(self, cursor: Cursor, keyed: Sequence[tuple[int, Columns]], *, only_appends: bool) -> None:
        cursor.execute(_WRITE_POINTS if only_appends else _WRITE_POINTS + _OVERWRITE, _point_columns(keyed))

    def compute_rows(self, cursor: Cursor, series_pks: Sequence[int]) -> dict[int, SummaryRow]:
        is_finite = "p.value > '-Infinity' AND p.value < 'Infinity'"
        cursor.execute(summaries_of(series_pks, is_finite=is_finite, value="{0}.value"))
        return {row[0]: with_pairs(row[1:]) for row in cursor.fetchall()}

    def write_summaries(self, cursor: Cursor, rows: dict[int, SummaryRow]) -> None:
        cursor.execute(_WRITE_SUMMARIES, (PackedInts(array("q", rows)), *_summary_columns(list(rows.values()))))

    def beat(self, cursor: Cursor, run_pk: int) -> None:
        cursor.execute(f"UPDATE runstore_run SET {_RENEWED} WHERE pk = %s", (run_pk,))  # noqa: S608 - our own text


def _append_one(connection: Connection | Cursor, run_id: str, series: Series, batch: Columns) -> bool:
    ((step, value, time_us),) = zip(*batch, strict=True)
    number, special = to_pair(value)
    parameters = {
        "i": PackedInts(array("q", (step, special, number is None, time_us))),
        "f": PackedFloats(array("d", (value, 0.0 if number is None else number))),
        "run": run_id,
        "name": series[0],
        "kind": series[1],
    }
    return connection.execute(_APPEND_ONE, parameters).fetchone() is not None


def append_parameters(run_id: str, batches: SeriesColumns, due: Sequence[Series] = ()) -> dict[str, Any]:
    """The points of a call and their summaries, as :data:`APPEND` takes them; ``due`` are the series that it gives."""
    steps, values, times = Columns.joined(batches.values())
    ends = list(accumulate(len(batch.steps) for batch in batches.values()))
    summaries = dict(
        zip(SUMMARY_COLUMNS, zip(*map(row_of, batches.values()), strict=True), strict=True), last_number=ends
    )
    wholes, reals = array("q"), array("d")
    for name in _WHOLE:
        wholes.extend(_without_none(summaries[name], _NO_WHOLE))
    for name in _REAL:
        reals.extend(_without_none(summaries[name], math.nan))
    names, kinds = map(list, zip(*batches, strict=True))
    given = set(due[:MOST_ROLLED])
    numbers = [number for number, series in enumerate(batches, 1) if series in given] if given else ()
    return {
        "run": run_id,
        "size": len(batches),
        "names": names,
        "kinds": kinds,
        "wholes": PackedInts(wholes),
        "reals": PackedFloats(reals),
        "steps": PackedInts(steps),
        "values": PackedFloats(values),
        "times": PackedInts(times),
        "due": PackedInts(array("q", numbers)),
    }


def _without_none(items: Sequence[Any], instead: float) -> Sequence[Any]:
    return [instead if item is None else item for item in items] if None in items else items


def _point_columns(keyed: Sequence[tuple[int, Columns]]) -> list[PackedArray]:
    """Points as four packed columns: the key of their series, step, value and time."""
    steps, values, times = Columns.joined(batch for _, batch in keyed)
    keys = array("q")
    for key, batch in keyed:
        keys.extend([key] * len(batch.steps))
    return [PackedInts(keys), PackedInts(steps), PackedFloats(values), PackedInts(times)]


def _summary_columns(rows: Sequence[SummaryRow]) -> list[Any]:
    """Summaries column by column; packed where no item is NULL."""
    columns: list[Any] = []
    for column, items in zip(SUMMARY_COLUMNS, zip(*rows, strict=True), strict=True):
        if None in items:
            columns.append(list(items))
        else:
            columns.append(PackedFloats(array("d", items)) if _IS_FLOAT[column] else PackedInts(array("q", items)))
    return columns
