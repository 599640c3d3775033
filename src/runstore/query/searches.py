"""What a page of runs or experiments was asked for, checked once for every backend (READ.7, READ.8).

A backend hands the arguments of ``search_runs``, ``list_children`` and ``list_experiments`` to :func:`check_search`,
:func:`check_children` and :func:`check_experiments`, answers what it gets back, and makes the next cursor with it. So
no argument reaches a database unchecked, and the same mistake is the same error everywhere.

A cursor is base64 of a digest and of the place where the page ended, as JSON. The digest tells a cursor that was
changed, or that belongs to another query; it is no secret. The place is checked by type and range as well.
"""

import base64
import binascii
import hashlib
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from runstore.errors import QueryError
from runstore.model import to_microseconds
from runstore.query.parser import parse_filter, parse_order
from runstore.query.tree import (
    BOOLEAN_ATTRIBUTES,
    MAX_SORTED_LENGTH,
    NULLABLE_ATTRIBUTES,
    TEXT_ATTRIBUTES,
    TIME_ATTRIBUTES,
    Attribute,
    Field,
    Metric,
    Node,
    Order,
    Rank,
    Tag,
    tests_in,
)
from runstore.values.checks import check_limit, check_name, check_run_id, check_text, shown

PlaceValue = bool | int | float | str
Place = Sequence[tuple[int, PlaceValue]]
"""Where a run stands in an ordering: rank and value for each term, for its start time and for its id."""

MAX_CURSOR_LENGTH: Final = 4 * 2**20
"""Characters of a cursor; the longest that we give holds ten sorted texts of 65,535 characters."""

_DIGEST_BYTES: Final = 12
_PLACE: Final = msgspec.json.Decoder(list[tuple[int, bool | int | float | str]])
_NAME: Final = msgspec.json.Decoder(str)
_FIRST_US: Final = to_microseconds(datetime.min.replace(tzinfo=UTC))
_LAST_US: Final = to_microseconds(datetime.max.replace(tzinfo=UTC))


class RunQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A checked question for a page of runs.

    Attributes:
        node: the filter, or ``None`` for every run.
        orders: the terms of the ordering, without the start time and the id that end each ordering.
        experiment_id: only runs of this experiment.
        parent_run_id: only the children of this run.
        with_archived: whether archived runs are among them: when the filter names ``archived``.
        limit: the most runs of the page.
        after: the place that the page begins strictly behind; ``None`` for the first page.
        key: what all pages of this question have in common.
    """

    node: Node | None = None
    orders: tuple[Order, ...] = ()
    experiment_id: str | None = None
    parent_run_id: str | None = None
    with_archived: bool = False
    limit: int
    after: Place | None = None
    key: str

    def cursor_after(self, place: Sequence[Sequence[Any]]) -> str:
        """The cursor of a page whose last run stands at this place."""
        fields = (*(order.field for order in self.orders), *_TIES)
        plain = [_canonical(field, *pair) for field, pair in zip(fields, place, strict=True)]
        return encode_cursor(self.key, msgspec.json.encode(plain))


class ExperimentQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A checked question for a page of experiments.

    Attributes:
        limit: the most experiments of the page.
        after: the name that the page begins strictly behind; ``None`` for the first page.
    """

    limit: int
    after: str | None

    def cursor_after(self, name: str) -> str:
        """The cursor of a page whose last experiment has this name."""
        return encode_cursor(_EXPERIMENTS, msgspec.json.encode(name))


_TIES: Final[tuple[Field, Field]] = (Attribute("start_time"), Attribute("id"))
_ARCHIVED: Final = Attribute("archived")
_EXPERIMENTS: Final = "experiments"


def check_search(
    filter: str | None,  # noqa: A002 - the protocol's name
    *,
    experiment_id: str | None,
    order_by: Sequence[str],
    limit: int,
    cursor: str | None,
) -> RunQuery:
    """The question of :meth:`runstore.protocol.RunReader.search_runs`.

    Raises:
        QueryError: a filter, an order or a cursor that cannot be understood, or one beyond a bound.
        InvalidValueError: the experiment's id or the limit.
    """
    node, orders = parse_filter(filter), parse_order(order_by)
    if experiment_id is not None:
        experiment_id = check_name(experiment_id, "experiment_id")
    # The text of the tree, for 1, 1.0 and True are equal, and three different questions.
    key = repr(("runs", node, orders, experiment_id))
    return RunQuery(
        node=node,
        orders=orders,
        experiment_id=experiment_id,
        with_archived=names_archived(node),
        limit=check_limit(limit),
        after=_place_of(cursor, key=key, orders=orders),
        key=key,
    )


def names_archived(node: Node | None) -> bool:
    """Whether a filter says which it wants, archived runs or others; without a word, archived ones are left out."""
    return node is not None and any(test.field == _ARCHIVED for test in tests_in(node))


def check_children(run_id: str, *, limit: int, cursor: str | None) -> RunQuery:
    """The question of :meth:`runstore.protocol.RunReader.list_children`.

    Raises:
        QueryError: the cursor does not belong to this list.
        InvalidValueError: the run's id or the limit.
    """
    run_id = check_run_id(run_id)
    key = repr(("children", run_id))
    after = _place_of(cursor, key=key, orders=())
    return RunQuery(parent_run_id=run_id, limit=check_limit(limit), after=after, key=key)


def check_experiments(*, limit: int, cursor: str | None) -> ExperimentQuery:
    """The question of :meth:`runstore.protocol.RunReader.list_experiments`.

    Raises:
        QueryError: the cursor does not belong to this list.
        InvalidValueError: the limit.
    """
    limit = check_limit(limit)
    if cursor is None:
        return ExperimentQuery(limit=limit, after=None)
    try:
        name = check_name(_NAME.decode(decode_cursor(_EXPERIMENTS, cursor)), "cursor")
    except (msgspec.DecodeError, ValueError):
        raise no_cursor(cursor) from None
    return ExperimentQuery(limit=limit, after=name)


def encode_cursor(key: str, body: bytes) -> str:
    """An opaque cursor around the JSON of a place."""
    return base64.urlsafe_b64encode(_digest(key, body) + body).decode()


def decode_cursor(key: str, cursor: object) -> bytes:
    """What stands in a cursor of this query.

    Raises:
        QueryError: it is malformed or belongs to another query.
    """
    if not isinstance(cursor, str) or len(cursor) > MAX_CURSOR_LENGTH:
        raise no_cursor(cursor)
    try:
        content = base64.b64decode(cursor, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):  # no base64, or not even ASCII
        raise no_cursor(cursor) from None
    digest, body = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if digest != _digest(key, body):
        raise no_cursor(cursor)
    return body


def _digest(key: str, body: bytes) -> bytes:
    return hashlib.sha256(key.encode(errors="backslashreplace") + b"\0" + body).digest()[:_DIGEST_BYTES]


def no_cursor(cursor: object) -> QueryError:
    """The error for a cursor that is none of this query's."""
    return QueryError(
        f"cursor {shown(cursor)} does not belong to this query; pass next_cursor of the previous page unchanged, with the "
        "same filter, order_by and experiment_id, or None for the first page"
    )


def _place_of(cursor: object, *, key: str, orders: Sequence[Order]) -> Place | None:
    if cursor is None:
        return None
    fields = (*(order.field for order in orders), *_TIES)
    try:
        pairs = _PLACE.decode(decode_cursor(key, cursor))
        if len(pairs) == len(fields) and all(map(_fits, fields, pairs)):
            return [_canonical(field, *pair) for field, pair in zip(fields, pairs, strict=True)]
    except (msgspec.DecodeError, ValueError, OverflowError):
        pass
    raise no_cursor(cursor)


def _canonical(field: Field, rank: int, value: Any) -> tuple[int, PlaceValue]:
    """Rank and value as every backend writes and reads them."""
    match rank:
        case Rank.NUMBER:
            return rank, int(value) if _is_time(field) else float(value)
        case Rank.TEXT:
            return rank, str(value)
        case Rank.BOOLEAN:
            return rank, bool(value)
        case _:
            return int(rank), 0


def _fits(field: Field, pair: tuple[int, Any]) -> bool:
    """Whether a value of the field can have this place."""
    rank, value = pair
    if rank not in _ranks_of(field):
        return False
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    match rank:
        case Rank.NUMBER if _is_time(field):
            return isinstance(value, int) and is_number and _FIRST_US <= value <= _LAST_US
        case Rank.NUMBER:
            return is_number and math.isfinite(value)
        case Rank.TEXT:
            return isinstance(value, str) and check_text(value, "cursor", max_length=MAX_SORTED_LENGTH) == value
        case Rank.BOOLEAN:
            return isinstance(value, bool)
        case _:
            return is_number and value == 0


def _is_time(field: Field) -> bool:
    return isinstance(field, Attribute) and field.name in TIME_ATTRIBUTES


def _ranks_of(field: Field) -> frozenset[int]:
    """The ranks that values of a field can have."""
    match field:
        case Attribute(name):
            own = Rank.TEXT if name in TEXT_ATTRIBUTES else Rank.BOOLEAN if name in BOOLEAN_ATTRIBUTES else Rank.NUMBER
            return frozenset({own, Rank.MISSING} if name in NULLABLE_ATTRIBUTES else {own})
        case Tag():
            return frozenset({Rank.TEXT, Rank.MISSING})
        case Metric():
            return frozenset({Rank.NUMBER, Rank.NON_FINITE, Rank.MISSING})
        case _:
            return frozenset(Rank)
