"""Keyset pages of runs: found by their keys and sort columns alone, then the wide rows of those few (READ.1-4).

How they are found is decided for each page: along an index on the order, each run looked at until the page is full; or from
the test that leads to the fewest runs, which are then sorted.
"""

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from runstore.model import Run
from runstore.query import Metric, RunQuery
from runstore_sql.connections.database import Database
from runstore_sql.schema.rows import run_columns, run_of, runs_and_relatives
from runstore_sql.schema.tables import experiment, run
from runstore_sql.search.filters import Filters
from runstore_sql.search.leads import MOST_COUNTED, Lead, Leads, bounds, counted, size_of_few
from runstore_sql.search.ordering import Ordering
from runstore_sql.search.phases import EDGE, Part, Phases

_KEPT: Final = 100
"""Statements that are kept: building one takes longer than most databases take to answer it."""
_LONGEST_KEPT: Final = 2_000
"""Characters of a filter and an order, so that what is kept stays small."""
_FIGURES_S: Final = 5.0
"""How long figures are kept: they only say which way to the runs is short."""
_MOST_LEADS: Final = 8
_OF_MANY: Final = 0.3
"""The part of all runs that is thought to pass a test that leads to many."""
_COST_OF_SORTING: Final = 2.0
_COST_OF_HASHING: Final = 0.5
"""What it costs to find and sort a run of a lead, beside looking at one along an index."""

Rows = Sequence[sa.Row[Any]]


class _Plan(NamedTuple):
    """How the pages of one question are found.

    Attributes:
        leads: the tests that may lead.
        figures: asks how many runs there are, how many are in the experiment that is asked for, and how many each test
            leads to. ``None`` where there is nothing to choose.
    """

    leads: list[Lead]
    figures: sa.Select[Any] | None


class _Statement(NamedTuple):
    """A part with the rows that a page shows."""

    rows: sa.Select[Any]
    ordering: Ordering
    edge: sa.Select[Any] | None


class Pages:
    """Reads pages; safe from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._filters = Filters(database.dialect)
        self._leads = Leads(database.dialect, self._filters)
        self._phases = Phases(database.dialect, self._filters, self._leads)
        self._columns = run_columns(database.dialect.now_us)
        self._known: dict[tuple[Any, ...], Any] = {}

    def read(self, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]:
        """The runs that match, in order, behind a place; and the place of the last of them, if more follow."""
        return self._database.read(lambda connection: self._read(connection, asked))

    def _read(self, connection: sa.Connection, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]:
        plan = self._kept(asked, "plan", lambda: self._plan(asked))
        chosen = None
        if plan.figures is not None:
            chosen = self._chosen(asked, plan.leads, *self._figures(connection, asked, plan.figures))
        statements = self._kept(asked, chosen, lambda: self._statements(asked, plan, chosen))
        found: list[tuple[sa.Row[Any], Ordering]] = []
        for statement in statements:
            found += [(row, statement.ordering) for row in self._rows(connection, statement)]
            if len(found) > asked.limit:
                break
        place = None
        if len(found) > asked.limit:
            last, ordering = found[asked.limit - 1]
            place = ordering.place(last._mapping)  # noqa: SLF001 - SQLAlchemy's API
        return [run_of(row) for row, _ in found[: asked.limit]], place

    def _figures(self, connection: sa.Connection, asked: RunQuery, query: sa.Select[Any]) -> Sequence[Any]:
        """What the figures of a plan come to; for some seconds those of the page before, for pages follow one another."""
        kept = self._known.get(("figures", asked.key))
        if kept is None or kept[0] < time.monotonic():
            kept = time.monotonic() + _FIGURES_S, connection.execute(query).one()
            self._keep(("figures", asked.key), kept)
        figures: Sequence[Any] = kept[1]
        return figures

    def _kept(self, asked: RunQuery, what: Any, build: Any) -> Any:
        """What was built for this question before."""
        key = (what, asked.key, asked.limit, "" if what == "plan" else repr(asked.after))
        known = self._known.get(key)
        if known is None:
            known = build()
            self._keep(key, known)
        return known

    def _keep(self, key: tuple[Any, ...], built: Any) -> None:
        if sum(len(part) for part in key if isinstance(part, str)) <= _LONGEST_KEPT:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = built

    def _plan(self, asked: RunQuery) -> _Plan:
        leads = self._leads.of(asked.node)[:_MOST_LEADS]
        if not leads and (asked.experiment_id is None or self._walks(asked) != "metric"):
            return _Plan([], None)
        everything = sa.select(sa.func.coalesce(sa.func.max(run.c.pk), 0)).scalar_subquery()
        return _Plan(leads, sa.select(everything, self._size_of_scope(asked), *(counted(lead) for lead in leads)))

    @staticmethod
    def _size_of_scope(asked: RunQuery) -> sa.ColumnElement[Any]:
        if asked.experiment_id is None:
            return sa.null()
        wanted = sa.select(experiment.c.pk).where(experiment.c.id == asked.experiment_id).scalar_subquery()
        some = run.alias("some")
        return size_of_few(sa.select(some.c.pk).where(some.c.experiment_pk == wanted))

    @staticmethod
    def _walks(asked: RunQuery) -> str:
        """By which index the order can be walked along: of a ``metric``, of the ``start``, or none."""
        if not asked.orders:
            return "start"
        field = asked.orders[0].field
        if isinstance(field, Metric):
            return "metric"
        return "start" if getattr(field, "name", None) == "start_time" else ""

    def _chosen(
        self, asked: RunQuery, leads: Sequence[Lead], everything: int, in_scope: int | None, *counts: int
    ) -> int | None:
        """The number of the lead to find the runs by, -1 for the experiment's runs; ``None`` to walk along the order."""
        options = [(count, number) for number, count in enumerate(counts)]
        if in_scope is not None:
            options.append((in_scope, -1))
        fewest, number = min(options)
        walks = self._walks(asked)
        if not walks:
            return number
        walked = float(asked.limit + 1)
        within = bounds(asked.node, asked.orders[0].field) if walks == "metric" else []
        passed = [
            count for lead, count in zip(leads, counts, strict=True) if not any(lead.item is each for each in within)
        ]
        if in_scope is not None and walks == "metric":
            passed.append(in_scope)
        for count in passed:
            walked /= max(count if count < MOST_COUNTED else _OF_MANY * everything, 0.1) / max(everything, 1)
        walked = min(walked, everything if in_scope is None or walks == "metric" else in_scope)
        cost = _COST_OF_HASHING if self._database.dialect.hashes_sets else _COST_OF_SORTING
        if fewest < MOST_COUNTED and cost * fewest < walked:
            return number
        return None

    def _statements(self, asked: RunQuery, plan: _Plan, chosen: int | None) -> list[_Statement]:
        if chosen is None and self._walks(asked) == "metric":
            order = asked.orders[0]
            assert isinstance(order.field, Metric)  # noqa: S101 - for the type checker
            parts = self._phases.by_metric(asked, order, order.field)
        else:
            parts = self._phases.led(asked, plan.leads[chosen] if chosen is not None and chosen >= 0 else None)
        return [self._shown(part) for part in parts]

    def _shown(self, part: Part) -> _Statement:
        found = part.found.subquery("found")
        places = [column for column in found.c if column.name != "pk"]
        rows = (
            sa.select(*self._columns, *places)
            .select_from(runs_and_relatives().join(found, found.c.pk == run.c.pk))
            .order_by(*part.ordering.order_by(found))
        )
        return _Statement(rows, part.ordering, part.edge)

    def _rows(self, connection: sa.Connection, statement: _Statement) -> Rows:
        if statement.ordering.long_texts:
            self._database.dialect.ready_to_sort(connection, statement.ordering.long_texts)
        if statement.edge is None:
            return connection.execute(statement.rows).all()
        edge = connection.execute(statement.edge).scalar()
        return connection.execute(statement.rows, {EDGE.key: edge}).all()
