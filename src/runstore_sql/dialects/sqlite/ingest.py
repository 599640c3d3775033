"""Points into SQLite: prepared statements that run once a row cost no round trip, for there is no server."""

import json
import math
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from typing import Any, Final

from runstore.local.clock import now_us
from runstore.series import Columns, Series, SeriesColumns
from runstore_sql.dialects.sqlite.clock import NOW_US
from runstore_sql.dialects.sqlite.rollups import SqliteRollups
from runstore_sql.metrics.ingest import (
    FOUND_SQL,
    MOST_ROLLED,
    NONE_ROLLED,
    FoundRun,
    FoundSeries,
    KnownKeys,
    PointWriter,
)
from runstore_sql.metrics.summary_rows import EMPTY_ROW, SummaryRow, row_of, with_pairs
from runstore_sql.metrics.summary_sql import summaries_of, take_extremes
from runstore_sql.schema.leases import is_due, renewal
from runstore_sql.schema.tables import SUMMARY_COLUMNS
from runstore_sql.transactions import Transactions

_IS_FINITE: Final = "p.value BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308"
_IS_DUE: Final = is_due(NOW_US, "r.")
_FIND_ONE: Final = f"""
    SELECT r.pk, {_IS_DUE}, r.purged_us IS NOT NULL, s.pk, s.name, s.dataset_type, {FOUND_SQL}
    FROM runstore_run r
    LEFT JOIN runstore_series s ON s.run_pk = r.pk AND s.name = ?2 AND s.dataset_type = ?3
    WHERE r.id = ?1"""  # noqa: S608 - our own column names
_FIND_MANY: Final = f"""
    SELECT r.pk, {_IS_DUE}, r.purged_us IS NOT NULL, s.pk, s.name, s.dataset_type, {FOUND_SQL}
    FROM runstore_run r
    LEFT JOIN json_each(?2) k
    LEFT JOIN runstore_series s ON s.run_pk = r.pk
        AND s.name = json_extract(k.value, '$[0]') AND s.dataset_type = json_extract(k.value, '$[1]')
    WHERE r.id = ?1"""  # noqa: S608 - our own column names
_MAKE_SERIES: Final = (
    f"INSERT INTO runstore_series (run_pk, name, dataset_type, {', '.join(SUMMARY_COLUMNS)}, level) "  # noqa: S608 - as above
    f"VALUES (?, ?, ?, {', '.join('?' * len(SUMMARY_COLUMNS))}, -1)"
)
_EXISTING: Final = """
    SELECT p.series_pk, p.step, p.value
    FROM json_each(?) k
    JOIN runstore_point p ON p.series_pk = json_extract(k.value, '$[0]') AND p.step = json_extract(k.value, '$[1]')"""
_ROWS_A_STATEMENT: Final = 20
"""The driver resets and steps a statement for each row that it binds, and lets go of Python's lock meanwhile: that takes
longer than the row. 20 rows a time take 0.4 of one by one, and more take no less."""
_ROWS: Final = [", ".join(["(?, ?, ?, ?)"] * count) for count in range(_ROWS_A_STATEMENT + 1)]
_OVERWRITE: Final = [
    f"""
    INSERT INTO runstore_point (series_pk, step, value, logged_at_us) VALUES {rows}
    ON CONFLICT (series_pk, step) DO UPDATE SET value = excluded.value, logged_at_us = excluded.logged_at_us"""  # noqa: S608 - our own text
    for rows in _ROWS
]
_APPEND_POINTS: Final = [
    f"INSERT OR FAIL INTO runstore_point (series_pk, step, value, logged_at_us) VALUES {rows}"  # noqa: S608 - as above
    for rows in _ROWS
]
"""What fails is rolled back by the transaction. A statement of several rows that undoes itself would copy each page that it
changes first, and from 64 KiB on into a temporary file: of ten series that is one call in ten."""
_WRITE_SUMMARY: Final = (
    f"UPDATE runstore_series SET {', '.join(f'{column} = ?' for column in SUMMARY_COLUMNS)} WHERE pk = ?"  # noqa: S608
)


_PARAMETERS: Final = {column: f"?{number}" for number, column in enumerate(SUMMARY_COLUMNS, 1)}
# Parameters 1 to 14 are the batch's summary columns. Found by its key, which costs half of finding it by name; the name,
# and the id of the run, make sure that the key is still what it was when it was found.
_APPEND: Final = f"""
    UPDATE runstore_series SET count = count + ?1, non_finite_count = non_finite_count + ?2,
        last_step = ?6, last_value = ?7, last_special = ?8, {take_extremes(_PARAMETERS.__getitem__)}
    WHERE pk = ?15 AND last_step < ?3 AND count > 0 AND name = ?16 AND dataset_type = ?17
        AND (SELECT r.id = ?18 AND r.purged_us IS NULL AND NOT ({is_due("?19", "r.")})
            FROM runstore_run r WHERE r.pk = run_pk)"""  # noqa: S608 - our own text
_BEAT: Final = f"UPDATE runstore_run SET {renewal(NOW_US)} WHERE pk = ?"  # noqa: S608 - our own text


AppendPlan = tuple[list[tuple[Any, ...]], list[tuple[int, Columns]]]
"""The parameters of :data:`_APPEND`, and the points by their series' key."""


class SqlitePointWriter(PointWriter[sqlite3.Connection, sqlite3.Cursor]):
    """Appends in one statement a series where it can; ``BEGIN IMMEDIATE`` has locked the whole file."""

    tables = SqliteRollups()

    def __init__(self, transactions: Transactions) -> None:
        super().__init__(transactions)
        self._known = KnownKeys()

    def transaction(self, connection: sqlite3.Connection) -> AbstractContextManager[sqlite3.Cursor]:
        return self._transactions.on_driver(connection)

    def write_call(self, connection: sqlite3.Connection, run_id: str, batches: SeriesColumns) -> None:
        plan = self._planned(run_id, batches)  # all that can be worked out before the file is locked
        due = self._watch.see(run_id, batches.items())
        appended, rolled = batches, NONE_ROLLED
        with self._transactions.on_driver(connection) as cursor:
            if plan is None or not self._append(cursor, plan):
                states, appended = self.take_steps(cursor, run_id, batches)
            else:
                states = self.tables.states(cursor, run_id, due[:MOST_ROLLED]) if due else {}
            if states:
                rolled = self.roll_up(cursor, run_id, states, appended)
        self.keep(run_id, appended, rolled)

    def _planned(self, run_id: str, batches: SeriesColumns) -> AppendPlan | None:
        """What a call would write that only appends; ``None`` unless all its series were found before."""
        pks = self._known.of(run_id, batches)
        if not pks:
            return None
        heard_us = now_us()
        summaries = [
            (*row_of(batch), pk, *series, run_id, heard_us)
            for pk, (series, batch) in zip(pks, batches.items(), strict=True)
        ]
        return summaries, list(zip(pks, batches.values(), strict=True))

    def _append(self, cursor: sqlite3.Cursor, plan: AppendPlan) -> bool:
        """Writes a call that only appends, to a run whose heartbeat is not due; whether it did. If not, nothing changed."""
        summaries, keyed = plan
        if len(summaries) == 1:
            cursor.execute(_APPEND, summaries[0])
        else:
            cursor.executemany(_APPEND, summaries)
        if cursor.rowcount == len(keyed):
            self.write_points(cursor, keyed, only_appends=True)
            return True
        if cursor.rowcount > 0:
            cursor.execute("ROLLBACK")
            cursor.execute(self._transactions.begin)
        return False

    def find(self, cursor: sqlite3.Cursor, run_id: str, wanted: Sequence[Series]) -> FoundRun | None:
        if len(wanted) == 1:
            cursor.execute(_FIND_ONE, (run_id, *wanted[0]))
        else:
            cursor.execute(_FIND_MANY, (run_id, json.dumps(wanted)))
        rows = cursor.fetchall()
        if not rows:
            return None
        series = {(row[4], row[5]): FoundSeries.of((row[3], *row[6:])) for row in rows if row[3] is not None}
        self._known.remember(run_id, series)
        return FoundRun(rows[0][0], bool(rows[0][1]), bool(rows[0][2]), series)

    def make_series(self, cursor: sqlite3.Cursor, run_pk: int, missing: Sequence[Series]) -> None:
        cursor.executemany(_MAKE_SERIES, [(run_pk, *series, *EMPTY_ROW) for series in missing])

    def existing_values(
        self, cursor: sqlite3.Cursor, keys: Sequence[tuple[int, int]]
    ) -> Iterable[tuple[int, int, float]]:
        cursor.execute(_EXISTING, (json.dumps(keys),))
        return [(pk, step, math.nan if value is None else value) for pk, step, value in cursor.fetchall()]

    def write_points(
        self,
        cursor: sqlite3.Cursor,
        keyed: Sequence[tuple[int, Columns]],
        *,
        only_appends: bool,
    ) -> None:
        statements = _APPEND_POINTS if only_appends else _OVERWRITE
        if len(keyed) == 1 and len(keyed[0][1].steps) == 1:
            ((pk, ((step,), (value,), (logged_at_us,))),) = keyed
            cursor.execute(statements[1], (pk, step, value, logged_at_us))
            return
        count = sum(len(batch.steps) for _, batch in keyed)
        if count < _ROWS_A_STATEMENT:
            parameters: list[Any] = []
            for pk, batch in keyed:
                for point in zip(*batch, strict=True):
                    parameters += (pk, *point)
            cursor.execute(statements[count], parameters)
            return
        steps, values, times = keyed[0][1] if len(keyed) == 1 else Columns.joined(batch for _, batch in keyed)
        pks: Sequence[int] = [pk for pk, batch in keyed for _ in batch.steps]
        whole = count - count % _ROWS_A_STATEMENT
        # Each column of a row of parameters is every 20th item.
        columns = [
            column[first:whole:_ROWS_A_STATEMENT]
            for first in range(_ROWS_A_STATEMENT)
            for column in (pks, steps, values, times)
        ]
        cursor.executemany(statements[_ROWS_A_STATEMENT], zip(*columns, strict=True))
        if whole < count:
            rest = zip(pks[whole:], steps[whole:], values[whole:], times[whole:], strict=True)
            cursor.execute(statements[count - whole], [*chain.from_iterable(rest)])

    def compute_rows(self, cursor: sqlite3.Cursor, series_pks: Sequence[int]) -> dict[int, SummaryRow]:
        cursor.execute(summaries_of(series_pks, is_finite=_IS_FINITE, value="{0}.value"))
        return {row[0]: with_pairs(row[1:]) for row in cursor.fetchall()}

    def write_summaries(self, cursor: sqlite3.Cursor, rows: dict[int, SummaryRow]) -> None:
        cursor.executemany(_WRITE_SUMMARY, [(*row, pk) for pk, row in rows.items()])

    def beat(self, cursor: sqlite3.Cursor, run_pk: int) -> None:
        cursor.execute(_BEAT, (run_pk,))
