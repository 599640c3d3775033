"""What the URL of a comparison says."""

from typing import Any, Self

import msgspec
from msgspec import Struct
from starlette.datastructures import QueryParams

from runstore_ui.state.charts import AxisState
from runstore_ui.state.links import link


class CompareState(Struct, frozen=True, kw_only=True):
    """A comparison of runs.

    Attributes:
        runs: their ids, in the order in which they stand.
        baseline: the id of the run that the others are compared with; the first by default.
        shows_equal: whether settings that are the same in all of them are shown as well.
        axis: of the curves.
    """

    runs: tuple[str, ...] = ()
    baseline: str | None = None
    shows_equal: bool = False
    axis: AxisState = AxisState()

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        """What a URL's query says."""
        return cls(
            runs=tuple(dict.fromkeys(each for each in query.getlist("run") if each)),
            baseline=query.get("baseline") or None,
            shows_equal=query.get("equal") == "yes",
            axis=AxisState.of(query),
        )

    def link(self, **changes: Any) -> str:
        """The address of this view, with some of it changed."""
        changed = msgspec.structs.replace(self, **changes)
        return link(
            "compare",
            [
                *(("run", each) for each in changed.runs),
                ("baseline", changed.baseline),
                ("equal", "yes" if changed.shows_equal else None),
                *changed.axis.pairs(),
            ],
        )
