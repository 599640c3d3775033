"""What the URL of a chart says."""

from collections.abc import Sequence
from typing import Any, Final, Self

import msgspec
from msgspec import Struct
from starlette.datastructures import QueryParams

from runstore.charts import GridAxis
from runstore.errors import InvalidValueError
from runstore.model import DatasetType
from runstore_ui.state.links import link

_AXES: Final = {"step": GridAxis.STEP, "time": GridAxis.TIME, "log": GridAxis.LOG_STEP}
_MOST_DIGITS: Final = 18
_MOST_RUNS: Final = 100
_MOST_SMOOTH: Final = 0.99


class ChartState(Struct, frozen=True, kw_only=True):
    """One metric of some runs.

    Attributes:
        runs: their ids.
        metric: its name.
        dataset: the dataset type; each a run has if ``None``.
        by: what lies along the chart: ``step``, ``time`` since the start of each run, or ``log`` for steps by their logarithm.
        first: the lowest step; from the beginning if ``None``.
        last: the highest step; to the end if ``None``.
    """

    runs: tuple[str, ...]
    metric: str
    dataset: str | None = None
    by: str = "step"
    first: int | None = None
    last: int | None = None

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        """What a URL's query says.

        Raises:
            InvalidValueError: there is no run or no metric in it, or something else that is none of what there is.
        """
        runs = tuple(dict.fromkeys(each for each in query.getlist("run") if each))
        metric, dataset, by = query.get("metric", ""), query.get("dataset") or None, query.get("by") or "step"
        if not runs or not metric:
            raise InvalidValueError("the address names no run or no metric; give run=ID&metric=NAME")
        if len(runs) > _MOST_RUNS:
            raise InvalidValueError(f"{len(runs)} runs were to be drawn; at most {_MOST_RUNS} have room in a chart")
        if by not in _AXES:
            raise InvalidValueError(f"by is {by!r}; give one of {', '.join(map(repr, _AXES))}")
        if dataset is not None and dataset not in set(DatasetType):
            raise InvalidValueError(
                f"dataset is {dataset!r}; give one of {', '.join(repr(str(each)) for each in DatasetType)}"
            )
        return cls(
            runs=runs,
            metric=metric,
            dataset=dataset,
            by=by,
            first=_step(query, "from"),
            last=_step(query, "to"),
        )

    @property
    def axis(self) -> GridAxis:
        """The axis, as the store calls it."""
        return _AXES[self.by]

    def link(self, kind: str, **changes: Any) -> str:
        """The address of this chart as ``json``, ``svg`` or ``csv``."""
        to = msgspec.structs.replace(self, **changes)
        return link(
            f"chart.{kind}",
            [
                *(("run", each) for each in to.runs),
                ("metric", to.metric),
                ("dataset", to.dataset),
                ("by", None if to.by == "step" else to.by),
                ("from", None if to.first is None else str(to.first)),
                ("to", None if to.last is None else str(to.last)),
            ],
        )


class AxisState(Struct, frozen=True, kw_only=True):
    """What the URL of a page with charts says of all of them: axis, range and smoothing.

    Attributes:
        by: as of :class:`ChartState`.
        smooth: how much of the smoothed line is what came before: from 0 to below 1.
    """

    by: str = "step"
    first: int | None = None
    last: int | None = None
    smooth: float = 0.0

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        """What a URL's query says; what cannot be understood is left out, for the rest of the page is there all the same."""
        by = query.get("by", "step")
        try:
            smooth = float(query.get("smooth") or 0)
            first, last = _step(query, "from"), _step(query, "to")
        except ValueError:
            smooth, first, last = 0.0, None, None
        return cls(
            by=by if by in _AXES else "step",
            first=first,
            last=last,
            smooth=smooth if 0 <= smooth <= _MOST_SMOOTH else 0.0,
        )

    def pairs(self) -> list[tuple[str, str]]:
        """The query, where it says more than is shown anyway."""
        return [
            *([("by", self.by)] if self.by != "step" else []),
            *([("from", str(self.first))] if self.first is not None else []),
            *([("to", str(self.last))] if self.last is not None else []),
            *([("smooth", f"{self.smooth:g}")] if self.smooth else []),
        ]

    def chart(self, runs: Sequence[str], metric: str, dataset: str | None = None) -> ChartState:
        """A chart with this axis and range."""
        return ChartState(
            runs=tuple(runs), metric=metric, dataset=dataset, by=self.by, first=self.first, last=self.last
        )


def _step(query: QueryParams, name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise InvalidValueError(f"{name} is {text!r}; give the number of a step")
    return int(text)
