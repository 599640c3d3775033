"""The filter tree as SQL conditions; every text and number of the user's is a bound parameter (READ.1-2, READ.5).

A condition on a tag, a config key or a metric reads ``run.pk IN (SELECT run_pk ...)``, which every planner drives from
the index on the key. All conditions are two-valued: NULL never leaves one, so NOT is the plain complement.
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.elements import Grouping

from runstore.query import (
    And,
    Attribute,
    Compare,
    Field,
    In,
    Like,
    Literal,
    Node,
    Not,
    Or,
    Present,
    tests_in,
)
from runstore_sql.dialects.base import Dialect
from runstore_sql.metrics.numbers import NEGATIVE_INFINITY, POSITIVE_INFINITY
from runstore_sql.schema.leases import status_now
from runstore_sql.schema.tables import experiment, parent, run
from runstore_sql.search.columns import AttributeColumn, Column, Condition, keyed_column

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


class Filters:
    """Translates for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.attributes: dict[str, sa.ColumnElement[Any]] = {
            "id": run.c.id,
            "name": run.c.name,
            "status": status_now(dialect.now_us),
            "training_mode": run.c.training_mode,
            "parent_run_id": parent.c.id,
            "client_id": run.c.client_id,
            "source_path": run.c.source_path,
            "experiment_id": experiment.c.id,
            "attempt": run.c.attempt,
            "start_time": run.c.start_us,
            "end_time": run.c.end_us,
        }

    def condition(self, node: Node, *, joins: int = 0) -> Condition:
        """Whether a run, joined to its experiment and to :data:`parent`, matches.

        Args:
            node: the filter.
            joins: how many more tables the query joins, as for its order.
        """
        most, joined = self._dialect.most_joined, None
        if most is not None:
            room = max(most - joins, 1)  # one, for it may lead to few runs by its index
            tests = [test for test in tests_in(node) if not isinstance(test.field, Attribute)]
            if len(tests) > room:
                joined = {id(test) for test in sorted(tests, key=_is_broad)[:room]}
        return self._condition(node, joined)

    def _condition(self, node: Node, joined: AbstractSet[int] | None) -> Condition:  # noqa: PLR0911 - one return a kind of node
        """As :meth:`condition`; of the tests of keys only those of these ids may become joins, or all."""
        is_apart = joined is not None and id(node) not in joined
        match node:
            case And(items):
                return Grouping(sa.and_(*(self._condition(item, joined) for item in items)))
            case Or(items):
                return Grouping(sa.or_(*(self._condition(item, joined) for item in items)))
            case Not(item):
                return sa.not_(self._condition(item, joined).self_group())
            case Compare(field, op, value):
                return self._where(field, is_apart, lambda column: _compare(column, op, value))
            case In(field, values, negated):
                return self._where(field, is_apart, lambda column: _is_in(column, values, negated=negated))
            case Like(field, pattern, negated):
                return self._where(field, is_apart, lambda column: self._is_like(column, pattern, negated=negated))
            case Present(field, negated):
                found = self._where(field, is_apart, lambda column: column.is_present())
                return sa.not_(found) if negated else found

    def _where(self, field: Field, is_apart: bool, test: "Callable[[Column], Condition]") -> Condition:  # noqa: FBT001 - one caller
        """A test of a field, false where the run lacks it."""
        if isinstance(field, Attribute):
            own = AttributeColumn(field.name, self.attributes[field.name])
            return sa.and_(own.is_present(), test(own)) if own.is_nullable else test(own)
        table, is_own, column = keyed_column(field)
        if is_apart:  # IS true, or the planner would make a join of it all the same
            of_run = table.c.run_pk == run.c.pk
            return sa.exists().where(of_run, is_own, test(column)).correlate(run).is_(sa.true())
        return run.c.pk.in_(sa.select(table.c.run_pk).where(is_own, test(column)))

    def _is_like(self, column: Column, pattern: str, *, negated: bool) -> Condition:
        def test(text: sa.ColumnElement[Any]) -> Condition:
            found = self._dialect.is_like(text, pattern)
            return sa.not_(found) if negated else found

        return column.as_text(test)


def _is_broad(test: Node) -> bool:
    """Whether likely many runs pass: those that few pass are better joined, for an index then leads to the runs."""
    return not (isinstance(test, Compare) and test.op == "=")


def _compare(column: Column, op: str, value: Literal) -> Condition:
    operator = _OPERATORS[op]
    if isinstance(value, bool):
        return column.as_boolean(lambda found: operator(found, float(value)))
    if isinstance(value, str):
        return column.as_text(lambda found: operator(found, value), equals=value if op == "=" else None)
    return column.as_number(lambda found: operator(found, value), _INFINITIES[op])


def _is_in(column: Column, values: Sequence[Literal], *, negated: bool) -> Condition:
    """Membership, kind by kind: a value is compared with the literals of its own kind only."""
    booleans = [float(value) for value in values if isinstance(value, bool)]
    texts = [value for value in values if isinstance(value, str)]
    numbers = [value for value in values if not isinstance(value, (bool, str))]

    def among(wanted: Sequence[Any]) -> Callable[[Any], Condition]:
        return lambda found: found.not_in(wanted) if negated else found.in_(wanted)

    tests = []
    if booleans:
        tests.append(column.as_boolean(among(booleans)))
    if texts:
        tests.append(column.as_text(among(texts)))
    if numbers:
        tests.append(column.as_number(among(numbers), _INFINITIES["!="] if negated else ()))
    return sa.or_(*tests)
