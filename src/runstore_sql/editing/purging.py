"""Purging: what deleted runs past their time have is removed, and their rows are emptied down to the id (CHG.6).

A run is marked first, in a transaction that waits for the writers that are at it; from then on every write of it is
refused. Then its data go, piece by piece, and last its row is emptied. What was cut short shows by a mark without an
empty row, and the next call goes on with it.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from runstore.model import RunStatus
from runstore_sql.connections.database import Database
from runstore_sql.editing.pace import Pace
from runstore_sql.schema.tables import artifact, config, config_leaf, result, rollup, run, series, tag

_RUNS_A_STATEMENT: Final = 500
_NO_LEASE: Final = 0.0
"""The lease of a row that was emptied; a run's is longer."""
_EMPTY: Final[dict[str, Any]] = {
    "parent_pk": None,
    "name": None,
    "client_id": None,
    "training_mode": "",
    "status": RunStatus.INTERRUPTED.value,
    "attempt": 1,
    "start_us": 0,
    "end_us": None,
    "heartbeat_us": 0,
    "expires_us": 0,
    "lease_s": _NO_LEASE,
    "source_path": None,
    "tags": "{}",
    "provenance": "{}",
    "failure": None,
    "note": None,
    "archived_us": None,
    "changed": None,
    "settled": 1,
}
_NAMED: Final = ((tag, tag.c.key), (config_leaf, config_leaf.c.key), (artifact, artifact.c.name))
"""What a run has many rows of, and by what they are told apart."""
_NTH_STEP: Final = sa.text(
    "SELECT step FROM runstore_point WHERE series_pk = :pk AND step > :after ORDER BY step LIMIT 1 OFFSET :before"
)
_DELETE_UP_TO: Final = sa.text("DELETE FROM runstore_point WHERE series_pk = :pk AND step > :after AND step <= :step")
_NTH_PACK: Final = sa.text(
    "SELECT level, pack FROM runstore_rollup WHERE series_pk = :pk ORDER BY level, pack LIMIT 1 OFFSET :before"
)
_DELETE_PACKS_UP_TO: Final = sa.text(
    "DELETE FROM runstore_rollup WHERE series_pk = :pk AND (level < :level OR (level = :level AND pack <= :pack))"
)
_PACKS_A_PIECE: Final = 100
_DELETE_ALL: Final = sa.text("DELETE FROM runstore_point WHERE series_pk = :pk")


class Purge:
    """The deleted runs past their time, and what is to be removed of them."""

    def __init__(self, database: Database, *, deleted_before_us: int) -> None:
        self._database = database
        self._pace = Pace(database)
        self._most = database.dialect.points_a_piece
        self._is_due = sa.and_(run.c.purged_us.is_(None), run.c.deleted_us < deleted_before_us)
        # Also what a writer of an older release, which knows no deletion, has added to a purged run since.
        has_series = sa.exists().where(series.c.run_pk == run.c.pk)
        is_unfinished = sa.and_(run.c.purged_us.is_not(None), sa.or_(run.c.lease_s > _NO_LEASE, has_series))
        # By the index on deletions: of nearly all runs nothing is read.
        self._is_wanted = sa.and_(run.c.deleted_us.is_not(None), sa.or_(self._is_due, is_unfinished))

    def runs(self) -> Sequence[int]:
        """The keys of the runs that are due, and of those that an earlier call has not finished."""
        return self._keys(sa.select(run.c.pk).where(self._is_wanted).order_by(run.c.pk))

    def count_points(self, runs: Sequence[int]) -> int:
        """How many points the runs have, by their summaries."""
        total = 0
        for some in _parts(runs):
            counted = sa.select(sa.func.coalesce(sa.func.sum(series.c["count"]), 0)).where(series.c.run_pk.in_(some))
            total += int(self._scalar(counted))
        return total

    def mark(self, runs: Sequence[int]) -> None:
        """Lets no write to the runs through from now on; one that was restored meanwhile stays as it is."""
        now_us = sa.literal_column(self._database.dialect.now_us, sa.BigInteger)
        for some in _parts(runs):
            due = sa.select(run.c.pk).where(run.c.pk.in_(some), self._is_due).order_by(run.c.pk).with_for_update()

            def mark(connection: sa.Connection, due: sa.Select[Any] = due) -> None:
                found = connection.execute(due).scalars().all()
                if found:
                    connection.execute(run.update().where(run.c.pk.in_(found)).values(purged_us=now_us))

            self._pace.piece(mark)

    def remove(self, runs: Sequence[int]) -> None:
        """Removes all that the marked ones of these runs have."""
        for some in _parts(runs):
            marked = sa.select(run.c.pk).where(run.c.pk.in_(some), run.c.purged_us.is_not(None))
            for pk in self._keys(marked):
                self._remove(pk)

    def _remove(self, run_pk: int) -> None:
        for group in self._groups(run_pk):
            self._pace.piece(partial(_remove_series, group=group))
        for table, name in _NAMED:
            self._thin_out(table, name, run_pk)
        self._pace.piece(lambda connection: _empty(connection, run_pk))

    def _groups(self, run_pk: int) -> Iterator[list[int]]:
        """The run's series, so many at once that together they have the points of one piece; the rest is removed before."""
        found = sa.select(series.c.pk, series.c["count"]).where(series.c.run_pk == run_pk).order_by(series.c.pk)
        group: list[int] = []
        size = 0
        for pk, count in self._database.read(lambda connection: connection.execute(found).all()):
            left = count if count <= self._most else self._shorten(pk)
            if group and size + left > self._most:
                yield group
                group, size = [], 0
            group.append(pk)
            size += left
        if group:
            yield group

    def _shorten(self, series_pk: int) -> int:
        """Removes a series from its beginning until a piece is left; gives how many points that are, at most."""
        nth = {"pk": series_pk, "before": _PACKS_A_PIECE - 1}
        while (found := self._first(_NTH_PACK, nth)) is not None:
            packs = {"pk": series_pk, "level": found[0], "pack": found[1]}
            self._pace.piece(partial(_execute, statement=_DELETE_PACKS_UP_TO, parameters=packs))
        # From where the piece before ended: PostgreSQL goes over what was deleted until it is vacuumed.
        after = {"pk": series_pk, "after": -1}
        while (step := self._scalar(_NTH_STEP, {**after, "before": self._most - 1})) is not None:
            self._pace.piece(partial(_execute, statement=_DELETE_UP_TO, parameters={**after, "step": step}))
            after["after"] = step
        return self._most

    def _thin_out(self, table: sa.Table, name: sa.Column[str], run_pk: int) -> None:
        """Removes a run's rows of a table until fewer than a piece are left."""
        nth = sa.select(name).where(table.c.run_pk == run_pk).order_by(name).limit(1).offset(self._most - 1)
        while (last := self._scalar(nth)) is not None:
            up_to = table.delete().where(table.c.run_pk == run_pk, name <= last)
            self._pace.piece(partial(_execute, statement=up_to))

    def _first(self, query: sa.Executable, parameters: dict[str, Any]) -> Any:
        return self._database.read(lambda connection: connection.execute(query, parameters).first())

    def _scalar(self, query: sa.Executable, parameters: dict[str, Any] | None = None) -> Any:
        return self._database.read(lambda connection: connection.execute(query, parameters).scalar())

    def _keys(self, query: sa.Select[Any]) -> Sequence[int]:
        return self._database.read(lambda connection: connection.execute(query).scalars().all())


def _parts(runs: Sequence[int]) -> Iterator[Sequence[int]]:
    """So many at once that no driver's limit is met."""
    return (runs[first : first + _RUNS_A_STATEMENT] for first in range(0, len(runs), _RUNS_A_STATEMENT))


def _execute(connection: sa.Connection, *, statement: sa.Executable, parameters: dict[str, Any] | None = None) -> None:
    connection.execute(statement, parameters)


def _remove_series(connection: sa.Connection, *, group: Sequence[int]) -> None:
    """Removes series with the points that are left; locked first, so that no writer adds one that nobody would find."""
    connection.execute(sa.select(series.c.pk).where(series.c.pk.in_(group)).order_by(series.c.pk).with_for_update())
    for pk in group:
        connection.execute(_DELETE_ALL, {"pk": pk})
    connection.execute(rollup.delete().where(rollup.c.series_pk.in_(group)))
    connection.execute(series.delete().where(series.c.pk.in_(group)))


def _empty(connection: sa.Connection, run_pk: int) -> None:
    for table in (tag, config_leaf, config, artifact, result):
        connection.execute(table.delete().where(table.c.run_pk == run_pk))
    connection.execute(run.update().where(run.c.pk == run_pk).values(**_EMPTY))
