"""What a count, a list of keys or a list of values was asked for, checked once for every backend (READ.10, READ.11)."""

from typing import Final, Literal, cast, get_args

import msgspec

from runstore.errors import InvalidValueError, QueryError
from runstore.model import HEALTH_PREFIX
from runstore.query.parser import parse_field
from runstore.query.searches import RunQuery, check_search
from runstore.query.tree import (
    TIME_ATTRIBUTES,
    ArtifactName,
    Attribute,
    Field,
    Metric,
)
from runstore.values.checks import check_limit, check_name, check_text, shown

KeyKind = Literal["config", "metric", "tag"]
"""What has keys of the user's own."""

_KINDS: Final = get_args(KeyKind)
_COUNTED: Final = frozenset({"id", "duration", *TIME_ATTRIBUTES})
"""Attributes that are another for each run: a list of them is a search."""


class KeyQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A checked question for the keys in use.

    Attributes:
        of: keys of what.
        experiment_id: only in runs of this experiment.
        prefix: only keys that begin so; of metrics, their names.
        limit: the most keys.
    """

    of: KeyKind
    experiment_id: str | None
    prefix: str
    limit: int


class ValueQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A checked question for the values of a field.

    Attributes:
        field: the field; never a metric, a time or an id.
        experiment_id: only in runs of this experiment.
        prefix: only texts that begin so; with one, neither numbers nor booleans.
        limit: the most values.
        with_archived: whether archived runs are counted: when the field is ``archived``.
        without: texts that begin so are left out; none where it is empty.
    """

    field: Field
    experiment_id: str | None
    prefix: str
    limit: int
    with_archived: bool
    without: str = ""


def check_count(filter: str | None, *, experiment_id: str | None) -> RunQuery:  # noqa: A002 - the protocol's name
    """The question of :meth:`runstore.protocol.RunReader.count_runs`.

    Raises:
        QueryError: a filter that cannot be understood, or one beyond a bound.
        InvalidValueError: the experiment's id.
    """
    return check_search(filter, experiment_id=experiment_id, order_by=(), limit=1, cursor=None)


def check_keys(of: object, *, experiment_id: object, prefix: object, limit: object) -> KeyQuery:
    """The question of :meth:`runstore.protocol.RunReader.list_keys`.

    Raises:
        InvalidValueError: names the argument.
    """
    if of not in _KINDS:
        raise InvalidValueError(f"of is {shown(of)}; give one of {', '.join(_KINDS)}")
    return KeyQuery(
        of=cast("KeyKind", of),
        experiment_id=_experiment(experiment_id),
        prefix=_prefix(prefix),
        limit=check_limit(limit),
    )


def check_values(field: object, *, experiment_id: object, prefix: object, limit: object) -> ValueQuery:
    """The question of :meth:`runstore.protocol.RunReader.list_values`.

    Raises:
        QueryError: the field is unknown, or one whose values are not counted.
        InvalidValueError: names the argument.
    """
    found = parse_field(field, "field")
    if isinstance(found, Metric) or (isinstance(found, Attribute) and found.name in _COUNTED):
        raise QueryError(
            f"the values of {field!s} are not counted, for nearly every run has its own: search for runs by it, or list "
            "the values of a field such as tag.KEY, config.KEY, status or experiment"
        )
    return ValueQuery(
        field=found,
        experiment_id=_experiment(experiment_id),
        prefix=_prefix(prefix),
        limit=check_limit(limit),
        with_archived=found == Attribute("archived"),
        without=HEALTH_PREFIX if isinstance(found, ArtifactName) else "",
    )


def _experiment(experiment_id: object) -> str | None:
    return None if experiment_id is None else check_name(experiment_id, "experiment_id")


def _prefix(prefix: object) -> str:
    return "" if prefix is None else check_text(prefix, "prefix")
