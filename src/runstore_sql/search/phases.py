"""Statements that find the runs of a page by their keys and sort columns, one for each kind of value of the first term.

An order by a metric is numbers first, then what is not finite, then runs that lack it (READ.3). Each kind is a statement
of its own, so that an index gives the first rows of it and the page ends when it is full.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from runstore.query import Metric, Node, Order, Rank, RunQuery
from runstore_sql.dialects.base import Dialect
from runstore_sql.schema.rows import is_shown
from runstore_sql.schema.tables import experiment, parent, result, run, series
from runstore_sql.search.columns import Condition, metric_pk, statistic_column
from runstore_sql.search.filters import Filters, Test
from runstore_sql.search.leads import Lead, Leads, bounds, conjuncts, metric_tests, names, pks_of
from runstore_sql.search.ordering import Ordering, Term

EDGE: sa.BindParameter[Any] = sa.bindparam("edge")
"""The value of the first term at which a page ends; :attr:`Part.edge` asks for it."""

_MOST_SETS: Final = 4
"""A planner weighs all orders of joins: 20 take PostgreSQL seconds."""

_wanted_parent = run.alias("wanted_parent")


class Part(NamedTuple):
    """A statement that finds runs.

    Attributes:
        found: keys and sort columns, in order.
        ordering: the order.
        edge: asks for the value of :data:`EDGE`, by an index on the first term alone; ``None`` where ``found`` does not
            need it.
    """

    found: sa.Select[Any]
    ordering: Ordering
    edge: sa.Select[Any] | None = None


class Phases:
    """Builds the statements of a dialect."""

    def __init__(self, dialect: Dialect, filters: Filters, leads: Leads) -> None:
        self._dialect = dialect
        self._filters = filters
        self._leads = leads

    def led(self, asked: RunQuery, lead: Lead | None) -> list[Part]:
        """All matches in one order: those of the runs of a lead, or of all."""
        ordering = Ordering(asked.orders, self._filters)
        if lead is not None and self._dialect.joins_results and (tests := list(metric_tests(asked.node))):
            return [self._led_by_metrics(asked, ordering, lead, tests[:_MOST_SETS])]
        conditions = self.led_conditions(asked, lead)
        is_walked = lead is None and (not asked.orders or _is_by_start(asked.orders[0]))
        return [self._part(asked, ordering, conditions, run, run.c.start_us if is_walked else None)]

    def by_metric(self, asked: RunQuery, order: Order, field: Metric) -> list[Part]:
        """A statement for each kind of value, from that of the place that the page begins behind."""
        first_rank = Rank.NUMBER if asked.after is None else asked.after[0][0]
        has_odd = field.stat in {"first", "last"}
        parts = []
        for rank in (Rank.NUMBER, Rank.NON_FINITE) if has_odd else (Rank.NUMBER,):
            if rank >= first_rank:
                here = asked if rank == first_rank else _from_the_start(asked)
                parts.append(self._of_rank(here, order, field, rank))
        if not names(asked.node, field):
            here = asked if first_rank == Rank.MISSING else _from_the_start(asked)
            parts.append(self._missing(here, field))
        return parts

    def led_conditions(self, asked: RunQuery, lead: Lead | None, *, known: Sequence[Node] = ()) -> list[Condition]:
        """What tells the runs of a lead that match, or of all runs.

        Args:
            asked: the question.
            lead: where the runs are found.
            known: parts of the filter that need not be asked again.
        """
        leads = [] if lead is None else [lead]
        if self._dialect.hashes_sets and (lead is not None or known):
            leads += [
                other
                for other in self._leads.of(asked.node)
                if other.is_exact and all(other.item is not each.item for each in leads)
            ]
        return self._conditions_of(asked, leads[:_MOST_SETS], known=known)

    def _conditions_of(self, asked: RunQuery, leads: Sequence[Lead], *, known: Sequence[Node] = ()) -> list[Condition]:
        known = [*known, *(each.item for each in leads if each.is_exact)]
        return [*self.conditions(asked, known=known), *(run.c.pk.in_(pks_of(each)) for each in leads)]

    def conditions(self, asked: RunQuery, *, known: Sequence[Node] = ()) -> Iterator[Condition]:
        """What every run that matches fulfils.

        Args:
            asked: the question.
            known: parts of the filter that need not be asked again.
        """
        yield is_shown()
        if not asked.with_archived:
            yield run.c.archived_us.is_(None)
        if asked.experiment_id is not None:
            wanted = sa.select(experiment.c.pk).where(experiment.c.id == asked.experiment_id)
            yield run.c.experiment_pk == wanted.scalar_subquery()
        if asked.parent_run_id is not None:
            wanted = sa.select(_wanted_parent.c.pk).where(_wanted_parent.c.id == asked.parent_run_id)
            yield run.c.parent_pk == wanted.scalar_subquery()
        for item in conjuncts(asked.node):
            if not any(item is each for each in known):  # not ==, for 1 equals true
                yield self._filters.condition(item)

    def _of_rank(self, asked: RunQuery, order: Order, field: Metric, rank: Rank) -> Part:
        """The runs whose value is a number, or is not finite: settled ones by an index, the others one by one."""
        conditions = list(self.conditions(asked))
        settled = [result.c.metric_pk == metric_pk(field), self._dialect.is_settled(run)]
        own = [series.c.name == field.name, series.c.dataset_type == field.dataset_type]
        unsettled = [*own, self._leads.is_unsettled()]
        of_settled = self._of_table(asked, order, field, rank, result, [*settled, *conditions])
        of_others = self._of_table(asked, order, field, rank, series, [*unsettled, *conditions])
        return _both(asked, of_settled, of_others)

    def _led_by_metrics(
        self, asked: RunQuery, ordering: Ordering, lead: Lead, tests: Sequence[tuple[Test, Metric]]
    ) -> Part:
        """As :meth:`led`, where tests of metrics are among the conditions: a planner puts joined rows of results anywhere."""
        source: sa.FromClause = run
        for test, field in tests:
            own = result.alias()
            ways = self._filters.ways(test, statistic_column(field.stat, own))
            is_own = sa.and_(own.c.run_pk == run.c.pk, own.c.metric_pk == metric_pk(field), sa.or_(*ways))
            source = source.join(own, is_own)
        known = [test for test, _ in tests]
        others = None if any(lead.item is test for test in known) else lead
        settled = [*self.led_conditions(asked, others, known=known), self._dialect.is_settled(run)]
        unsettled = [*self._conditions_of(asked, [] if others is None else [others]), self._leads.is_unsettled()]
        of_settled = self._part(asked, ordering, settled, source, None)
        return _both(asked, of_settled, self._part(asked, ordering, unsettled, run, None))

    def _of_table(  # noqa: PLR0913, PLR0917 - what the two tables have in common
        self, asked: RunQuery, order: Order, field: Metric, rank: Rank, table: Any, conditions: list[Condition]
    ) -> Part:
        value = table.c["count"] if field.stat == "count" else table.c[f"{field.stat}_value"]
        is_number = rank == Rank.NUMBER
        term = Term(None, value if is_number else None, None, rank, order.descending and is_number)
        if field.stat != "count":
            conditions = [*conditions, value.is_not(None) if is_number else value.is_(None)]
        ordering = Ordering(asked.orders, self._filters, term)
        if is_number:
            column = statistic_column(field.stat, table)
            finite = [self._filters.ways(test, column)[0] for test in bounds(asked.node, field)]
            conditions = [*conditions, *finite]
        if asked.after is not None and is_number:  # a bound for the index; what follows it is not one
            kept = asked.after[0][1]
            conditions.append(value <= kept if order.descending else value >= kept)
        source = table.join(run, run.c.pk == table.c.run_pk)
        return self._part(asked, ordering, conditions, source, value if is_number and table is result else None)

    def _missing(self, asked: RunQuery, field: Metric) -> Part:
        """The runs that have no such value."""
        own = [series.c.run_pk == run.c.pk, series.c.name == field.name, series.c.dataset_type == field.dataset_type]
        if field.stat in {"min", "max"}:
            own.append(series.c[f"{field.stat}_step"].is_not(None))
        value: sa.Select[Any] = (
            sa.select(sa.literal_column("1")).where(*own).limit(sa.literal_column("1")).correlate(run)
        )
        term = Term(None, None, None, Rank.MISSING, descending=False)
        ordering = Ordering(asked.orders, self._filters, term)
        is_walked = len(asked.orders) == 1 or _is_by_start(asked.orders[1])
        return self._part(
            asked,
            ordering,
            [*self.conditions(asked), value.scalar_subquery().is_(None)],
            run,
            run.c.start_us if is_walked else None,
        )

    def _part(
        self,
        asked: RunQuery,
        ordering: Ordering,
        conditions: list[Condition],
        source: sa.FromClause,
        walked: sa.ColumnElement[Any] | None,
    ) -> Part:
        """The first runs of an order that fulfil conditions.

        Args:
            asked: the question.
            ordering: the order.
            conditions: all of them but for the place.
            source: the tables that lead to the runs.
            walked: the first column of the order, where an index has it.
        """
        if asked.after is not None:
            conditions = [*conditions, ordering.after(asked.after)]
        columns = [run.c.pk, *ordering.columns()]
        source = with_relatives(source, [*columns, *conditions])
        for table, on in ordering.joins:
            source = source.outerjoin(table, on)
        found = sa.select(*columns).select_from(source).where(*conditions).order_by(*ordering.order_by())
        if walked is None or self._dialect.sorts_in_blocks:
            return Part(found.limit(asked.limit + 1), ordering)
        down = ordering.order_by()[0].modifier is sa.sql.operators.desc_op
        edge = (
            sa.select(walked).select_from(source).where(*conditions).order_by(walked.desc() if down else walked.asc())
        )
        edge = edge.offset(asked.limit).limit(1)
        if self._dialect.keeps_joins_in_order:
            edge = edge.prefix_with(self._dialect.keeps_joins_in_order)
        is_before = sa.or_(EDGE.is_(None), walked >= EDGE if down else walked <= EDGE)
        return Part(found.where(is_before).limit(asked.limit + 1), ordering, edge)


def _both(asked: RunQuery, of_settled: Part, of_others: Part) -> Part:
    """The first runs of two parts of one order."""
    both = sa.union_all(*(sa.select(part.found.subquery()) for part in (of_settled, of_others))).subquery("both")
    ordering = of_settled.ordering
    found = sa.select(*both.c).order_by(*ordering.order_by(both)).limit(asked.limit + 1)
    return Part(found, ordering, of_settled.edge)


def _from_the_start(asked: RunQuery) -> RunQuery:
    return RunQuery(
        node=asked.node,
        orders=asked.orders,
        experiment_id=asked.experiment_id,
        parent_run_id=asked.parent_run_id,
        with_archived=asked.with_archived,
        limit=asked.limit,
        key=asked.key,
    )


def _is_by_start(order: Order) -> bool:
    return getattr(order.field, "name", None) == "start_time"


def with_relatives(source: sa.FromClause, clauses: Iterable[sa.ColumnElement[Any]]) -> sa.FromClause:
    """Runs with those of their relatives that the clauses name: a join costs a look-up for each run that matches."""
    named = _outer_tables(clauses)
    if experiment in named:
        source = source.join(experiment, experiment.c.pk == run.c.experiment_pk)
    if parent in named:
        source = source.outerjoin(parent, parent.c.pk == run.c.parent_pk)
    return source


def _outer_tables(clauses: Iterable[sa.ColumnElement[Any]]) -> set[Any]:
    """The tables whose columns stand in clauses, but not in the statements inside them."""
    found: set[Any] = set()
    left: list[Any] = list(clauses)
    while left:
        element = left.pop()
        if isinstance(element, sa.Column):
            found.add(element.table)
        elif not isinstance(element, sa.sql.selectable.SelectBase | sa.ScalarSelect | sa.sql.selectable.Exists):
            left += element.get_children()
    return found
