"""What the URL of the table says."""

from typing import Any, Final, Self

import msgspec
from msgspec import Struct
from starlette.datastructures import QueryParams

from runstore.errors import InvalidValueError
from runstore_ui.state.links import link

NEWEST_FIRST: Final = "start_time desc"
_MOST: Final = {"column": (100, "columns"), "run": (1_000, "ticked runs"), "unfolded": (1_000, "unfolded runs")}
"""Of what may stand in an address several times: each link of the table repeats it."""


class TableState(Struct, frozen=True, kw_only=True):
    """A view of the table. Another person who opens its link sees the same.

    Attributes:
        experiment: the name of the one that is shown; ``None`` for all.
        where: the filter, as it was typed.
        order: a field of the filter language, with ``desc`` behind it where the highest is first.
        columns: fields of the filter language, in the order in which they are shown; none for those that fit the runs.
        cursor: where the page begins; the first one if ``None``.
        chosen: ids of the runs that are ticked.
        unfolded: ids of the runs whose children are shown.
    """

    experiment: str | None = None
    where: str = ""
    order: str = NEWEST_FIRST
    columns: tuple[str, ...] = ()
    cursor: str | None = None
    chosen: tuple[str, ...] = ()
    unfolded: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        """What a URL's query says.

        Raises:
            InvalidValueError: it has more columns, or ticked or unfolded runs, than a table has room for.
        """
        return cls(
            experiment=query.get("experiment") or None,
            where=query.get("filter", "").strip(),
            order=query.get("order") or NEWEST_FIRST,
            columns=_all(query, "column"),
            cursor=query.get("cursor") or None,
            chosen=_all(query, "run"),
            unfolded=_all(query, "unfolded"),
        )

    def pairs(self, *without: str) -> list[tuple[str, str]]:
        """The query, but for parameters that a form of its own brings."""
        pairs = [
            ("experiment", self.experiment or ""),
            ("filter", self.where),
            ("order", "" if self.order == NEWEST_FIRST else self.order),
            *(("column", each) for each in self.columns),
            ("cursor", self.cursor or ""),
            *(("run", each) for each in self.chosen),
            *(("unfolded", each) for each in self.unfolded),
        ]
        return [(name, value) for name, value in pairs if value and name not in without]

    def link(self, page: str = "./", **changes: Any) -> str:
        """The address of this view, with some of it changed. Another question begins at its first page."""
        if changes.keys() & {"experiment", "where", "order"}:
            changes.setdefault("cursor", None)
        return link(page, msgspec.structs.replace(self, **changes).pairs())


def _all(query: QueryParams, name: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(each for each in query.getlist(name) if each))
    most, what = _MOST[name]
    if len(found) > most:
        raise InvalidValueError(f"the address has {len(found):,} {what}; a table has room for {most:,}; leave some out")
    return found
