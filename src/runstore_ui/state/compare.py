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

    def pairs(self, *without: str) -> list[tuple[str, str]]:
        """The query, but for parameters that a form of its own brings."""
        pairs = [
            *(("run", each) for each in self.runs),
            ("baseline", self.baseline or ""),
            ("equal", "yes" if self.shows_equal else ""),
            *(("group", each) for each in self.by),
            *(("over", each) for each in self.over),
            ("single", "yes" if self.shows_single and self.is_grouped else ""),
            ("setting", self.wanted),
            *self.axis.pairs(),
        ]
        return [(name, value) for name, value in pairs if value and name not in without]

    def link(self, page: str = "compare", **changes: Any) -> str:
        """The address of this view, with some of it changed."""
        return link(page, msgspec.structs.replace(self, **changes).pairs())


def _all(query: QueryParams, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in query.getlist(name) if each))
