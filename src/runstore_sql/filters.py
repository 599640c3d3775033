"""The filter tree as SQL conditions; every text and number of the user's is a bound parameter (READ.1-2, READ.5).

A condition on a tag, a config key or a metric reads ``run.pk IN (SELECT run_pk ...)``, which every planner drives from
the index on the key. All conditions are two-valued: NULL never leaves one, so NOT is the plain complement.
"""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.elements import Grouping

from runstore.query.patterns import Wildcard, like_tokens
from runstore.query.tree import (
    And,
    Attribute,
    Compare,
    ConfigKey,
    Field,
    In,
    Like,
    Literal,
    Metric,
    Node,
    Not,
    Or,
    Present,
    Tag,
)
from runstore_sql.numbers import NEGATIVE_INFINITY, POSITIVE_INFINITY
from runstore_sql.schema import config_leaf, experiment, run, series, tag

Condition = sa.ColumnElement[bool]

HEAD_LENGTH: Final = 64
"""Characters of a text that its index holds."""

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
_JOINED: Final = 4
"""Tests of keys that PostgreSQL may plan as joins. It weighs all their orders: 20 take it seconds, 50 half a minute. Of
more than these, the rest is looked up for each run that the others leave."""
_NUMBER_KINDS: Final = ("int", "float")
_SPELT: Final = frozenset({"null", "true", "false", "nan", "inf"})
_BEGIN_OTHERS: Final = frozenset("-0123456789[{")
"""What config values that are no texts are written as, or begin with."""

parent = run.alias("parent")


def status_now(now_us: str) -> sa.ColumnElement[str]:
    """A run's status as readers see it: ``lost`` once its lease has run out by the database's clock (FIN.6)."""
    is_lost = sa.and_(run.c.status == "in_progress", run.c.expires_us < sa.literal_column(now_us))
    return sa.case((is_lost, sa.literal("lost")), else_=run.c.status)


class Filters:
    """Translates for one dialect."""

    def __init__(self, dialect: str, now_us: str) -> None:
        """Takes the dialect's name and its SQL for the clock."""
        self._dialect = dialect
        self.attributes: dict[str, sa.ColumnElement[Any]] = {
            "id": run.c.id,
            "name": run.c.name,
            "status": status_now(now_us),
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
        joined = None
        room = max(_JOINED - joins, 1)  # one, for it may lead to few runs by its index
        if self._dialect == "postgresql" and len(tests := list(_keyed_tests(node))) > room:
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
                return self._where(field, is_apart, lambda column: _compared(column, op, value))
            case In(field, values, negated):
                return self._where(field, is_apart, lambda column: _is_in(column, values, negated=negated))
            case Like(field, pattern, negated):
                return self._where(field, is_apart, lambda column: self._is_like(column, pattern, negated=negated))
            case Present(field, negated):
                found = self._where(field, is_apart, lambda column: column.is_present())
                return sa.not_(found) if negated else found

    def _where(self, field: Field, is_apart: bool, test: "Callable[[_Column], Condition]") -> Condition:  # noqa: FBT001 - one caller
        """A test of a field, false where the run lacks it."""
        if isinstance(field, Attribute):
            own = _AttributeColumn(field.name, self.attributes[field.name])
            return sa.and_(own.is_present(), test(own)) if own.is_nullable else test(own)
        table, identity, column = keyed_column(field)
        if is_apart:  # IS true, or the planner would make a join of it all the same
            of_run = table.c.run_pk == run.c.pk
            return sa.exists().where(of_run, identity, test(column)).correlate(run).is_(sa.true())
        return run.c.pk.in_(sa.select(table.c.run_pk).where(identity, test(column)))

    def _is_like(self, column: "_Column", pattern: str, *, negated: bool) -> Condition:
        def test(text: sa.ColumnElement[Any]) -> Condition:
            if self._dialect == "sqlite":
                # LIKE takes "A" for "a", and GLOB takes U+FFFE and U+FFFF for U+FFFD.
                found: Condition = sa.func.runstore_like(pattern, text, type_=sa.Boolean) == sa.literal_column("1")
            else:
                found = text.like(like_pattern(pattern), escape="!")
            return sa.not_(found) if negated else found

        return column.as_text(test)


def _keyed_tests(node: Node) -> Iterable[Node]:
    """The tests of tags, config keys and metrics."""
    match node:
        case And(items) | Or(items):
            for item in items:
                yield from _keyed_tests(item)
        case Not(item):
            yield from _keyed_tests(item)
        case _ if not isinstance(node.field, Attribute):
            yield node


def _is_broad(test: Node) -> bool:
    """Whether likely many runs pass: those that few pass are better joined, for an index then leads to the runs."""
    return not (isinstance(test, Compare) and test.op == "=")


def like_pattern(pattern: str) -> str:
    """A pattern of ours as LIKE takes it, with ``!`` before what it takes for a wildcard."""
    return "".join(
        token.value
        if isinstance(token, Wildcard)
        else "".join(f"!{character}" if character in "%_!" else character for character in token)
        for token in like_tokens(pattern)
    )


class _Column:
    """A field's value in the row that is tested. A test of a kind that the value is not of is false."""

    def is_present(self) -> Condition:
        return sa.true()

    def as_number(self, test: Callable[[Any], Condition], infinities: Sequence[int]) -> Condition:
        """``test`` of the finite number, or true for these infinities."""
        raise NotImplementedError

    def as_text(self, test: Callable[[Any], Condition], *, equals: str | None = None) -> Condition:
        """``test`` of the text; ``equals`` when only one text can pass, so that an index serves."""
        raise NotImplementedError

    def as_boolean(self, test: Callable[[Any], Condition]) -> Condition:
        """``test`` of the boolean as 0 or 1."""
        raise NotImplementedError


class _AttributeColumn(_Column):
    """The parser has made literals fit the attribute, so there is one kind."""

    def __init__(self, name: str, column: sa.ColumnElement[Any]) -> None:
        self._column = column
        self.is_nullable = name in {"name", "parent_run_id", "client_id", "source_path", "end_time"}

    def is_present(self) -> Condition:
        return self._column.is_not(None) if self.is_nullable else sa.true()

    def as_number(self, test: Callable[[Any], Condition], infinities: Sequence[int]) -> Condition:  # noqa: ARG002 - none
        return test(self._column)

    def as_text(self, test: Callable[[Any], Condition], *, equals: str | None = None) -> Condition:  # noqa: ARG002 - whole
        return test(self._column)


class _TagColumn(_Column):
    def as_text(self, test: Callable[[Any], Condition], *, equals: str | None = None) -> Condition:
        if equals is None:
            return test(tag.c.value)
        head = tag.c.head == equals[:HEAD_LENGTH]
        return head if len(equals) < HEAD_LENGTH else sa.and_(head, test(tag.c.value))


class _LeafColumn(_Column):
    def is_present(self) -> Condition:
        return config_leaf.c.kind != "null"

    def as_number(self, test: Callable[[Any], Condition], infinities: Sequence[int]) -> Condition:
        return sa.and_(
            config_leaf.c.kind.in_(_NUMBER_KINDS),
            _number_test(config_leaf.c.number, config_leaf.c.special, test, infinities),
        )

    def as_text(self, test: Callable[[Any], Condition], *, equals: str | None = None) -> Condition:
        is_text = sa.and_(config_leaf.c.kind == "str", test(config_leaf.c.value))
        if equals is None:
            return is_text
        head = config_leaf.c.head == equals[:HEAD_LENGTH]
        # The index alone then tells, and the row of each run that matches need not be looked up.
        return head if len(equals) < HEAD_LENGTH and _is_spelt_by_texts_alone(equals) else sa.and_(head, is_text)

    def as_boolean(self, test: Callable[[Any], Condition]) -> Condition:
        return sa.and_(config_leaf.c.kind == "bool", test(config_leaf.c.number))


class _StatisticColumn(_Column):
    def __init__(self, stat: str) -> None:
        self._stat = stat

    def is_present(self) -> Condition:
        return series.c[f"{self._stat}_step"].is_not(None) if self._stat in {"min", "max"} else sa.true()

    def as_number(self, test: Callable[[Any], Condition], infinities: Sequence[int]) -> Condition:
        if self._stat == "count":
            return test(series.c["count"])
        return _number_test(series.c[f"{self._stat}_value"], series.c[f"{self._stat}_special"], test, infinities)


def keyed_column(field: Field) -> tuple[sa.Table, Condition, _Column]:
    """Where the value of a tag, config key or metric stands: the table, which row of a run's, and the value there."""
    match field:
        case Tag(key):
            return tag, tag.c.key == key, _TagColumn()
        case ConfigKey(key):
            return config_leaf, config_leaf.c.key == key, _LeafColumn()
        case Metric(dataset_type, name, stat):
            return series, sa.and_(series.c.name == name, series.c.dataset_type == dataset_type), _StatisticColumn(stat)
        case Attribute(name):
            message = f"the attribute {name} has no key"
            raise TypeError(message)


def _is_spelt_by_texts_alone(text: str) -> bool:
    """Whether no number, boolean, null, list or mapping is written so; see :class:`runstore.values.config.ConfigLeaf`."""
    return text not in _SPELT and text[:1] not in _BEGIN_OTHERS


def _number_test(
    number: sa.ColumnElement[Any],
    special: sa.ColumnElement[Any],
    test: Callable[[Any], Condition],
    infinities: Sequence[int],
) -> Condition:
    finite = sa.and_(number.is_not(None), test(number))
    return sa.or_(finite, special.in_(infinities)) if infinities else finite


def _compared(column: _Column, op: str, value: Literal) -> Condition:
    operator = _OPERATORS[op]
    if isinstance(value, bool):
        return column.as_boolean(lambda found: operator(found, float(value)))
    if isinstance(value, str):
        return column.as_text(lambda found: operator(found, value), equals=value if op == "=" else None)
    return column.as_number(lambda found: operator(found, value), _INFINITIES[op])


def _is_in(column: _Column, values: Sequence[Literal], *, negated: bool) -> Condition:
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
