"""Keyset pages of runs: found by their keys and sort columns alone, then the wide rows of those few (READ.1-4)."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from runstore.model import Page, Run
from runstore.query import Node, Order, decode_cursor, encode_cursor
from runstore_sql.database import Database
from runstore_sql.filters import Condition, Filters, parent
from runstore_sql.ordering import Ordering
from runstore_sql.rows import run_columns, run_of, runs_and_relatives
from runstore_sql.schema import experiment, run

_KEPT: Final = 100
"""Statements that are kept: building one takes longer than most databases take to answer it."""
_LONGEST_KEPT: Final = 2_000
"""Characters of a filter and an order, so that what is kept stays small."""


class Scope(NamedTuple):
    """The runs of which pages are read.

    Attributes:
        key: what a cursor of these pages must have been made for.
        kind, value: ``experiment`` and an experiment's id, ``parent`` and a run's key, or ``all`` and ``None``.
    """

    key: str
    kind: str
    value: str | int | None


class _Query(NamedTuple):
    statement: sa.Select[Any]
    ordering: Ordering


class Pages:
    """Reads pages; safe from any thread."""

    def __init__(self, database: Database) -> None:
        """Reads through the database's connections."""
        self._database = database
        self._filters = Filters(database.dialect, database.now_us)
        self._columns = run_columns(database.now_us)
        self._known: dict[tuple[str, Scope, int, str | None], _Query] = {}

    def read(
        self, node: Node | None, orders: Sequence[Order], scope: Scope, *, limit: int, cursor: str | None
    ) -> Page[Run]:
        """The runs that match, in order, after those of the cursor.

        Raises:
            QueryError: the cursor is none of this query's, or there are too many orders.
        """
        asked = repr((node, orders))  # 1, 1.0 and True are equal, and three different questions
        query = self._known.get((asked, scope, limit, cursor))
        if query is None:
            query = self._built(node, orders, scope, limit=limit, cursor=cursor)
            if len(asked) <= _LONGEST_KEPT:
                if len(self._known) >= _KEPT:
                    self._known.clear()
                self._known[asked, scope, limit, cursor] = query
        statement, ordering = query
        rows = self._database.read(lambda connection: connection.execute(statement).all())
        next_cursor = None
        if len(rows) > limit:
            next_cursor = encode_cursor(scope.key, ordering.place(rows[limit - 1]._mapping))  # noqa: SLF001 - SQLAlchemy's API
        return Page(items=tuple(run_of(row) for row in rows[:limit]), next_cursor=next_cursor)

    def _built(
        self, node: Node | None, orders: Sequence[Order], scope: Scope, *, limit: int, cursor: str | None
    ) -> _Query:
        ordering = Ordering(orders, self._filters)
        conditions = list(_in_scope(scope))
        if node is not None:
            conditions.append(self._filters.condition(node))
        if cursor is not None:
            conditions.append(ordering.after(decode_cursor(scope.key, cursor)))
        columns = [run.c.pk, *ordering.columns()]
        source = _joined([*columns, *conditions])
        for table, on in ordering.joins:
            source = source.outerjoin(table, on)
        found = (
            sa.select(*columns)
            .select_from(source)
            .where(*conditions)
            .order_by(*ordering.order_by())
            .limit(limit + 1)
            .subquery("found")
        )
        places = [column for column in found.c if column.name != "pk"]
        statement = (
            sa.select(*self._columns, *places)
            .select_from(runs_and_relatives().join(found, found.c.pk == run.c.pk))
            .order_by(*ordering.order_by_labels(found))
        )
        return _Query(statement, ordering)


def _in_scope(scope: Scope) -> Iterable[Condition]:
    if scope.kind == "experiment":
        wanted = sa.select(experiment.c.pk).where(experiment.c.id == scope.value)
        yield run.c.experiment_pk == wanted.scalar_subquery()
    elif scope.kind == "parent":
        yield run.c.parent_pk == scope.value


def _joined(clauses: Sequence[sa.ColumnElement[Any]]) -> sa.FromClause:
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
