"""The filter tree as SQL conditions; every text and number of the user's is a bound parameter (READ.1-2, READ.5).

A condition on a tag, a config key, a metric or an artifact asks of each run whether a row of its own passes. All conditions
are two-valued: NULL never leaves one, so NOT is the plain complement. Which runs are looked at is decided elsewhere
(:mod:`runstore_sql.search.leads`).
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.elements import Grouping

from runstore.query import (
    And,
    Attribute,
    Compare,
    In,
    Like,
    Literal,
    Metric,
    Node,
    Not,
    Or,
    Present,
)
from runstore_sql.dialects.base import Dialect
from runstore_sql.metrics.numbers import NEGATIVE_INFINITY, POSITIVE_INFINITY
from runstore_sql.schema.leases import status_now
from runstore_sql.schema.tables import experiment, parent, result, run
from runstore_sql.search.columns import (
    AttributeColumn,
    Column,
    Condition,
    Ways,
    keyed_column,
    metric_pk,
    statistic_column,
)

Test = Compare | In | Like | Present

_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}
_INFINITIES: Final = {
    "=": (),
    "!=": (POSITIVE_INFINITY, NEGATIVE_INFINITY),
    "<": (NEGATIVE_INFINITY,),
    "<=": (NEGATIVE_INFINITY,),
    ">": (POSITIVE_INFINITY,),
    ">=": (POSITIVE_INFINITY,),
}

_relative = run.alias("relative")

RELATIVES: Final[dict[str, tuple[sa.ColumnElement[Any], sa.ColumnElement[Any], sa.ColumnElement[Any]]]] = {
    "experiment": (run.c.experiment_pk, experiment.c.pk, experiment.c.name),
    "experiment_id": (run.c.experiment_pk, experiment.c.pk, experiment.c.id),
    "parent_run_id": (run.c.parent_pk, _relative.c.pk, _relative.c.id),
}
"""Attributes that are another row's: the run's column that holds its key, that key, and the value there."""


def relative_pk(name: str, value: object) -> sa.ColumnElement[int]:
    """The key of the one row that has this value of an attribute in :data:`RELATIVES`; -1 where there is none."""
    _, pk, column = RELATIVES[name]
    return sa.func.coalesce(sa.select(pk).where(column == value).scalar_subquery(), -1)


class Filters:
    """Translates for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.attributes: dict[str, sa.ColumnElement[Any]] = {
            "id": run.c.id,
            "name": run.c.name,
            "note": run.c.note,
            "status": status_now(dialect.now_us),
            "training_mode": run.c.training_mode,
            "parent_run_id": parent.c.id,
            "client_id": run.c.client_id,
            "source_path": run.c.source_path,
            "experiment": experiment.c.name,
            "experiment_id": experiment.c.id,
            "attempt": run.c.attempt,
            "start_time": run.c.start_us,
            "end_time": run.c.end_us,
            "duration": dialect.as_double(run.c.end_us - run.c.start_us) / sa.literal(1e6, sa.Double),
            "archived": sa.case((run.c.archived_us.is_(None), 0), else_=1),
        }

    def condition(self, node: Node) -> Condition:
        """Whether a run, joined to its experiment and to :data:`parent`, matches."""
        match node:
            case And(items):
                return Grouping(sa.and_(*map(self.condition, items)))
            case Or(items):
                return Grouping(sa.or_(*map(self.condition, items)))
            case Not(item):
                return sa.not_(self.condition(item).self_group())
            case Present(field, negated=True):
                return sa.not_(self._test(Present(field, negated=False)))
            case _:
                return self._test(node)

    def _test(self, test: Test) -> Condition:
        """A test of a field, false where the run lacks it."""
        field = test.field
        if not isinstance(field, Attribute):
            found = self._among(test, *keyed_column(field))
            if isinstance(field, Metric):  # the rows of settled runs are shorter, and lie by their key
                is_own = result.c.metric_pk == metric_pk(field)
                settled = self._among(test, result, is_own, statistic_column(field.stat))
                return sa.case((self._dialect.is_settled(run), settled), else_=found).is_not(None)
            return found.is_not(None)
        if field.name in RELATIVES and isinstance(test, Compare) and test.op == "=":
            key, _, _ = RELATIVES[field.name]
            return sa.and_(key.is_not(None), key == relative_pk(field.name, test.value))
        own = AttributeColumn(field.name, self.attributes[field.name])
        found_own = sa.or_(*self.ways(test, own))
        return sa.and_(own.is_present(), found_own) if own.is_nullable else found_own

    def _among(self, test: Test, table: sa.Table, is_own: Condition, column: Column) -> sa.ScalarSelect[Any]:
        """Not NULL if a test holds of a run's own row in a table."""
        # With a limit, or a planner reads the rows of all runs to answer for the few that are asked about.
        found: sa.Select[Any] = sa.select(sa.literal_column("1")).where(table.c.run_pk == run.c.pk, is_own)
        found = found.where(sa.or_(*self.ways(test, column))).limit(sa.literal_column("1"))
        return found.correlate(run).scalar_subquery()

    def ways(self, test: Test, column: Column) -> Ways:
        """A test of a column as conditions of which one must hold; a :class:`Present` without its negation."""
        match test:
            case Compare(_, op, value):
                return _compare(column, op, value)
            case In(_, values, negated):
                return _is_in(column, values, negated=negated)
            case Like(_, pattern, negated):
                return self._is_like(column, pattern, negated=negated)
            case Present():
                return [column.is_present()]

    def _is_like(self, column: Column, pattern: str, *, negated: bool) -> Ways:
        def test(text: sa.ColumnElement[Any]) -> Condition:
            found = self._dialect.is_like(text, pattern)
            return sa.not_(found) if negated else found

        return column.as_text(test)


def _compare(column: Column, op: str, value: Literal) -> Ways:
    operator = _OPERATORS[op]
    if isinstance(value, bool):
        return column.as_boolean(lambda found: operator(found, float(value)))
    if isinstance(value, str):
        return column.as_text(lambda found: operator(found, value), equals=value if op == "=" else None)
    return column.as_number(lambda found: operator(found, value), _INFINITIES[op])


def _is_in(column: Column, values: Sequence[Literal], *, negated: bool) -> Ways:
    """Membership, kind by kind: a value is compared with the literals of its own kind only."""
    booleans = [float(value) for value in values if isinstance(value, bool)]
    texts = [value for value in values if isinstance(value, str)]
    numbers = [value for value in values if not isinstance(value, (bool, str))]

    def among(wanted: Sequence[Any]) -> Callable[[Any], Condition]:
        return lambda found: found.not_in(wanted) if negated else found.in_(wanted)

    ways: Ways = []
    if booleans:
        ways += column.as_boolean(among(booleans))
    if texts:
        ways += column.as_text(among(texts))
    if numbers:
        ways += column.as_number(among(numbers), _INFINITIES["!="] if negated else ())
    return ways
