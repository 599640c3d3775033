"""The field that a filter tests, as it stands in the tables.

A test is given as *ways*: conditions of which one holds where the test does. Each can be answered from an index, and what
joins two of them by OR often cannot.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from runstore.query import NULLABLE_ATTRIBUTES, ArtifactName, Attribute, ConfigKey, Field, Metric, Tag
from runstore_sql.schema.tables import HEAD_LENGTH, artifact, config_leaf, metric, result, series, tag

Condition = sa.ColumnElement[bool]
Ways = list[Condition]

_NUMBER_KINDS: Final = ("int", "float")
_SPELT: Final = frozenset({"null", "true", "false", "nan", "inf"})
_BEGIN_OTHERS: Final = frozenset("-0123456789[{")
"""What config values that are no texts are written as, or begin with."""


class Column:
    """A field's value in the row that is tested. A test of a kind that the value is not of is false."""

    def is_present(self) -> Condition:
        """Whether there is a value."""
        return sa.true()

    def as_number(self, test: Callable[[Any], Condition], infinities: Sequence[int]) -> Ways:
        """``test`` of the finite number, or true for these infinities."""
        raise NotImplementedError

    def as_text(self, test: Callable[[Any], Condition], *, equals: str | None = None) -> Ways:
        """``test`` of the text; ``equals`` when only one text can pass, so that an index serves."""
        raise NotImplementedError

    def begins(self, beginning: str) -> Condition:
        """Whether a text's indexed part fits a beginning; a test of the whole text goes with it."""
        raise NotImplementedError

    def as_boolean(self, test: Callable[[Any], Condition]) -> Ways:
        """``test`` of the boolean as 0 or 1."""
        raise NotImplementedError


class AttributeColumn(Column):
    """The parser has made literals fit the attribute, so there is one kind."""

    def __init__(self, name: str, column: sa.ColumnElement[Any]) -> None:
        self._column = column
        self.is_nullable = name in NULLABLE_ATTRIBUTES

    def is_present(self) -> Condition:
        return self._column.is_not(None) if self.is_nullable else sa.true()

    def as_number(self, test: Callable[[Any], Condition], infinities: Sequence[int]) -> Ways:  # noqa: ARG002 - none
        return [test(self._column)]

    def as_text(self, test: Callable[[Any], Condition], *, equals: str | None = None) -> Ways:  # noqa: ARG002 - whole
        return [test(self._column)]

    def begins(self, beginning: str) -> Condition:
        return begins(self._column, beginning)

    def as_boolean(self, test: Callable[[Any], Condition]) -> Ways:
        return [test(self._column)]


class _TagColumn(Column):
    def as_text(self, test: Callable[[Any], Condition], *, equals: str | None = None) -> Ways:
        if equals is None:
            return [test(tag.c.value)]
        head = tag.c.head == equals[:HEAD_LENGTH]
        return [head if len(equals) < HEAD_LENGTH else sa.and_(head, test(tag.c.value))]

    def begins(self, beginning: str) -> Condition:
        return begins(tag.c.head, beginning[:HEAD_LENGTH])


class _LeafColumn(Column):
    def is_present(self) -> Condition:
        return config_leaf.c.kind != "null"

    def as_number(self, test: Callable[[Any], Condition], infinities: Sequence[int]) -> Ways:
        ways = [sa.and_(config_leaf.c.kind.in_(_NUMBER_KINDS), test(config_leaf.c.number))]
        if infinities:
            is_odd = sa.and_(config_leaf.c.number.is_(None), config_leaf.c.kind.in_(_NUMBER_KINDS))
            ways.append(sa.and_(is_odd, config_leaf.c.special.in_(infinities)))
        return ways

    def as_text(self, test: Callable[[Any], Condition], *, equals: str | None = None) -> Ways:
        is_text = sa.and_(config_leaf.c.kind == "str", test(config_leaf.c.value))
        if equals is None:
            return [is_text]
        head = config_leaf.c.head == equals[:HEAD_LENGTH]
        # The index alone then tells, and the row of each run that matches need not be looked up.
        return [head if len(equals) < HEAD_LENGTH and _is_spelt_by_texts_alone(equals) else sa.and_(head, is_text)]

    def begins(self, beginning: str) -> Condition:
        return begins(config_leaf.c.head, beginning[:HEAD_LENGTH])

    def as_boolean(self, test: Callable[[Any], Condition]) -> Ways:
        return [sa.and_(config_leaf.c.kind == "bool", test(config_leaf.c.number))]


class _StatisticColumn(Column):
    """Of a summary's row, or of the row that keeps the values of one that changes no more."""

    def __init__(self, stat: str, table: sa.FromClause) -> None:
        self._stat = stat
        self._table = table

    def is_present(self) -> Condition:
        if self._stat not in {"min", "max"}:
            return sa.true()
        return self._table.c[f"{self._stat}_value"].is_not(None)

    def as_number(self, test: Callable[[Any], Condition], infinities: Sequence[int]) -> Ways:
        if self._stat == "count":
            return [test(self._table.c["count"])]
        number = self._table.c[f"{self._stat}_value"]
        ways = [test(number)]
        if infinities and self._stat not in {"min", "max"}:
            ways.append(sa.and_(number.is_(None), self._table.c[f"{self._stat}_special"].in_(infinities)))
        return ways


class _NameColumn(Column):
    def as_text(self, test: Callable[[Any], Condition], *, equals: str | None = None) -> Ways:  # noqa: ARG002 - whole
        return [test(artifact.c.name)]

    def begins(self, beginning: str) -> Condition:
        return begins(artifact.c.name, beginning)


def keyed_column(field: Field) -> tuple[sa.Table, Condition, Column]:
    """Where the value of a tag, config key, metric or artifact stands: the table, which rows of a run's, and the value there."""
    match field:
        case Tag(key):
            return tag, tag.c.key == key, _TagColumn()
        case ConfigKey(key):
            return config_leaf, config_leaf.c.key == key, _LeafColumn()
        case Metric(dataset_type, name, stat):
            is_own = sa.and_(series.c.name == name, series.c.dataset_type == dataset_type)
            return series, is_own, _StatisticColumn(stat, series)
        case ArtifactName():
            return artifact, sa.true(), _NameColumn()
        case Attribute(name):
            message = f"the attribute {name} has no key"
            raise TypeError(message)


def statistic_column(stat: str, table: sa.FromClause = result) -> Column:
    """A statistic in the rows of summaries, or of results."""
    return _StatisticColumn(stat, table)


def metric_pk(field: Metric) -> sa.ColumnElement[int]:
    """The key of a metric in :data:`runstore_sql.schema.tables.metric`; -1 where it is not there."""
    found = sa.select(metric.c.pk).where(metric.c.name == field.name, metric.c.dataset_type == field.dataset_type)
    return sa.func.coalesce(found.scalar_subquery(), -1)


def begins(column: sa.ColumnElement[Any], beginning: str) -> Condition:
    """Whether a text begins so, as an index can tell."""
    after = _next_text(beginning)
    return column >= beginning if after is None else sa.and_(column >= beginning, column < after)


def _next_text(beginning: str) -> str | None:
    """The first text behind all that begin so, by code points; ``None`` where there is none."""
    while beginning:
        code = ord(beginning[-1]) + 1
        if code == 0xD800:  # noqa: PLR2004 - no text holds a surrogate
            code = 0xE000
        if code <= 0x10FFFF:  # noqa: PLR2004 - the last code point
            return beginning[:-1] + chr(code)
        beginning = beginning[:-1]
    return None


def _is_spelt_by_texts_alone(text: str) -> bool:
    """Whether no number, boolean, null, list or mapping is written so; see :class:`runstore.values.config.ConfigLeaf`."""
    return text not in _SPELT and text[:1] not in _BEGIN_OTHERS
