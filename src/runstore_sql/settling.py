"""Settled runs: those whose summaries change no more, kept once more with indexes on their values.

A summary changes with each point, and an index on its values would have to follow at each call. So the values of runs
that have ended stand in a table of their own, ``runstore_result``, and searches look through the few others one by one.

A run is settled while its row's ``settled`` is its ``attempt``. A write to a settled run makes it NULL first, as part of
what it does when a heartbeat is due (:func:`runstore_sql.schema.leases.is_due`). So does a new attempt, of any release: it
counts ``attempt`` up. Rows of ``runstore_result`` may be left of a run that is settled no more; they count for nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from runstore.model import TERMINAL_STATUSES, RunStatus
from runstore_sql.dialects.base import Dialect
from runstore_sql.metrics import rollups
from runstore_sql.schema.tables import RESULT_COLUMNS, metric, result, run, series

_A_DAY_US: Final = 86_400_000_000
"""A run that was lost so long ago is settled as well, until it is heard of. And for so long after its last heartbeat a run
that a program of the first schema has written to is left, for that may write on and would not say that it is settled no more."""

_MANY_LEFT: Final = 16
"""So many runs of one kind that were left are settled by who ends another: fewer cost searches little to look through."""
_OF_AN_END: Final = ("status", "end_us", "failure")

_PK = sa.bindparam("of_pk", type_=sa.BigInteger)
_ID = sa.bindparam("of_id", type_=sa.String)
_ASKED_US = sa.bindparam("asked_us", type_=sa.BigInteger)
_LONG = sa.bindparam("long", type_=sa.BigInteger)
_PKS = sa.bindparam("pks", expanding=True, type_=sa.BigInteger)
_MOST = sa.bindparam("most", type_=sa.Integer)


class Settling:
    """Settles runs, in transactions of the caller's."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        is_known = sa.and_(metric.c.name == series.c.name, metric.c.dataset_type == series.c.dataset_type)
        new = (
            sa.select(series.c.name, series.c.dataset_type)
            .where(series.c.run_pk.in_(_PKS), ~sa.exists().where(is_known).correlate(series))
            .distinct()
            .order_by(series.c.name, series.c.dataset_type)
        )
        self._make_metrics = dialect.insert_unknown(metric).from_select(["name", "dataset_type"], new)
        self._forget = result.delete().where(result.c.run_pk.in_(_PKS))
        rows = (
            sa.select(series.c.run_pk, metric.c.pk, *(series.c[name] for name in RESULT_COLUMNS))
            .join(metric, is_known)
            .where(series.c.run_pk.in_(_PKS), series.c["count"] > 0)
        )
        self._keep = result.insert().from_select(["run_pk", "metric_pk", *RESULT_COLUMNS], rows)
        self._settle = run.update().where(run.c.pk.in_(_PKS)).values(settled=run.c.attempt)
        mark = dialect.settling_mark
        settled: sa.ColumnElement[Any] = run.c.attempt if mark is None else sa.literal_column(mark)
        self._mark = None if mark is None else run.update().where(run.c.pk.in_(_PKS)).values(settled=settled)
        of_an_end = {name: sa.bindparam(name, type_=run.c[name].type) for name in _OF_AN_END}
        self._end = run.update().where(run.c.pk == _PK).values(**of_an_end, settled=settled)
        unsettled = dialect.is_unsettled(run)
        is_unmarked = sa.true() if mark is None else run.c.settled.is_(None)
        now = sa.literal_column(dialect.now_us, sa.BigInteger)
        of_first = (
            sa.select(sa.func.count()).where(series.c.run_pk == run.c.pk, series.c.level.is_(None)).correlate(run)
        )
        # Counted: MariaDB would look an EXISTS up in a list that it makes of all the series in the store.
        is_quiet = sa.or_(of_first.scalar_subquery() == 0, run.c.heartbeat_us < now - _A_DAY_US)
        ended = sa.select(run.c.pk).where(unsettled, is_unmarked, run.c.status.in_(sorted(TERMINAL_STATUSES)), is_quiet)
        is_lost = sa.and_(run.c.status == RunStatus.IN_PROGRESS.value, run.c.expires_us < now - _A_DAY_US)
        lost = sa.select(run.c.pk).where(unsettled, is_unmarked, is_lost)
        kinds = [ended, lost]
        if dialect.is_ripe is not None:
            kinds.append(sa.select(run.c.pk).where(unsettled, sa.text(dialect.is_ripe)))
        self._is_left = sa.select(sa.or_(*(kind.exists() for kind in kinds)))
        own = [series.c.run_pk == run.c.pk, series.c["count"] > 0]
        looked: dict[str, sa.ColumnElement[Any]] = {
            "is_long": sa.exists().where(series.c.run_pk == run.c.pk, series.c["count"] >= _LONG).correlate(run),
            "are_many_left": sa.or_(*(_are_many(kind) for kind in kinds)),
        }
        if mark is None:
            found = sa.select(sa.func.count()).select_from(metric).where(is_known).correlate(series)
            is_new = found.scalar_subquery() == 0  # counted, as above
            looked["has_new_metrics"] = sa.exists().where(*own, is_new).correlate(run)
            looked["has_results"] = sa.exists().where(result.c.run_pk == run.c.pk).correlate(run)
        columns = [run.c.pk, *(column.label(name) for name, column in looked.items())]
        state = (run.c.status, run.c.start_us, now.label("now_us"))
        self._look = sa.select(*state, *columns).where(run.c.pk == _PK)
        unasked = [sa.false().label(each.name) if each.name == "are_many_left" else each for each in columns]
        both = (unasked, columns)
        self._look_by_id = tuple(sa.select(*each).where(run.c.id == _ID) for each in both)
        goes_on = sa.and_(run.c.id == _ID, run.c.status == RunStatus.IN_PROGRESS.value, run.c.purged_us.is_(None))
        asked_us = sa.func.coalesce(_ASKED_US, now)
        end_us = sa.case((run.c.start_us > asked_us, run.c.start_us), else_=asked_us)
        end_now = run.update().where(goes_on).values(**{**of_an_end, "end_us": end_us}, settled=settled)
        self._looks_apart = not dialect.returns_updated
        self._end_now = tuple(end_now if self._looks_apart else end_now.returning(*each) for each in both)
        self._ended, self._lost, *ripe = (kind.limit(_MOST).with_for_update(skip_locked=True) for kind in kinds)
        self._ripe = ripe[0] if ripe else None

    def end_now(self, connection: sa.Connection, run_id: str, values: Mapping[str, Any], *, asks_left: bool) -> Any:
        """Ends a run that goes on, as :meth:`end` does, in as few statements as the database allows.

        Args:
            connection: in a transaction.
            run_id: the run.
            values: ``status``, ``failure`` and ``asked_us``: when it ends; ``None`` for now, and never before its start.
            asks_left: whether to find out if others have left runs; that takes a look at each run that goes on.

        Returns:
            What :meth:`look` gives, without the run's state; ``None`` where no such run goes on, and nothing was changed.
        """
        own = {"of_id": run_id, "long": rollups.LEAST_POINTS}
        ended = connection.execute(self._end_now[asks_left], {**own, **values})
        if not self._looks_apart:
            looked = ended.first()
        elif ended.rowcount:  # its row is locked: what the look finds stays so
            looked = connection.execute(self._look_by_id[asks_left], own).one()
        else:
            looked = None
        if looked is not None:
            self._keep_values(connection, looked.pk, looked)
        return looked

    def look(self, connection: sa.Connection, run_pk: int) -> Any:
        """What the end of a run is decided by, in one statement: the run's row is locked.

        Returns:
            ``pk``, ``status``, ``start_us`` and ``now_us``; ``is_long``, whether a series has points enough to be rolled
            up; ``are_many_left``, whether others have left runs to :meth:`some`; and what :meth:`end` asks for.
        """
        return connection.execute(self._look, {"of_pk": run_pk, "long": rollups.LEAST_POINTS}).one()

    def end(self, connection: sa.Connection, run_pk: int, looked: Any, values: Mapping[str, Any]) -> None:
        """Ends a run and settles it, its row locked; or marks it, where a write may still be under way.

        Args:
            connection: in a transaction.
            run_pk: the run.
            looked: what :meth:`look` gave.
            values: ``status``, ``end_us`` and ``failure``.
        """
        connection.execute(self._end, {"of_pk": run_pk, **values})
        self._keep_values(connection, run_pk, looked)

    def _keep_values(self, connection: sa.Connection, run_pk: int, looked: Any) -> None:
        if self._mark is None:
            steps = (self._make_metrics, looked.has_new_metrics), (self._forget, looked.has_results), (self._keep, True)
            for statement, is_needed in steps:
                if is_needed:
                    connection.execute(statement, {"pks": [run_pk]})

    def is_left(self, connection: sa.Connection) -> bool:
        """Whether there is a run to settle."""
        return bool(connection.execute(self._is_left).scalar())

    def some(self, connection: sa.Connection, most: int) -> int:
        """Brings at most so many runs of each kind a step nearer to be settled; how many it were."""
        count = 0
        if self._ripe is not None:
            pks = list(connection.execute(self._ripe, {"most": most}).scalars())
            self._take(connection, pks)
            count += len(pks)
        for query in (self._ended, self._lost):
            pks = list(connection.execute(query, {"most": most}).scalars())
            self._advance(connection, pks)
            count += len(pks)
        return count

    def _advance(self, connection: sa.Connection, pks: Sequence[int]) -> None:
        if self._mark is None:
            self._take(connection, pks)
        elif pks:
            connection.execute(self._mark, {"pks": pks})

    def _take(self, connection: sa.Connection, pks: Sequence[int]) -> None:
        if pks:
            for statement in (self._make_metrics, self._forget, self._keep, self._settle):
                connection.execute(statement, {"pks": pks})


def _are_many(kind: sa.Select[Any]) -> sa.ColumnElement[bool]:
    """Whether a kind of runs that are left is at least :data:`_MANY_LEFT`."""
    some = kind.limit(sa.literal_column(str(_MANY_LEFT))).subquery()
    return sa.select(sa.func.count()).select_from(some).scalar_subquery() >= sa.literal_column(str(_MANY_LEFT))
