"""Counts: how many runs match, how many have a key, and how many a value (READ.10, READ.11).

Keys and values are counted in their indexes alone, all of them, and what archived and deleted runs add, which are few, is
taken off again.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from runstore.backend import KeyRow, ValueRow
from runstore.query import (
    BOOLEAN_ATTRIBUTES,
    TEXT_ATTRIBUTES,
    ArtifactName,
    Attribute,
    ConfigKey,
    Field,
    KeyQuery,
    Metric,
    Rank,
    RunQuery,
    Tag,
    ValueQuery,
)
from runstore_sql.connections.database import Database
from runstore_sql.dialects.base import Dialect
from runstore_sql.schema.rows import is_shown
from runstore_sql.schema.tables import HEAD_LENGTH, artifact, config_leaf, experiment, metric, result, run, series, tag
from runstore_sql.search.columns import Condition, begins
from runstore_sql.search.filters import RELATIVES, Filters
from runstore_sql.search.leads import Lead, Leads, counted
from runstore_sql.search.phases import Phases, with_relatives

_hidden = run.alias("hidden")
_MOST_COUNTED: Final = 30_000
"""Up to so many runs are counted to find the test that leads to the fewest: each of them is looked at afterwards."""
_NUMBERS: Final = ("int", "float")

Tally = sa.Select[Any]
"""Rows of a value, or the parts of a key, and the number of runs that have it."""


class Facets:
    """Counts in one database; safe from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._filters = Filters(database.dialect)
        self._hidden = _hidden_pks(database.dialect)
        self._leads = Leads(database.dialect, self._filters)
        self._phases = Phases(database.dialect, self._filters, self._leads)

    # --- runs

    def count(self, asked: RunQuery) -> int:
        """How many runs match."""
        return self._database.read(lambda connection: self._count(connection, asked))

    def _count(self, connection: sa.Connection, asked: RunQuery) -> int:
        lead = self._lead(connection, asked)
        found: int = connection.execute(sa.select(self._matches(asked, lead))).scalar_one()
        return found

    def _lead(self, connection: sa.Connection, asked: RunQuery) -> Lead | None:
        """The lead to the fewest runs; none where all lead to many and are told from the runs' own rows."""
        leads = self._leads.of(asked.node)
        if not leads:
            return None
        if len(leads) == 1 and not isinstance(_field_of(leads[0]), Attribute):
            return leads[0]
        counts = connection.execute(sa.select(*(counted(lead, _MOST_COUNTED) for lead in leads))).one()
        fewest, number = min(zip(counts, range(len(leads)), strict=True))
        if fewest < _MOST_COUNTED:
            return leads[number]
        return next((lead for lead in leads if not isinstance(_field_of(lead), Attribute)), None)

    def _matches(self, asked: RunQuery, lead: Lead | None) -> sa.ColumnElement[int]:
        field = None if lead is None else _field_of(lead)
        if lead is not None and isinstance(field, Metric):
            # Of settled runs the index tells, of the others their summaries.
            known = Lead(lead.item, lead.selects[:-1], is_exact=True)
            others = [*self._phases.led_conditions(asked, None), self._leads.is_unsettled()]
            if _is_all_asked(asked, known):
                settled = _less(known, sa.union(self._hidden, self._leads.unsettled()))
            else:
                settled = _size_of([*self._phases.led_conditions(asked, known), self._database.dialect.is_settled(run)])
            return settled + _size_of(others)
        if lead is not None and not isinstance(field, Attribute) and lead.is_exact and _is_all_asked(asked, lead):
            return _less(lead, self._hidden)
        return _size_of(self._phases.led_conditions(asked, lead))

    # --- keys

    def keys(self, asked: KeyQuery) -> Sequence[KeyRow]:
        """The keys in use, the highest counts first."""
        if asked.of == "metric":
            return [(name, kind, int(count)) for name, kind, count in self._first(self._metrics(asked), asked.limit)]
        table = tag if asked.of == "tag" else config_leaf
        tally = self._tally(table, [table.c.key], _beginning(table.c.key, asked.prefix), asked.experiment_id)
        return [(key, "", int(count)) for key, count in self._first(tally, asked.limit)]

    def _metrics(self, asked: KeyQuery) -> Tally:
        names = [series.c.name, series.c.dataset_type]
        fits = _beginning(series.c.name, asked.prefix)
        if asked.experiment_id is not None:
            return self._tally(series, names, fits, asked.experiment_id)
        # The rows of settled runs, metric by metric, for that reads an index and no row; those of the others from the
        # summaries.
        left_out = sa.union(self._hidden, self._leads.unsettled()).subquery("left_out")
        own = sa.select(sa.func.count()).where(result.c.metric_pk == metric.c.pk).correlate(metric)
        begins_so = _beginning(metric.c.name, asked.prefix)
        named = sa.select(metric.c.name, metric.c.dataset_type, own.scalar_subquery().label("runs")).where(*begins_so)
        # One set: with two, each row of results would be looked at for whether it is in either.
        few = result.c.run_pk.in_(sa.select(left_out.c.pk))
        counts = sa.select(result.c.metric_pk, -_COUNT).where(few).group_by(result.c.metric_pk).subquery("counts")
        less = sa.select(metric.c.name, metric.c.dataset_type, counts.c[1]).join(
            counts, counts.c.metric_pk == metric.c.pk
        )
        others = (
            sa.select(*names, _COUNT)
            .join(run, run.c.pk == series.c.run_pk)
            .where(self._leads.is_unsettled(), *_is_counted(), *fits)
            .group_by(*names)
        )
        return _summed(named, less.where(*begins_so), others)

    # --- values

    def values(self, asked: ValueQuery) -> Sequence[ValueRow]:
        """The values of a field, the highest counts first."""
        found: list[tuple[int, Rank, bool | float | str]] = []
        for rank, rows in self._of_field(asked):
            found += [(-int(count), rank, _value(rank, value)) for value, count in rows]
        return [(value, -less) for less, _, value in sorted(found)[: asked.limit]]

    def _of_field(self, asked: ValueQuery) -> Iterable[tuple[Rank, Sequence[Any]]]:
        """The values of each kind, the highest counts first."""
        match asked.field:
            case Attribute(name):
                rank, tally = self._of_attribute(name, asked)
                if rank == Rank.TEXT or not asked.prefix:
                    yield rank, self._first(tally, asked.limit)
            case Tag(key):
                yield Rank.TEXT, self._texts(tag, [tag.c.key == key], asked)
            case ConfigKey(key):
                is_own = config_leaf.c.key == key
                yield Rank.TEXT, self._texts(config_leaf, [is_own, config_leaf.c.kind == "str"], asked)
                number = config_leaf.c.number
                for rank, kinds in () if asked.prefix else ((Rank.NUMBER, _NUMBERS), (Rank.BOOLEAN, ("bool",))):
                    is_of_kind = [is_own, config_leaf.c.kind.in_(kinds), number.is_not(None)]
                    tally = self._tally(config_leaf, [number], is_of_kind, asked.experiment_id)
                    yield rank, self._first(tally, asked.limit)
            case ArtifactName():
                fits = _beginning(artifact.c.name, asked.prefix)
                if asked.without:
                    fits.append(sa.not_(begins(artifact.c.name, asked.without)))
                tally = self._tally(artifact, [artifact.c.name], fits, asked.experiment_id)
                yield Rank.TEXT, self._first(tally, asked.limit)

    def _of_attribute(self, name: str, asked: ValueQuery) -> tuple[Rank, Tally]:
        conditions = [*_is_counted(with_archived=asked.with_archived), *_in_experiment(asked.experiment_id)]
        if name in RELATIVES:  # counted by key, for a look-up of each run's would take longer
            key, pk, value = RELATIVES[name]
            rows = sa.select(key.label("relative"), _COUNT).group_by(key)
            if asked.experiment_id is not None:
                counts = rows.where(*conditions).subquery("counts")
            else:
                less = sa.select(key.label("relative"), -_COUNT).where(run.c.pk.in_(self._hidden)).group_by(key)
                counts = _summed(rows, less).subquery("counts")
            tally = sa.select(value.label("value"), counts.c.runs).join(counts, counts.c.relative == pk)
            return Rank.TEXT, tally.where(*_beginning(value, asked.prefix))
        column = self._filters.attributes[name]
        rank = Rank.TEXT if name in TEXT_ATTRIBUTES else Rank.BOOLEAN if name in BOOLEAN_ATTRIBUTES else Rank.NUMBER
        values = sa.select(column.label("value")).select_from(with_relatives(run, [column]))
        each = values.where(*conditions, column.is_not(None)).subquery("each")
        fits = _beginning(each.c.value, asked.prefix)
        return rank, sa.select(each.c.value, _COUNT).where(*fits).group_by(each.c.value)

    def _tally(
        self, table: Any, columns: Sequence[sa.Column[Any]], conditions: Sequence[Condition], experiment_id: str | None
    ) -> Tally:
        """How many runs have each value of these columns; a table has one row a run and value."""
        rows = sa.select(*columns, _COUNT).where(*conditions).group_by(*columns)
        if experiment_id is not None:
            runs = sa.select(run.c.pk).where(*_in_experiment(experiment_id), *_is_counted())
            return rows.where(table.c.run_pk.in_(runs))
        less = sa.select(*columns, -_COUNT).where(*conditions, table.c.run_pk.in_(self._hidden)).group_by(*columns)
        return _summed(rows, less)

    def _texts(self, table: Any, conditions: Sequence[Condition], asked: ValueQuery) -> Sequence[Any]:
        """Texts by their heads, which are indexed; those that go on behind their head by themselves."""
        fits = _beginning(table.c.head, asked.prefix[:HEAD_LENGTH])
        heads: Sequence[Any] = ()
        if len(asked.prefix) < HEAD_LENGTH:
            tally = self._tally(table, [table.c.head], [*conditions, *fits], asked.experiment_id)
            heads = self._first(tally, asked.limit)
            # What goes on has no higher count than its head: where none is among the first, neither is what goes on.
            if all(len(head) < HEAD_LENGTH for head, _ in heads):
                return heads
            ends = [*conditions, *fits, sa.func.substr(table.c.head, HEAD_LENGTH, 1) == ""]
            heads = self._first(self._tally(table, [table.c.head], ends, asked.experiment_id), asked.limit)
        goes_on = sa.func.substr(table.c.head, HEAD_LENGTH, 1) != ""
        whole = [*conditions, *fits, goes_on, *_beginning(table.c.value, asked.prefix)]
        return [*heads, *self._first(self._tally(table, [table.c.value], whole, asked.experiment_id), asked.limit)]

    def _first(self, tally: Tally, limit: int) -> Sequence[Any]:
        """The rows of the highest counts, ties by value."""
        *values, count = tally.selected_columns
        rows = tally.order_by(count.desc(), *values).limit(limit)
        return self._database.read(lambda connection: connection.execute(rows).all())


_COUNT: Final = sa.func.count().label("runs")


def _field_of(lead: Lead) -> Field | None:
    return getattr(lead.item, "field", None)


def _is_all_asked(asked: RunQuery, lead: Lead) -> bool:
    """Whether a lead, whose runs all pass, answers the whole question, and gives no run twice."""
    is_open = asked.experiment_id is None and asked.parent_run_id is None and not asked.with_archived
    return is_open and lead.item is asked.node and len(lead.selects) == 1


def _less(lead: Lead, left_out: sa.SelectBase) -> sa.ColumnElement[int]:
    """How many runs a lead leads to, without some few: counted in an index, with no look at a run."""
    select = lead.selects[0]
    (pk,) = select.selected_columns
    few = left_out.subquery("left_out")
    size = sa.select(sa.func.count()).select_from(select.subquery("all_led")).scalar_subquery()
    less = select.where(pk.in_(sa.select(few.c.pk))).subquery("some_led")
    return size - sa.select(sa.func.count()).select_from(less).scalar_subquery()


def _size_of(conditions: Iterable[Condition]) -> sa.ColumnElement[int]:
    conditions = list(conditions)
    return sa.select(sa.func.count()).select_from(with_relatives(run, conditions)).where(*conditions).scalar_subquery()


def _is_counted(*, with_archived: bool = False) -> list[Condition]:
    return [is_shown()] if with_archived else [is_shown(), run.c.archived_us.is_(None)]


def _in_experiment(experiment_id: str | None) -> list[Condition]:
    if experiment_id is None:
        return []
    wanted = sa.select(experiment.c.pk).where(experiment.c.id == experiment_id)
    return [run.c.experiment_pk == wanted.scalar_subquery()]


def _hidden_pks(dialect: Dialect) -> sa.Select[Any]:
    """The runs that are not counted, each kind by its index."""
    kinds = [sa.select(_hidden.c.pk).where(is_hidden) for is_hidden in dialect.hidden(_hidden)]
    return kinds[0] if len(kinds) == 1 else sa.select(sa.union_all(*kinds).subquery("left_out").c.pk)


def _summed(*tallies: Tally) -> Tally:
    rows = sa.union_all(*tallies).subquery("tallies")
    *values, count = rows.c
    total = sa.func.sum(count)
    return sa.select(*values, total.label("runs")).group_by(*values).having(total > 0)


def _beginning(column: sa.ColumnElement[Any], prefix: str) -> list[Condition]:
    return [begins(column, prefix)] if prefix else []


def _value(rank: Rank, value: Any) -> bool | float | str:
    if rank == Rank.TEXT:
        return str(value)
    return bool(value) if rank == Rank.BOOLEAN else float(value)
