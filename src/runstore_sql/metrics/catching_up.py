"""Rolling up what was stored before: series that a first release's writers made, and what a call had no time for.

It goes series by series, a bounded number of points a transaction, which holds the lock of one series alone. How far it came
is noted in the database, so that any process goes on where another stopped.
"""

from typing import Any, Final, Generic, TypeVar

from runstore.series import span_bits
from runstore_sql.metrics import rollups
from runstore_sql.metrics.ingest import PointWriter
from runstore_sql.metrics.rollup_tables import STATE_SQL, SeriesState
from runstore_sql.metrics.rollups import Roller

_A_LOOK: Final = 5_000
"""How many keys of series one look takes in."""
_AT_THE_END: Final = 16
"""How many pieces are rolled up as a run ends."""

ConnectionT = TypeVar("ConnectionT")


class CatchingUp(Generic[ConnectionT]):
    """Rolls up on connections of one dialect's driver.

    A series of the first release's writers is taken over once its run has ended: as long as that goes on, a process of that
    release, which knows nothing of roll-ups, may be writing over its points.
    """

    def __init__(self, writer: PointWriter[ConnectionT, Any]) -> None:
        self._writer = writer
        self._tables = writer.tables
        self._roller = Roller(writer.tables)

    def finish(self, connection: ConnectionT, run_id: str) -> None:
        """Rolls up the series of a run that has ended; what takes long is left for later steps."""
        given = self._tables.placeholder
        with self._writer.transaction(connection) as cursor:
            behind = self._behind(cursor, f"r.id = {given}", (run_id,))
        pieces = 0
        for pk in behind:
            while self.advance(connection, pk):
                pieces += 1
                if pieces >= _AT_THE_END:
                    self._leave(connection, behind[behind.index(pk) :])
                    return

    def step(self, connection: ConnectionT) -> bool:
        """Does the next bounded piece; whether there may be more."""
        given = self._tables.placeholder
        with self._writer.transaction(connection) as cursor:
            rows = self._tables.rows(cursor, "SELECT next_series_pk, last_series_pk FROM runstore_waiting", ())
            if not rows or rows[0][0] > rows[0][1]:
                return False
            begin, last = map(int, rows[0])
            end = min(begin + _A_LOOK, last + 1)
            behind = self._behind(cursor, f"s.pk >= {given} AND s.pk < {given}", (begin, end))
        after = end
        if behind:
            after = behind[0] if self.advance(connection, behind[0]) else behind[0] + 1
        with self._writer.transaction(connection) as cursor:
            cursor.execute(
                f"UPDATE runstore_waiting SET next_series_pk = {given} WHERE next_series_pk = {given}",  # noqa: S608 - our own text
                (after, begin),
            )
        return after <= last

    def _behind(self, cursor: Any, condition: str, parameters: tuple[Any, ...]) -> list[int]:
        """The keys of series of ended runs that have something to roll up."""
        rows = self._tables.rows(
            cursor,
            f"SELECT {STATE_SQL} FROM runstore_series s JOIN runstore_run r ON r.pk = s.run_pk "  # noqa: S608 - our own text
            f"WHERE {condition} AND s.count >= {rollups.LEAST_POINTS} AND r.end_us IS NOT NULL AND r.purged_us IS NULL "
            "ORDER BY s.pk",
            parameters,
        )
        return [row[0] for row in rows if _is_behind(SeriesState(row[0], *row[3:]))]

    def advance(self, connection: ConnectionT, pk: int) -> bool:
        """Rolls up a piece of a series; whether there may be more of it."""
        given = self._tables.placeholder
        with self._writer.transaction(connection) as cursor:
            rows = self._tables.rows(
                cursor,
                f"SELECT {STATE_SQL} FROM runstore_series s WHERE s.pk = {given}{self._tables.locks}",  # noqa: S608 - as above
                (pk,),
            )
            if not rows:
                return False
            state = SeriesState(rows[0][0], *rows[0][3:])
            if state.level is None:
                state = state._replace(level=-1)
            after = self._roller.advance(cursor, state)
        return after != state and _is_behind(after)

    def _leave(self, connection: ConnectionT, keys: list[int]) -> None:
        """Has later steps look at series again."""
        given, low, high = self._tables.placeholder, min(keys), max(keys)
        with self._writer.transaction(connection) as cursor:
            cursor.execute(
                f"UPDATE runstore_waiting SET "  # noqa: S608 - our own text
                f"next_series_pk = CASE WHEN next_series_pk < {given} AND next_series_pk <= last_series_pk "
                f"THEN next_series_pk ELSE {given} END, "
                f"last_series_pk = CASE WHEN last_series_pk > {given} THEN last_series_pk ELSE {given} END",
                (low, low, high, high),
            )


def _is_behind(state: SeriesState) -> bool:
    if state.level is None or state.level < 0:
        return state.points >= rollups.LEAST_POINTS
    return state.last >= state.rolled + (1 << span_bits(state.level)) - 1
