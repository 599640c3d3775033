"""Keyset pages of runs: found by their keys and sort columns alone, then the wide rows of those few (READ.1-4)."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from runstore.model import Run
from runstore.query import RunQuery
from runstore_sql.connections.database import Database
from runstore_sql.schema.rows import is_shown, run_columns, run_of, runs_and_relatives
from runstore_sql.schema.tables import experiment, parent, run
from runstore_sql.search.columns import Condition
from runstore_sql.search.filters import Filters
from runstore_sql.search.ordering import Ordering

_KEPT: Final = 100
"""Statements that are kept: building one takes longer than most databases take to answer it."""
_LONGEST_KEPT: Final = 2_000
"""Characters of a filter and an order, so that what is kept stays small."""

wanted_parent = run.alias("wanted_parent")


class _Query(NamedTuple):
    statement: sa.Select[Any]
    ordering: Ordering


class Pages:
    """Reads pages; safe from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._filters = Filters(database.dialect)
        self._columns = run_columns(database.dialect.now_us)
        self._known: dict[tuple[str, int, str], _Query] = {}

    def read(self, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]:
        """The runs that match, in order, behind a place; and the place of the last of them, if more follow."""
        asked_for = asked.key, asked.limit, repr(asked.after)
        query = self._known.get(asked_for)
        if query is None:
            query = self._build(asked)
            if len(asked_for[0]) + len(asked_for[2]) <= _LONGEST_KEPT:
                if len(self._known) >= _KEPT:
                    self._known.clear()
                self._known[asked_for] = query
        statement, ordering = query
        rows = self._database.read(lambda connection: self._rows(connection, statement, ordering))
        place = None
        if len(rows) > asked.limit:
            place = ordering.place(rows[asked.limit - 1]._mapping)  # noqa: SLF001 - SQLAlchemy's API
        return [run_of(row) for row in rows[: asked.limit]], place

    def _rows(self, connection: sa.Connection, statement: sa.Select[Any], ordering: Ordering) -> Sequence[sa.Row[Any]]:
        if ordering.long_texts:
            self._database.dialect.ready_to_sort(connection, ordering.long_texts)
        return connection.execute(statement).all()

    def _build(self, asked: RunQuery) -> _Query:
        ordering = Ordering(asked.orders, self._filters)
        conditions = list(_in_scope(asked))
        if asked.node is not None:
            conditions.append(self._filters.condition(asked.node, joins=len(ordering.joins)))
        if asked.after is not None:
            conditions.append(ordering.after(asked.after))
        columns = [run.c.pk, *ordering.columns()]
        source = _join([*columns, *conditions])
        for table, on in ordering.joins:
            source = source.outerjoin(table, on)
        found = (
            sa.select(*columns)
            .select_from(source)
            .where(*conditions)
            .order_by(*ordering.order_by())
            .limit(asked.limit + 1)
            .subquery("found")
        )
        places = [column for column in found.c if column.name != "pk"]
        statement = (
            sa.select(*self._columns, *places)
            .select_from(runs_and_relatives().join(found, found.c.pk == run.c.pk))
            .order_by(*ordering.order_by(found))
        )
        return _Query(statement, ordering)


def _in_scope(asked: RunQuery) -> Iterable[Condition]:
    yield is_shown()
    if not asked.with_archived:
        yield run.c.archived_us.is_(None)
    if asked.experiment_id is not None:
        wanted = sa.select(experiment.c.pk).where(experiment.c.id == asked.experiment_id)
        yield run.c.experiment_pk == wanted.scalar_subquery()
    if asked.parent_run_id is not None:
        wanted = sa.select(wanted_parent.c.pk).where(wanted_parent.c.id == asked.parent_run_id)
        yield run.c.parent_pk == wanted.scalar_subquery()


def _join(clauses: Sequence[sa.ColumnElement[Any]]) -> sa.FromClause:
    """Runs with those of their relatives that the clauses name: a join costs a look-up for each run that matches."""
    named = {
        element.table for clause in clauses for element in visitors.iterate(clause) if isinstance(element, sa.Column)
    }
    source: sa.FromClause = run
    if experiment in named:
        source = source.join(experiment, experiment.c.pk == run.c.experiment_pk)
    if parent in named:
        source = source.outerjoin(parent, parent.c.pk == run.c.parent_pk)
    return source
