"""The field that a filter tests, as it stands in the tables."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from runstore.query import NULLABLE_ATTRIBUTES, ArtifactName, Attribute, ConfigKey, Field, Metric, Tag
from runstore_sql.schema.tables import HEAD_LENGTH, config_leaf, series, tag

Condition = sa.ColumnElement[bool]

_NUMBER_KINDS: Final = ("int", "float")
_SPELT: Final = frozenset({"null", "true", "false", "nan", "inf"})
_BEGIN_OTHERS: Final = frozenset("-0123456789[{")
"""What config values that are no texts are written as, or begin with."""


class Column:
    """A field's value in the row that is tested. A test of a kind that the value is not of is false."""

    def is_present(self) -> Condition:
        """Whether there is a value."""
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


class AttributeColumn(Column):
    """The parser has made literals fit the attribute, so there is one kind."""

    def __init__(self, name: str, column: sa.ColumnElement[Any]) -> None:
        self._column = column
        self.is_nullable = name in NULLABLE_ATTRIBUTES

    def is_present(self) -> Condition:
        return self._column.is_not(None) if self.is_nullable else sa.true()

    def as_number(self, test: Callable[[Any], Condition], infinities: Sequence[int]) -> Condition:  # noqa: ARG002 - none
        return test(self._column)

    def as_text(self, test: Callable[[Any], Condition], *, equals: str | None = None) -> Condition:  # noqa: ARG002 - whole
        return test(self._column)


class _TagColumn(Column):
    def as_text(self, test: Callable[[Any], Condition], *, equals: str | None = None) -> Condition:
        if equals is None:
            return test(tag.c.value)
        head = tag.c.head == equals[:HEAD_LENGTH]
        return head if len(equals) < HEAD_LENGTH else sa.and_(head, test(tag.c.value))


class _LeafColumn(Column):
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


class _StatisticColumn(Column):
    def __init__(self, stat: str) -> None:
        self._stat = stat

    def is_present(self) -> Condition:
        return series.c[f"{self._stat}_step"].is_not(None) if self._stat in {"min", "max"} else sa.true()

    def as_number(self, test: Callable[[Any], Condition], infinities: Sequence[int]) -> Condition:
        if self._stat == "count":
            return test(series.c["count"])
        return _number_test(series.c[f"{self._stat}_value"], series.c[f"{self._stat}_special"], test, infinities)


def keyed_column(field: Field) -> tuple[sa.Table, Condition, Column]:
    """Where the value of a tag, config key or metric stands: the table, which row of a run's, and the value there."""
    match field:
        case Tag(key):
            return tag, tag.c.key == key, _TagColumn()
        case ConfigKey(key):
            return config_leaf, config_leaf.c.key == key, _LeafColumn()
        case Metric(dataset_type, name, stat):
            return series, sa.and_(series.c.name == name, series.c.dataset_type == dataset_type), _StatisticColumn(stat)
        case Attribute() | ArtifactName():
            message = f"{field} has no key"
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
