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
        by: fields of settings: runs with the same values of them are a group.
        over: fields of settings, or ``seed``: runs that have the same values of all others are a group.
        shows_single: whether the runs of groups are drawn beside the means.
        wanted: a part of the name of the settings that are shown.
        axis: of the curves.
    """

    runs: tuple[str, ...] = ()
    baseline: str | None = None
    shows_equal: bool = False
    by: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    shows_single: bool = False
    wanted: str = ""
    axis: AxisState = AxisState()

    @property
    def is_grouped(self) -> bool:
        """Whether groups stand side by side, and not runs."""
        return bool(self.by or self.over)

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        """What a URL's query says."""
        return cls(
            runs=tuple(dict.fromkeys(each for each in query.getlist("run") if each)),
            baseline=query.get("baseline") or None,
            shows_equal=query.get("equal") == "yes",
            by=_all(query, "group"),
            over=_all(query, "over"),
            shows_single=query.get("single") == "yes",
            wanted=query.get("setting", "").strip(),
            axis=AxisState.of(query),
        )

    def link(self, page: str = "compare", **changes: Any) -> str:
        """The address of this view, with some of it changed."""
        changed = msgspec.structs.replace(self, **changes)
        return link(
            page,
            [
                *(("run", each) for each in changed.runs),
                ("baseline", changed.baseline),
                ("equal", "yes" if changed.shows_equal else None),
                *(("group", each) for each in changed.by),
                *(("over", each) for each in changed.over),
                ("single", "yes" if changed.shows_single and changed.is_grouped else None),
                ("setting", changed.wanted),
                *changed.axis.pairs(),
            ],
        )


def _all(query: QueryParams, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in query.getlist(name) if each))
