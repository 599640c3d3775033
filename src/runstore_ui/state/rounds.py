"""What the URL of a federation's rounds says."""

from typing import Any, Self

import msgspec
from msgspec import Struct
from starlette.datastructures import QueryParams

from runstore.errors import InvalidValueError
from runstore_ui.state.links import link


class RoundsState(Struct, frozen=True, kw_only=True):
    """A view of rounds. Another person who opens its link sees the same.

    Attributes:
        run: the run's id.
        metric: what cells are shaded by; what most clients have told if ``None``.
        until: the number of the last round that is shown side by side; the newest, as they come, if ``None``.
    """

    run: str
    metric: str | None = None
    until: int | None = None

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        """What a URL's query says.

        Raises:
            InvalidValueError: there is no run in it, or a round that is no number.
        """
        run, until = query.get("run", ""), query.get("until", "")
        if not run:
            raise InvalidValueError("the address names no run; give run=ID")
        if until and not (until.isascii() and until.isdecimal() and len(until) < 20):  # noqa: PLR2004 - digits of a step
            raise InvalidValueError(f"until is {until!r}; give the number of a round")
        return cls(run=run, metric=query.get("metric") or None, until=int(until) if until else None)

    def link(self, **changes: Any) -> str:
        """The address of this view, with some of it changed."""
        return link("rounds", msgspec.structs.replace(self, **changes).pairs())

    def link_to_figure(self, number: int, kind: str) -> str:
        """The address of a figure of this view as a file."""
        return link(f"rounds.{kind}", [*self.pairs(), ("figure", str(number))])

    def pairs(self) -> list[tuple[str, str | None]]:
        """The query."""
        until = None if self.until is None else str(self.until)
        return [("run", self.run), ("metric", self.metric), ("until", until)]
