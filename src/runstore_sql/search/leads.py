"""By which test the runs of a search are found: the one that an index says few runs pass.

A planner that knows no figures of the tables guesses, and one that knows them cannot tell how many runs a user's value
fits. So each test that an index can answer is asked first how many runs it leads to, up to a bound.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from runstore.query import And, Attribute, Compare, Field, In, Like, Metric, Node, Or, Present, Wildcard, like_tokens
from runstore_sql.dialects.base import Dialect
from runstore_sql.schema.tables import result, run
from runstore_sql.search.columns import AttributeColumn, Condition, Ways, keyed_column, metric_pk, statistic_column
from runstore_sql.search.filters import RELATIVES, Filters, Test, relative_pk

MOST_COUNTED: Final = 5_000
"""Up to so many runs are counted; more are many."""

_led = run.alias("led")
_INDEXED: Final = {"id": _led.c.id, "name": _led.c.name, "status": _led.c.status}


class Lead(NamedTuple):
    """Where the runs are found that may pass a part of a filter.

    Attributes:
        item: the part.
        selects: give keys of runs: together all that pass, and perhaps some that do not.
        is_exact: whether all of these runs pass.
    """

    item: Node
    selects: list[sa.Select[Any]]
    is_exact: bool = False


class Leads:
    """Makes leads for one dialect."""

    def __init__(self, dialect: Dialect, filters: Filters) -> None:
        self._dialect = dialect
        self._filters = filters

    def of(self, node: Node | None) -> list[Lead]:
        """A lead for each part of a filter that every run has to pass and that an index can answer."""
        return [lead for item in conjuncts(node) if (lead := self._of_item(item)) is not None]

    def _of_item(self, node: Node) -> Lead | None:
        match node:
            case And():
                return next(iter(self.of(node)), None)
            case Or(items):
                leads = [self._of_item(item) for item in items]
                found = [lead for lead in leads if lead is not None]
                if len(found) < len(leads):
                    return None
                return Lead(node, [select for lead in found for select in lead.selects])
            case Compare() | In() | Like() | Present():
                return self._of_test(node) if _may_lead(node) else None
            case _:
                return None

    def _of_test(self, test: Test) -> Lead | None:
        field = test.field
        if isinstance(field, Attribute):
            return self._of_attribute(field.name, test)
        if isinstance(field, Metric):
            is_own = result.c.metric_pk == metric_pk(field)
            ways = self._ways(test, statistic_column(field.stat))
            return Lead(test, [*(sa.select(result.c.run_pk).where(is_own, way) for way in ways), self.unsettled()])
        table, is_own, column = keyed_column(field)
        selects = [sa.select(table.c.run_pk).where(is_own, way) for way in self._ways(test, column)]
        return Lead(test, selects, is_exact=not isinstance(test, Like))

    def _of_attribute(self, name: str, test: Test) -> Lead | None:
        if name in RELATIVES:
            key, _, _ = RELATIVES[name]
            if not (isinstance(test, Compare) and test.op == "="):
                return None
            return Lead(test, [sa.select(_led.c.pk).where(_led.c[key.name] == relative_pk(name, test.value))])
        if name == "status":
            return _of_status(test)
        if name not in _INDEXED:
            return None
        column = AttributeColumn(name, _INDEXED[name])
        selects = [sa.select(_led.c.pk).where(way) for way in self._ways(test, column)]
        return Lead(test, selects, is_exact=isinstance(test, (Compare, In)))

    def _ways(self, test: Test, column: Any) -> Ways:
        if isinstance(test, Like):
            return [column.begins(_beginning(test))]
        return self._filters.ways(test, column)

    def unsettled(self) -> sa.Select[Any]:
        """The runs whose values no index has: they are looked through one by one."""
        return sa.select(_led.c.pk).where(self._dialect.is_unsettled(_led))

    def is_unsettled(self) -> Condition:
        """Whether a run is one of those, as a condition that leads to them."""
        # A planner that knows how few they are begins with them; any other has to be given a set of keys to begin with.
        return self._dialect.is_unsettled(run) if self._dialect.hashes_sets else run.c.pk.in_(self.unsettled())


def pks_of(lead: Lead) -> sa.Select[Any]:
    """The runs of a lead; one may come twice."""
    if len(lead.selects) == 1:
        return lead.selects[0]
    rows = sa.union_all(*lead.selects).subquery("lead")
    return sa.select(next(iter(rows.c)))


def counted(lead: Lead, most: int = MOST_COUNTED) -> sa.ColumnElement[int]:
    """How many keys a lead gives; of each of its selects up to a bound, for not every server stops early at a union."""
    found = size_of_few(lead.selects[0], most)
    for select in lead.selects[1:]:
        found += size_of_few(select, most)
    return found


def size_of_few(keys: sa.Select[Any], most: int = MOST_COUNTED) -> sa.ColumnElement[int]:
    """How many keys a select gives, up to a bound."""
    rows = keys.limit(most).subquery()
    return sa.select(sa.func.count()).select_from(rows).scalar_subquery()


def conjuncts(node: Node | None) -> Iterator[Node]:
    """The parts of a filter that every run has to pass."""
    if isinstance(node, And):
        for item in node.items:
            yield from conjuncts(item)
    elif node is not None:
        yield node


def bounds(node: Node | None, field: Field) -> list[Compare | In]:
    """The tests of a filter that keep an index on the values of this field to a part of it."""
    return [
        item for item in conjuncts(node) if isinstance(item, Compare | In) and item.field == field and _may_lead(item)
    ]


def metric_tests(node: Node | None) -> Iterator[tuple[Test, Metric]]:
    """The tests of a filter that only runs with a certain value of a metric pass."""
    for item in conjuncts(node):
        if not isinstance(item, Compare | In | Present) or getattr(item, "negated", False):
            continue
        if isinstance(item.field, Metric):
            yield item, item.field


def names(node: Node | None, field: Field) -> bool:
    """Whether only runs that have a value of this field can pass."""
    return any(
        isinstance(item, Compare | In | Like | Present) and item.field == field and not getattr(item, "negated", False)
        for item in conjuncts(node)
    )


def _may_lead(test: Test) -> bool:
    match test:
        case Compare(_, op, _):
            return op != "!="
        case Like():
            return not test.negated and bool(_beginning(test))
        case _:
            return not test.negated


def _beginning(test: Like) -> str:
    """The literal text that a pattern begins with."""
    tokens = like_tokens(test.pattern)
    return tokens[0] if tokens and not isinstance(tokens[0], Wildcard) else ""


def _of_status(test: Test) -> Lead | None:
    """By the stored status, of which ``lost`` is one that goes on."""
    if isinstance(test, Compare) and test.op == "=":
        wanted = {str(test.value)}
    elif isinstance(test, In):
        wanted = {str(value) for value in test.values}
    else:
        return None
    stored = sorted({"in_progress" if status == "lost" else status for status in wanted})
    return Lead(test, [sa.select(_led.c.pk).where(_led.c.status.in_(stored))])
