"""Orders and keyset pages as SQL (READ.3-4): a rank and a value for each term, then start time and id.

Ranks (:class:`runstore.query.tree.Rank`) ascend in both directions. A page begins strictly after the last row of the page
before, whose ranks and values the cursor holds.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from runstore.query import (
    BOOLEAN_ATTRIBUTES,
    MAX_SORTED_LENGTH,
    NULLABLE_ATTRIBUTES,
    TEXT_ATTRIBUTES,
    Attribute,
    ConfigKey,
    Field,
    Metric,
    Order,
    Rank,
    Tag,
)
from runstore_sql.schema.tables import config_leaf, run, series, tag
from runstore_sql.search.columns import Condition
from runstore_sql.search.filters import Filters

_LONG: Final = (Attribute("source_path"), Attribute("note"))


class Term(NamedTuple):
    """One term: columns for the rank, the number (also of booleans and times) and the text; ``None`` if never used."""

    rank: sa.ColumnElement[int] | None
    number: sa.ColumnElement[Any] | None
    text: sa.ColumnElement[Any] | None
    only_rank: int
    descending: bool


class Ordering:
    """The terms of one query, with the joins that they need.

    Attributes:
        long_texts: how many terms sort by texts that may be longer than a name.
    """

    def __init__(self, orders: Sequence[Order], filters: Filters, first: Term | None = None) -> None:
        """Makes the terms.

        Args:
            orders: as asked for.
            filters: has the attributes.
            first: what stands for the first of them, where only one of its ranks is read.
        """
        self.joins: list[tuple[sa.FromClause, Condition]] = []
        self.terms = [] if first is None else [first]
        self.terms += [self._term(order, filters) for order in orders[len(self.terms) :]]
        self.long_texts = sum(isinstance(order.field, (Tag, ConfigKey)) or order.field in _LONG for order in orders)
        self.terms.append(Term(None, run.c.start_us, None, Rank.NUMBER, descending=False))
        self.terms.append(Term(None, None, run.c.id, Rank.TEXT, descending=False))

    def _term(self, order: Order, filters: Filters) -> Term:
        match order.field:
            case Attribute(name):
                column = filters.attributes[name]
                own = Rank.NUMBER
                if name in TEXT_ATTRIBUTES:
                    own = Rank.TEXT
                elif name in BOOLEAN_ATTRIBUTES:
                    own = Rank.BOOLEAN
                rank = sa.case((column.is_(None), Rank.MISSING), else_=own) if name in NULLABLE_ATTRIBUTES else None
                number, text = (None, column) if own == Rank.TEXT else (column, None)
                return Term(rank, number, text, own, order.descending)
            case _:
                return self._joined_term(order.field, descending=order.descending)

    def _joined_term(self, field: Field, *, descending: bool) -> Term:
        number: sa.ColumnElement[Any] | None = None
        text: sa.ColumnElement[Any] | None = None
        match field:
            case Tag(key):
                row = self._join(tag.alias(), {"key": key})
                rank = sa.case((row.c.run_pk.is_(None), Rank.MISSING), else_=Rank.TEXT)
                text = row.c.value
            case ConfigKey(key):
                row = self._join(config_leaf.alias(), {"key": key})
                rank = sa.case(
                    (row.c.run_pk.is_(None), Rank.MISSING),
                    (row.c.kind == "str", Rank.TEXT),
                    (row.c.kind == "bool", Rank.BOOLEAN),
                    (row.c.number.is_not(None), Rank.NUMBER),
                    (row.c.kind.in_(("int", "float")), Rank.NON_FINITE),
                    else_=Rank.OTHER,
                )
                number = row.c.number
                text = sa.case((row.c.kind == "str", sa.func.substr(row.c.value, 1, MAX_SORTED_LENGTH)))
            case Metric(dataset_type, name, stat):
                row = self._join(series.alias(), {"name": name, "dataset_type": dataset_type})
                number = row.c["count"] if stat == "count" else row.c[f"{stat}_value"]
                step = row.c[f"{stat}_step"] if stat in {"min", "max"} else row.c.pk
                rank = sa.case(
                    (step.is_(None), Rank.MISSING), (number.is_not(None), Rank.NUMBER), else_=Rank.NON_FINITE
                )
            case _:
                message = f"no order by {field}"
                raise TypeError(message)
        return Term(rank, number, text, Rank.MISSING, descending)

    def _join(self, table: Any, key: dict[str, str]) -> Any:
        conditions = [table.c[column] == value for column, value in key.items()]
        self.joins.append((table, sa.and_(table.c.run_pk == run.c.pk, *conditions)))
        return table

    def _labelled(self) -> Iterator[tuple[str, sa.ColumnElement[Any], bool]]:
        """Rank, number and text of each term, those that it has: label, column, and whether it descends."""
        for index, term in enumerate(self.terms):
            for part, column in (("rank", term.rank), ("number", term.number), ("text", term.text)):
                if column is not None:
                    yield f"{part}_{index}", column, term.descending and part != "rank"

    def columns(self) -> list[sa.ColumnElement[Any]]:
        """What :meth:`place` reads from a row."""
        return [column.label(label) for label, column, _ in self._labelled()]

    def order_by(self, rows: sa.Subquery | None = None) -> list[sa.ColumnElement[Any]]:
        """What ORDER BY lists; over a subquery that holds :meth:`columns`, by its columns."""
        keys = ((column if rows is None else rows.c[label], down) for label, column, down in self._labelled())
        return [key.desc() if down else key.asc() for key, down in keys]

    def place(self, row: Any) -> list[list[Any]]:
        """A row's place in the order, as a cursor keeps it."""
        place: list[list[Any]] = []
        for index, term in enumerate(self.terms):
            rank = term.only_rank if term.rank is None else int(row[f"rank_{index}"])
            value: Any = 0
            if rank in {Rank.NUMBER, Rank.BOOLEAN}:
                value = row[f"number_{index}"]
            elif rank == Rank.TEXT:
                value = row[f"text_{index}"]
            place.append([rank, value])
        return place

    def after(self, place: Sequence[Any]) -> Condition:
        """Whether a row stands strictly after a place of this order."""
        # From the last term to the first: beyond it, or level with it and behind in the terms that follow. So each value
        # stands in the statement twice, and a long text does not fill it up; and one pair of brackets a term is what
        # SQLite's parser can take.
        behind: Condition = sa.false()
        for term, (rank, kept) in reversed(list(zip(self.terms, place, strict=True))):
            column = _compared_column(term, rank)
            value = float(kept) if rank == Rank.BOOLEAN else kept  # as a leaf holds it
            level: list[Condition] = [] if term.rank is None else [term.rank == rank]
            ways = [] if term.rank is None else [term.rank > rank]
            if column is not None:
                ways.append(sa.and_(*level, column < value if term.descending else column > value))
                level.append(column == value)
            behind = sa.or_(*ways, sa.and_(*level, behind))
        return sa.and_(*self._bound(place), behind)

    def _bound(self, place: Sequence[Any]) -> list[Condition]:
        """What the first term says of every row behind a place, where each run has a value: there an index can begin.

        No planner sees it in the alternatives of the whole condition; SQLite and MySQL then begin with the first run.
        """
        first = self.terms[0]
        (rank, value), column = place[0], _compared_column(first, place[0][0])
        if first.rank is not None or column is None or rank == Rank.BOOLEAN:
            return []
        return [column <= value if first.descending else column >= value]


def _compared_column(term: Term, rank: int) -> sa.ColumnElement[Any] | None:
    if rank in {Rank.NUMBER, Rank.BOOLEAN}:
        return term.number
    return term.text if rank == Rank.TEXT else None
