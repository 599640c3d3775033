"""Points into MySQL and MariaDB: multi-row statements, whose numbers this module writes into the text itself.

The driver has no prepared statements: it pastes every parameter into the text, one Python call each. Integers and
floats need no escaping, so they are pasted here in one go; names always go through the driver. A writer locks the run's
row, then those of its series in the order of their names, so deadlocks have no room. It shares the run's row with other
writers, and keeps off whoever ends, settles or purges the run; what changes that row or makes series has it alone.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from runstore.series import Columns, Series, SeriesColumns
from runstore_sql.dialects.mysql.clock import NOW_US
from runstore_sql.dialects.mysql.connecting import BoundedConnection
from runstore_sql.dialects.mysql.packets import in_packets
from runstore_sql.dialects.mysql.rollups import MysqlRollups
from runstore_sql.dialects.mysql.trips import Trips
from runstore_sql.metrics.ingest import NONE_ROLLED, FoundRun, FoundSeries, KnownKeys, PointWriter
from runstore_sql.metrics.numbers import from_pair, to_pair
from runstore_sql.metrics.rollup_tables import SeriesState
from runstore_sql.metrics.summary_rows import EMPTY_ROW, SummaryRow
from runstore_sql.metrics.summary_sql import SUMMARY_SQL, summaries_of, take_extremes
from runstore_sql.schema.leases import is_due, renewal
from runstore_sql.schema.tables import SUMMARY_COLUMNS
from runstore_sql.transactions import Transactions, roll_back

_IS_DUE: Final = is_due(NOW_US)
_FEW: Final = 64
_FIND_RUN: Final = f"SELECT pk, {_IS_DUE}, purged_us IS NOT NULL FROM runstore_run WHERE id = %s {{}}"  # noqa: S608 - our own text
_SHARED: Final = "LOCK IN SHARE MODE"
_ALONE: Final = "FOR UPDATE"
_POINT: Final = {f"{stat}_{part}": f"{{{part}}}" for stat in ("min", "max") for part in ("step", "value", "special")}
# Appends by the remembered key of a series, only if the key still belongs to this series, the series ends before this
# step and no heartbeat is due. Locks the run's row against whoever ends or settles it, then the series' row. Other writers
# lock them in the same order, so there is no deadlock.
_APPEND, _APPEND_NON_FINITE = (
    f"""
    UPDATE runstore_series SET
        `count` = `count` + 1, last_step = {{step}}, last_value = {{value}}, last_special = {{special}}, {more}
    WHERE pk = {{pk}} AND last_step < {{step}} AND `count` > 0 AND name = %s AND dataset_type = %s
        AND run_pk = (SELECT r.pk FROM runstore_run r WHERE r.id = %s AND r.purged_us IS NULL AND NOT ({_IS_DUE})
            LOCK IN SHARE MODE)"""  # noqa: S608 - as above
    for more in (
        take_extremes(_POINT.__getitem__, is_given="TRUE"),
        "non_finite_count = non_finite_count + 1",
    )
)
_STANDING: Final = ", ".join(
    f"IFNULL(s.{name}, ''), ' '" for name in ("level", "rolled_step", "rewrites", "thinned_step")
)
# A scan, which the planner likes for a small table, would wait for the series of every other writer as well.
_FIND_SERIES: Final = (
    f"SELECT s.pk, s.name, s.dataset_type, {SUMMARY_SQL.replace('s.count', 's.`count`')}, "  # noqa: S608 - as above
    f"CONCAT({_STANDING}) "
    "FROM runstore_series s FORCE INDEX (runstore_series_identity) "
    "WHERE s.run_pk = (SELECT pk FROM runstore_run WHERE id = %s){} FOR UPDATE"
)
_QUOTED: Final = [f"`{column}`" for column in SUMMARY_COLUMNS]
_MAKE_SERIES: Final = f"INSERT INTO runstore_series (run_pk, name, dataset_type, {', '.join(_QUOTED)}, level) VALUES "  # noqa: S608
_EXISTING: Final = """
    SELECT p.series_pk, p.step, p.value, p.special
    FROM JSON_TABLE(%s, '$[*]' COLUMNS (series_pk BIGINT PATH '$[0]', step BIGINT PATH '$[1]')) k
    STRAIGHT_JOIN runstore_point p ON p.series_pk = k.series_pk AND p.step = k.step"""
_INTO_POINTS: Final = "INSERT INTO runstore_point (series_pk, step, value, special, logged_at_us)"
_OVERWRITE: Final = (
    " ON DUPLICATE KEY UPDATE value = VALUES(value), special = VALUES(special), logged_at_us = VALUES(logged_at_us)"
)
_LONGEST_ROW: Final = 92
"""Bytes of three 64-bit integers, a float64, a special and their punctuation, at most."""
_LONGEST_KEY: Final = 48
"""Bytes of a series' key and a step in JSON, at most."""
_LONGEST_SUMMARY: Final = 600
"""Bytes of a series' key and summary as a row of numbers, at most."""
_LONGEST_SERIES: Final = 2_200
"""Bytes of a new series: a name of 255 characters of four bytes, each escaped, and an empty summary, at most."""
_APPENDED: Final = 2
"""Rows that an append affects: the series and the point."""


class _Found(FoundSeries):
    """How far it is rolled up and thinned is one text, of which most calls need nothing: this driver is slow by the column."""

    __slots__ = ()

    @property
    def is_thinned(self) -> bool:
        return not self.rollups[0].endswith("  ")

    def state(self, summary: SummaryRow) -> SeriesState:
        level, rolled, rewrites, thinned, _ = (int(part) if part else None for part in self.rollups[0].split(" "))
        return SeriesState(self.pk, summary[0], summary[2], summary[5], level, rolled or 0, rewrites or 0, thinned)


class MysqlPointWriter(PointWriter[BoundedConnection, Trips]):
    """One round trip for one point that appends to a series found before.

    Otherwise two, where no series is made and no point may be overwritten.
    """

    tables = MysqlRollups()

    def __init__(self, transactions: Transactions) -> None:
        super().__init__(transactions)
        self._known = KnownKeys()

    def write_call(self, connection: BoundedConnection, run_id: str, batches: SeriesColumns) -> None:
        due = self._watch.see(run_id, batches.items())
        if not due and len(batches) == 1 and self._append(connection, run_id, *next(iter(batches.items()))):
            self.keep(run_id, batches)
            return
        rolled = NONE_ROLLED
        with self.transaction(connection) as trips:
            states, appended = self.take_steps(trips, run_id, batches)
            if states:
                rolled = self.roll_up(trips, run_id, states, appended)
        self.keep(run_id, appended, rolled)

    def _append(self, connection: BoundedConnection, run_id: str, series: Series, batch: Columns) -> bool:
        """Appends one point to a known series, or changes nothing; whether it did."""
        known = self._known.of(run_id, [series]) if len(batch.steps) == 1 else None
        if not known:
            return False
        with self.transaction(connection) as trips:
            _queue_append(trips, run_id, known[0], series, batch)
        return sum(trips.counts) == _APPENDED

    @contextmanager
    def transaction(self, connection: BoundedConnection) -> Iterator[Trips]:
        """A transaction, with as many statements a round trip as can be."""
        with connection.cursor() as cursor:
            trips = Trips(cursor)
            try:
                trips.execute(self._transactions.begin)
                yield trips
                trips.finish("COMMIT")
            except BaseException:
                trips.forget()
                roll_back(lambda: trips.finish("ROLLBACK"), lambda: None)
                raise

    def find(self, cursor: Trips, run_id: str, wanted: Sequence[Series]) -> FoundRun | None:
        if not cursor.is_alone:
            found = self._find(cursor, run_id, wanted, _SHARED)
            if found is None or (not found.needs_beat and found.series.keys() >= set(wanted)):
                return found
            # Begins anew: two that share a row would wait for each other to have it alone.
            cursor.execute("ROLLBACK")
            cursor.execute(self._transactions.begin)
            cursor.is_alone = True
        return self._find(cursor, run_id, wanted, _ALONE)

    def _find(self, cursor: Trips, run_id: str, wanted: Sequence[Series], lock: str) -> FoundRun | None:
        cursor.execute(_FIND_RUN.format(lock), (run_id,))
        among, parameters = "", [run_id]
        if len(wanted) <= _FEW:
            among = f" AND (s.name, s.dataset_type) IN ({', '.join(['(%s, %s)'] * len(wanted))})"
            parameters += [part for series in wanted for part in series]
        if wanted:
            cursor.execute(_FIND_SERIES.format(among), parameters)
        runs, series = (*cursor.last(1), ()) if not wanted else cursor.last(2)
        if not runs:
            return None
        pk, needs_beat, is_purged = runs[0]
        found = FoundRun(
            pk,
            bool(needs_beat),
            bool(is_purged),
            {(row[1], row[2]): _Found(row[0], row[3:-1], row[-1:]) for row in series},
        )
        self._known.remember(run_id, found.series)
        return found

    def make_series(self, cursor: Trips, run_pk: int, missing: Sequence[Series]) -> None:
        row = f"({run_pk}, %s, %s, {', '.join(map(_literal, EMPTY_ROW))}, -1)"
        for some in in_packets(missing, _LONGEST_SERIES, cursor.room):
            text = _MAKE_SERIES + ", ".join([row] * len(some))
            cursor.execute(text, [part for series in some for part in series])

    def existing_values(self, cursor: Trips, keys: Sequence[tuple[int, int]]) -> Iterable[tuple[int, int, float]]:
        found: list[Any] = []
        for some in in_packets(keys, _LONGEST_KEY, cursor.room):
            cursor.execute(_EXISTING, (json.dumps(some, separators=(",", ":")),))
            found += cursor.fetchall()
        return [(row[0], row[1], from_pair(row[2], row[3])) for row in found]

    def write_points(self, cursor: Trips, keyed: Sequence[tuple[int, Columns]], *, only_appends: bool) -> None:
        end = "" if only_appends else _OVERWRITE
        rows = [
            f"({pk},{step},{_value(value)},{time_us})"
            for pk, batch in keyed
            for step, value, time_us in zip(*batch, strict=True)
        ]
        for some in in_packets(rows, _LONGEST_ROW, cursor.room):
            cursor.execute(f"{_INTO_POINTS} VALUES {','.join(some)}{end}")

    def compute_rows(self, cursor: Trips, series_pks: Sequence[int]) -> dict[int, SummaryRow]:
        found: dict[int, SummaryRow] = {}
        for some in in_packets(series_pks, _LONGEST_KEY, cursor.room):
            cursor.execute(summaries_of(some, is_finite="p.value IS NOT NULL", value="{0}.value, {0}.special"))
            found |= {row[0]: (row[1], int(row[2]), *row[3:]) for row in cursor.fetchall()}
        return found

    def write_summaries(self, cursor: Trips, rows: dict[int, SummaryRow]) -> None:
        if len(rows) == 1:
            ((pk, row),) = rows.items()
            changes = ", ".join(f"{column} = {_literal(value)}" for column, value in zip(_QUOTED, row, strict=True))
            cursor.execute(f"UPDATE runstore_series SET {changes} WHERE pk = {pk}")  # noqa: S608 - numbers only
            return
        for some in in_packets(list(rows.items()), _LONGEST_SUMMARY, cursor.room):
            self._write_many_summaries(cursor, some)

    @staticmethod
    def _write_many_summaries(cursor: Trips, rows: Sequence[tuple[int, SummaryRow]]) -> None:
        names = ("pk", *_QUOTED)
        first, *others = ((pk, *row) for pk, row in rows)
        labelled = ", ".join(f"{_literal(value)} AS {name}" for name, value in zip(names, first, strict=True))
        union = "".join(f" UNION ALL SELECT {', '.join(map(_literal, row))}" for row in others)
        changes = ", ".join(f"s.{column} = n.{column}" for column in _QUOTED)
        cursor.execute(
            f"UPDATE (SELECT {labelled}{union}) n STRAIGHT_JOIN runstore_series s FORCE INDEX (PRIMARY) "  # noqa: S608
            f"ON s.pk = n.pk SET {changes}"
        )

    def beat(self, cursor: Trips, run_pk: int) -> None:
        cursor.execute(f"UPDATE runstore_run SET {renewal(NOW_US)} WHERE pk = {run_pk}")  # noqa: S608 - a number


def _queue_append(trips: Trips, run_id: str, pk: int, series: Series, batch: Columns) -> None:
    """Queues two statements that append one point or change nothing.

    Two affected rows mean success; otherwise at most an identical point already existed.
    """
    ((step,), (value,), (logged_at_us,)) = batch
    number, special = to_pair(value)
    update = _APPEND_NON_FINITE if number is None else _APPEND
    trips.answer_once()
    trips.execute(update.format(pk=pk, step=step, value=_literal(number), special=special), (*series, run_id))
    trips.execute(
        f"{_INTO_POINTS} SELECT pk, {step}, {_value(value)}, {logged_at_us} FROM runstore_series "  # noqa: S608 - numbers only
        f"WHERE pk = {pk} AND last_step = {step} AND `count` > 0 ON DUPLICATE KEY UPDATE step = VALUES(step)"
    )


def _value(value: float) -> str:
    """A point's value and special. The exponent makes the text a double, not a decimal that is rounded on its way."""
    if value - value == 0.0 and value != 0.0:
        text = repr(value)
        return f"{text},0" if "e" in text else f"{text}e0,0"
    number, special = to_pair(value)
    return f"{'NULL' if number is None else '0e0'},{special}"


def _literal(value: float | None) -> str:
    if value is None:
        return "NULL"
    text = repr(value)
    return text if isinstance(value, int) or "e" in text else f"{text}e0"
