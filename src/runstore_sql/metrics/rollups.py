"""Keeping roll-ups beside the points, so that charts cost what they show (MET.15).

A series is rolled up to a step, its frontier: packs of the base level cover all points below it, and packs of each higher
level as far as they lie whole below it. The frontier follows the points whenever a base pack is full; points that are
written below it have their packs made anew, in the same transaction, or draw the frontier back. All of it with the row
of the series locked.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from runstore.series import (
    FAN_OUT_BITS,
    MAX_LEVEL,
    Columns,
    PackRange,
    level_for,
    packs_of_packs,
    packs_of_points,
    span_bits,
)
from runstore.values import MAX_STEP
from runstore_sql.metrics.rollup_tables import Frontier, PackRow, RollupTables, SeriesState

LEAST_POINTS: Final = 4096
"""A series of fewer points is not rolled up."""

MOST_POINTS: Final = 32_768
"""How many points are read at a time to be rolled up."""

MOST_MENDED: Final = 8
"""Where a call writes below the frontier into more packs than this, the frontier is drawn back."""

CursorT = TypeVar("CursorT")


class Advance(NamedTuple):
    """What comes of bringing a frontier forward.

    Attributes:
        state: the series as it then stands.
        reads: how many points were read for it.
        rest: all points that lie behind the frontier, if they are known.
        packs: what is to be written for it.
        frontier: what is to be noted of the series; ``None`` if that stands there already.
    """

    state: SeriesState
    reads: int
    rest: Columns | None
    packs: Sequence[PackRow] = ()
    frontier: Frontier | None = None


class Roller(Generic[CursorT]):
    """Rolls up series, with the statements of one dialect."""

    def __init__(self, tables: RollupTables[CursorT]) -> None:
        self.tables = tables

    def advance(self, cursor: CursorT, state: SeriesState) -> SeriesState:
        """Brings the frontier forward, by a bounded number of points; how the series then stands."""
        done = self.plan(cursor, state)
        self.save(cursor, [done])
        return done.state

    def save(self, cursor: CursorT, done: Sequence[Advance]) -> None:
        """Writes what came of several series."""
        packs = [pack for each in done for pack in each.packs]
        self.tables.write_advances(cursor, packs, [each.frontier for each in done if each.frontier])

    def plan(
        self, cursor: CursorT, state: SeriesState, last: Columns | None = None, *, is_all: bool = False
    ) -> Advance:
        """What brings the frontier forward by a bounded number of points, to be saved in the same transaction.

        Args:
            cursor: in a transaction that has locked the series.
            state: the series, as it is stored.
            last: its last points, where they are at hand.
            is_all: whether those are all points from the frontier on.
        """
        level = state.level
        if level is None or state.points < LEAST_POINTS:
            return Advance(state, 0, last if is_all else None)
        if level < 0:
            level = level_for(state.points, state.first, state.last)
        columns, reads = (last, 0) if last is not None and is_all else self._unrolled(cursor, state, last)
        span = span_bits(level)
        # No frontier lies behind the last step that there may be: no column holds such a number.
        frontier = min(columns.steps[-1] + 1, MAX_STEP) >> span << span if columns.steps else state.rolled
        if frontier <= state.rolled and len(columns.steps) >= MOST_POINTS and state.closed >= 0:
            columns, frontier = self._next_pack(cursor, state, columns, span)
        elif frontier <= state.rolled and len(columns.steps) >= MOST_POINTS:
            # Far denser than the points that the level was chosen by: all over again, in narrower cells.
            self.tables.drop_packs(cursor, state.pk)
            level = level_for(MOST_POINTS, columns.steps[-MOST_POINTS], columns.steps[-1])
            return _moved(state, level, 0, reads=reads)
        frontier = max(frontier, state.rolled)
        count = bisect_left(columns.steps, frontier)
        packs = self._rows(cursor, state, level, columns.part(0, count), frontier)
        is_whole = not columns.steps or columns.steps[-1] == state.last
        rest = columns.part(count, len(columns.steps)) if is_whole else None
        return _moved(state, level, frontier, reads=reads, rest=rest, packs=packs)

    def _rows(self, cursor: CursorT, state: SeriesState, level: int, points: Columns, frontier: int) -> list[PackRow]:
        """The packs of all levels that are whole between the frontier as it is stored and a new one."""
        packs = packs_of_points(points, level)
        rows = [(state.pk, level, index, data) for index, data in packs]
        while level + FAN_OUT_BITS <= MAX_LEVEL:
            above = span_bits(level + FAN_OUT_BITS)
            begin, end = state.rolled >> above, frontier >> above
            if begin == end:
                break
            first, known = begin << FAN_OUT_BITS, state.rolled >> span_bits(level)
            if first < known:
                wanted = PackRange(level, first << span_bits(level), (known << span_bits(level)) - 1)
                packs = [*self.tables.packs(cursor, state.pk, wanted), *packs]
            lower = [data for index, data in packs if first <= index < end << FAN_OUT_BITS]
            level += FAN_OUT_BITS
            packs = packs_of_packs(lower, level)
            rows += [(state.pk, level, index, data) for index, data in packs]
        return rows

    def _next_pack(self, cursor: CursorT, state: SeriesState, found: Columns, span: int) -> tuple[Columns, int]:
        """All points of the next pack of a series that was thinned, and the frontier behind it, if the pack is full.

        Of what was thinned no narrower cells can be made: its packs stay as wide, however many points one of them has.
        """
        end = state.rolled + (1 << span)
        if end > MAX_STEP or state.last < end - 1:
            return found, state.rolled
        return self.tables.points(cursor, state.pk, state.rolled, end - 1, most=state.points), end

    def mend(self, cursor: CursorT, state: SeriesState, steps: Sequence[int]) -> SeriesState:
        """Makes right what packs say of some steps that were written; all stored already."""
        if state.rollups is None or steps[0] >= state.rolled:
            return state
        level = state.rollups.level
        span = span_bits(level)
        touched = sorted({step >> span for step in steps if step < state.rolled})
        if len(touched) > MOST_MENDED:
            return self._drawn_back(cursor, state, touched[0] << span)
        rows: list[PackRow] = []
        for index in touched:
            columns = self.tables.points(cursor, state.pk, index << span, ((index + 1) << span) - 1, most=MOST_POINTS)
            if len(columns.steps) == MOST_POINTS:
                return self._drawn_back(cursor, state, touched[0] << span)
            rows += [(state.pk, level, number, data) for number, data in packs_of_points(columns, level)]
        self.tables.write_packs(cursor, rows)
        while level + FAN_OUT_BITS <= MAX_LEVEL:
            above = level + FAN_OUT_BITS
            end = state.rolled >> span_bits(above)
            touched = sorted({index >> FAN_OUT_BITS for index in touched if index >> FAN_OUT_BITS < end})
            if not touched:
                break
            rows = []
            for index in touched:
                lower = self.tables.packs(cursor, state.pk, PackRange(level, *_span(index, above)))
                packs = packs_of_packs([data for _, data in lower], above)
                rows += [(state.pk, above, number, data) for number, data in packs]
            self.tables.write_packs(cursor, rows)
            level = above
        return state

    def _unrolled(self, cursor: CursorT, state: SeriesState, appended: Columns | None) -> tuple[Columns, int]:
        """The first points from the frontier on: all of them where few were not in the call."""
        if appended is not None and appended.steps[0] >= state.rolled:
            if state.points == len(appended.steps) or state.rolled == appended.steps[0]:
                return appended, 0
            high = appended.steps[0] - 1
            before = self.tables.points(cursor, state.pk, state.rolled, high, most=MOST_POINTS)
            if len(before.steps) < MOST_POINTS:
                return (Columns.joined((before, appended)) if before.steps else appended), len(before.steps)
            return before, MOST_POINTS
        columns = self.tables.points(cursor, state.pk, state.rolled, state.last, most=MOST_POINTS)
        return columns, len(columns.steps)

    def _drawn_back(self, cursor: CursorT, state: SeriesState, rolled: int) -> SeriesState:
        assert state.level is not None  # noqa: S101 - it has packs
        done = _moved(state, state.level, rolled)
        self.save(cursor, [done])
        return done.state


def _moved(  # noqa: PLR0913 - what an advance says, and what it is of
    state: SeriesState,
    level: int,
    rolled: int,
    *,
    reads: int = 0,
    rest: Columns | None = None,
    packs: Sequence[PackRow] = (),
) -> Advance:
    is_new = (level, rolled) != (state.level, state.rolled)
    after = state._replace(level=level, rolled=rolled)
    return Advance(after, reads, rest, packs, (state.pk, level, rolled) if is_new else None)


def _span(index: int, level: int) -> tuple[int, int]:
    """The steps of a pack of a level, both ends included."""
    return index << span_bits(level), ((index + 1) << span_bits(level)) - 1
