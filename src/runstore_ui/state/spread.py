"""What the URL of a spread of runs says."""

from typing import Any, Self

import msgspec
from msgspec import Struct
from starlette.datastructures import QueryParams

from runstore_ui.state.links import link
from runstore_ui.state.table import TableState


class SpreadState(Struct, frozen=True, kw_only=True):
    """Columns of runs against each other.

    Attributes:
        table: which runs and which columns, as the table has them; of ticked runs only those.
        x: the field that goes across; ``None`` for the first setting.
        y: the field that goes up; ``None`` for the first metric.
        x_log: whether equal ratios of ``x`` have equal lengths.
        y_log: whether those of ``y`` have.
    """

    table: TableState
    x: str | None = None
    y: str | None = None
    x_log: bool = False
    y_log: bool = False

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        """What a URL's query says."""
        return cls(
            table=TableState.of(query),
            x=query.get("x") or None,
            y=query.get("y") or None,
            x_log=query.get("xlog") == "yes",
            y_log=query.get("ylog") == "yes",
        )

    def pairs(self) -> list[tuple[str, str | None]]:
        """The query."""
        return [
            *self.table.pairs("cursor", "unfolded"),
            ("x", self.x),
            ("y", self.y),
            ("xlog", "yes" if self.x_log else None),
            ("ylog", "yes" if self.y_log else None),
        ]

    def link(self, **changes: Any) -> str:
        """The address of this view, with some of it changed."""
        return link("spread", msgspec.structs.replace(self, **changes).pairs())

    def link_to_figure(self, number: int, kind: str) -> str:
        """The address of a figure of this view as a file."""
        return link(f"spread.{kind}", [*self.pairs(), ("figure", str(number))])
