"""Orders and keyset pages as SQL (READ.3-4): a rank and a value for each term, then start time and id.

Ranks ascend in both directions: 0 finite number, 1 non-finite number, 2 text, 3 boolean, 4 null, list or empty mapping,
5 missing. A page begins strictly after the last row of the page before, whose ranks and values the cursor holds.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from runstore.errors import QueryError
from runstore.query import TEXT_ATTRIBUTES, Attribute, ConfigKey, Field, Metric, Order, Tag
from runstore_sql.filters import Condition, Filters
from runstore_sql.schema import config_leaf, run, series, tag

NUMBER_RANK: Final = 0
NON_FINITE_RANK: Final = 1
TEXT_RANK: Final = 2
BOOLEAN_RANK: Final = 3
OTHER_RANK: Final = 4
MISSING_RANK: Final = 5

MAX_TERMS: Final = 20
"""Each term may take a join, and MySQL and SQLite join at most 61 and 64 tables."""

_NULLABLE: Final = {"name", "parent_run_id", "client_id", "source_path", "end_time"}


class Term(NamedTuple):
    """One term: columns for the rank, the number (also of booleans and times) and the text; ``None`` if never used."""

    rank: sa.ColumnElement[int] | None
    number: sa.ColumnElement[Any] | None
    text: sa.ColumnElement[Any] | None
    only_rank: int
    descending: bool


class Ordering:
    """The terms of one query, with the joins that they need."""

    def __init__(self, orders: Sequence[Order], filters: Filters) -> None:
        """Prepares the terms.

        Raises:
            QueryError: there are more than ``MAX_TERMS``.
        """
        if len(orders) > MAX_TERMS:
            raise QueryError(f"order_by has {len(orders)} terms; at most {MAX_TERMS} are sorted by")
        self.joins: list[tuple[sa.FromClause, Condition]] = []
        self.terms = [self._term(order, filters) for order in orders]
        self.terms.append(Term(None, run.c.start_us, None, NUMBER_RANK, descending=False))
        self.terms.append(Term(None, None, run.c.id, TEXT_RANK, descending=False))

    def _term(self, order: Order, filters: Filters) -> Term:
        match order.field:
            case Attribute(name):
                column = filters.attributes[name]
                own = TEXT_RANK if name in TEXT_ATTRIBUTES else NUMBER_RANK
                rank = sa.case((column.is_(None), MISSING_RANK), else_=own) if name in _NULLABLE else None
                number, text = (None, column) if own == TEXT_RANK else (column, None)
                return Term(rank, number, text, own, order.descending)
            case _:
                return self._joined_term(order.field, descending=order.descending)

    def _joined_term(self, field: Field, *, descending: bool) -> Term:
        number: sa.ColumnElement[Any] | None = None
        text: sa.ColumnElement[Any] | None = None
        match field:
            case Tag(key):
                row = self._join(tag.alias(), {"key": key})
                rank = sa.case((row.c.run_pk.is_(None), MISSING_RANK), else_=TEXT_RANK)
                text = row.c.value
            case ConfigKey(key):
                row = self._join(config_leaf.alias(), {"key": key})
                rank = sa.case(
                    (row.c.run_pk.is_(None), MISSING_RANK),
                    (row.c.kind == "str", TEXT_RANK),
                    (row.c.kind == "bool", BOOLEAN_RANK),
                    (row.c.number.is_not(None), NUMBER_RANK),
                    (row.c.kind.in_(("int", "float")), NON_FINITE_RANK),
                    else_=OTHER_RANK,
                )
                number, text = row.c.number, sa.case((row.c.kind == "str", row.c.value))
            case Metric(dataset_type, name, stat):
                row = self._join(series.alias(), {"name": name, "dataset_type": dataset_type})
                number = row.c["count"] if stat == "count" else row.c[f"{stat}_value"]
                step = row.c[f"{stat}_step"] if stat in {"min", "max"} else row.c.pk
                rank = sa.case(
                    (step.is_(None), MISSING_RANK), (number.is_not(None), NUMBER_RANK), else_=NON_FINITE_RANK
                )
            case _:
                message = f"no order by {field}"
                raise TypeError(message)
        return Term(rank, number, text, MISSING_RANK, descending)

    def _join(self, table: Any, identity: dict[str, str]) -> Any:
        conditions = [table.c[column] == value for column, value in identity.items()]
        self.joins.append((table, sa.and_(table.c.run_pk == run.c.pk, *conditions)))
        return table

    def columns(self) -> list[sa.ColumnElement[Any]]:
        """Rank, number and text of each term, those that it has, labelled; what :meth:`place` reads from a row."""
        return [
            column.label(f"{part}_{index}")
            for index, term in enumerate(self.terms)
            for part, column in (("rank", term.rank), ("number", term.number), ("text", term.text))
            if column is not None
        ]

    def order_by(self) -> list[sa.ColumnElement[Any]]:
        """What ORDER BY lists."""
        listed: list[sa.ColumnElement[Any]] = []
        for term in self.terms:
            if term.rank is not None:
                listed.append(term.rank)
            listed += [
                column.desc() if term.descending else column.asc()
                for column in (term.number, term.text)
                if column is not None
            ]
        return listed

    def order_by_labels(self, rows: sa.Subquery) -> list[sa.ColumnElement[Any]]:
        """What ORDER BY lists over a subquery that holds :meth:`columns`."""
        listed: list[sa.ColumnElement[Any]] = []
        for index, term in enumerate(self.terms):
            if term.rank is not None:
                listed.append(rows.c[f"rank_{index}"])
            for part, column in (("number", term.number), ("text", term.text)):
                if column is not None:
                    label = rows.c[f"{part}_{index}"]
                    listed.append(label.desc() if term.descending else label.asc())
        return listed

    def place(self, row: Any) -> list[list[Any]]:
        """A row's place in the order, as a cursor keeps it."""
        place: list[list[Any]] = []
        for index, term in enumerate(self.terms):
            rank = term.only_rank if term.rank is None else int(row[f"rank_{index}"])
            value: Any = 0
            if rank in {NUMBER_RANK, BOOLEAN_RANK}:
                value = row[f"number_{index}"]
            elif rank == TEXT_RANK:
                value = row[f"text_{index}"]
            place.append([rank, value])
        return place

    def after(self, place: Sequence[Any]) -> Condition:
        """Whether a row stands strictly after a place.

        Raises:
            QueryError: the place is none of this order's.
        """
        self._check(place)
        ways: list[Condition] = []
        same: list[Condition] = []
        for term, (rank, value) in zip(self.terms, place, strict=True):
            column = _compared_column(term, rank)
            is_same_rank = [] if term.rank is None else [term.rank == rank]
            if term.rank is not None:
                ways.append(sa.and_(*same, term.rank > rank))
            if column is not None:
                beyond = column < value if term.descending else column > value
                ways.append(sa.and_(*same, *is_same_rank, beyond))
                same = [*same, *is_same_rank, column == value]
            else:
                same = [*same, *is_same_rank]
        return sa.or_(*ways)

    def _check(self, place: Sequence[Any]) -> None:
        for pair in place:
            match pair:
                case [0 | 3, int() | float()] | [2, str()] | [1 | 4 | 5, _]:
                    continue
                case _:
                    break
        else:
            if len(place) == len(self.terms):
                return
        raise QueryError("the cursor was changed on its way; pass next_cursor as it was given")


def _compared_column(term: Term, rank: int) -> sa.ColumnElement[Any] | None:
    if rank in {NUMBER_RANK, BOOLEAN_RANK}:
        return term.number
    return term.text if rank == TEXT_RANK else None
