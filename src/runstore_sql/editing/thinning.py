"""Thinning: of a long history those points stay that its roll-ups show (CHG.9).

As far as a series is rolled up, what stays of it are the first, the last, the lowest and the highest point of each cell; its
end, which is not rolled up, stays whole. A piece is the next so many points. Its cells are no wider than those of the
roll-ups, so nothing that those show is removed, wherever a piece ends.

The first piece closes what is to be thinned, all of it: from then on no writer writes there (CHG.13). So the summary, which
tells of all points, and the packs stay right, though the points that they were made of are gone. As long as it is
under way, the series' row has the complement of the last step; a call that was cut short is done again by the next.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from runstore.model import RunStatus, Thinned
from runstore.series import EqualBuckets, cells_of, level_for
from runstore_sql.connections.database import Database
from runstore_sql.editing.pace import Pace
from runstore_sql.metrics.catching_up import CatchingUp
from runstore_sql.metrics.history import HistoryReader
from runstore_sql.metrics.points import columns_of
from runstore_sql.metrics.rollups import LEAST_POINTS
from runstore_sql.schema.tables import run, series

_DELETE: Final = sa.text(
    "DELETE FROM runstore_point WHERE series_pk = :pk AND step BETWEEN :low AND :high AND step NOT IN :kept"
).bindparams(sa.bindparam("kept", expanding=True))


class Thinner:
    """Thins the series of runs that ended before a moment."""

    def __init__(
        self,
        database: Database,
        histories: HistoryReader[Any],
        catching_up: CatchingUp[Any],
        *,
        ended_before_us: int,
    ) -> None:
        self._database = database
        self._histories = histories
        self._catching_up = catching_up
        self._pace = Pace(database)
        self._is_wanted = sa.and_(
            run.c.status != RunStatus.IN_PROGRESS.value,
            run.c.end_us < ended_before_us,
            run.c.deleted_us.is_(None),
            series.c["count"] >= LEAST_POINTS,
            sa.or_(
                series.c.rolled_step == 0,
                series.c.thinned_step.is_(None),
                series.c.thinned_step < series.c.rolled_step - 1,
            ),
        )

    def thin(self) -> Thinned:
        """Thins all of them; how many, and how many points were removed."""
        of_runs = series.join(run, run.c.pk == series.c.run_pk)
        wanted = sa.select(series.c.pk).select_from(of_runs).where(self._is_wanted).order_by(series.c.pk)
        pks: Sequence[int] = self._database.read(lambda connection: connection.execute(wanted).scalars().all())
        removed = [count for pk in pks if (count := self._thin(pk))]
        return Thinned(series=len(removed), points=sum(removed))

    def _thin(self, pk: int) -> int:
        while self._pace.driver_piece(lambda connection: self._catching_up.advance(connection, pk)):
            pass
        removed = 0
        after: int | None = None
        while (done := self._pace.piece(partial(self._piece, pk=pk, after=after))) is not None:
            count, after = done
            removed += count
        return removed

    def _piece(self, connection: sa.Connection, *, pk: int, after: int | None) -> tuple[int, int] | None:
        """Thins the next points of a series.

        Args:
            connection: in a transaction.
            pk: the key of the series.
            after: the step up to which this call has thinned it; ``None`` at first.

        Returns:
            How many points were removed, and up to which step; ``None`` where nothing is left to do.
        """
        # Locked, so that no writer overwrites what is about to be removed, or to stay.
        columns = series.c.thinned_step, series.c.level, series.c.rolled_step
        row = connection.execute(sa.select(*columns).where(series.c.pk == pk).with_for_update()).first()
        if row is None:
            return None
        known = row.thinned_step
        if after is None:
            # What another call has begun is looked at from its beginning: thinned twice is thinned once.
            after, end = known if known is not None and known >= 0 else -1, row.rolled_step - 1
        elif known is None or known >= 0:
            return None
        else:
            end = ~known
        if after >= end:
            return None
        most = self._database.dialect.points_a_piece
        points = connection.exec_driver_sql(
            f"SELECT {self._histories.columns} FROM runstore_point "  # noqa: S608 - numbers and our own columns
            f"WHERE series_pk = {pk} AND step > {after} AND step <= {end} ORDER BY step LIMIT {most}"
        ).all()
        deleted = 0
        if points:
            found = columns_of([self._histories.native(tuple(point)) for point in points])
            low, high = found.steps[0], found.steps[-1]
            # Where points lie closer than elsewhere in the series, narrower cells show as much as of any other part.
            level = min(row.level, level_for(len(points), low, high))
            cells = cells_of(found, EqualBuckets(level))
            kept = sorted({step for part in cells.points for step in part.steps})
            deleted = connection.execute(_DELETE, {"pk": pk, "low": low, "high": high, "kept": kept}).rowcount
        until = high if len(points) == most else end
        mark = end if until == end else ~end
        connection.execute(series.update().where(series.c.pk == pk).values(thinned_step=mark))
        return deleted, until
