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

_AXES: Final = {"step": GridAxis.STEP, "epoch": GridAxis.STEP, "time": GridAxis.TIME, "log": GridAxis.LOG_STEP}
_MOST_DIGITS: Final = 18
_MOST_RUNS: Final = 100
_MOST_SMOOTH: Final = 0.9999


class RunGroup(Struct, frozen=True):
    """Runs of which a chart shows the mean.

    Attributes:
        label: what tells the group from the others.
        runs: their ids.
    """

    label: str
    runs: tuple[str, ...]


class ChartState(Struct, frozen=True, kw_only=True):
    """One metric of some runs.

    Attributes:
        runs: their ids.
        metric: its name.
        dataset: the dataset type; each a run has if ``None``.
        by: what lies along the chart: ``step``, ``epoch``, ``time`` since the start of each run, or ``log`` for steps by their
            logarithm.
        first: the lowest step; from the beginning if ``None``.
        last: the highest step; to the end if ``None``.
        smooth: how much of the smoothed line is what came before: from 0, for none, to below 1.
        is_log: whether equal ratios of the values have equal heights.
        groups: the runs in groups, of each of which the mean is drawn; empty where each run is drawn by itself.
        shows_single: whether the runs of groups are drawn as well.
    """

    runs: tuple[str, ...]
    metric: str
    dataset: str | None = None
    by: str = "step"
    first: int | None = None
    last: int | None = None
    smooth: float = 0.0
    is_log: bool = False
    groups: tuple[RunGroup, ...] = ()
    shows_single: bool = False

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
            smooth=_share(query),
            is_log=query.get("y") == "log",
            groups=_groups(query),
            shows_single=query.get("single") == "yes",
        )

    @property
    def axis(self) -> GridAxis:
        """The axis, as the store calls it."""
        return _AXES[self.by]

    def link(self, kind: str, **changes: Any) -> str:
        """The address of this chart as ``json``, ``svg`` or ``csv``."""
        to = msgspec.structs.replace(self, **changes)
        is_picture = kind == "svg"
        return link(
            f"chart.{kind}",
            [
                *_run_pairs(to),
                ("metric", to.metric),
                ("dataset", to.dataset),
                ("by", None if to.by == "step" else to.by),
                ("from", None if to.first is None else str(to.first)),
                ("to", None if to.last is None else str(to.last)),
                ("smooth", f"{to.smooth:g}" if to.smooth and is_picture else None),
                ("y", "log" if to.is_log and is_picture else None),
                ("single", "yes" if to.shows_single else None),
            ],
        )


class AxisState(Struct, frozen=True, kw_only=True):
    """What the URL of a page with charts says of all of them: axes, range and smoothing.

    Attributes:
        by: as of :class:`ChartState`; so are the range and the smoothing.
        is_log: whether values lie by their logarithm.
        but: metrics of which the contrary is true.
        find: a part of the names of the metrics that are shown.
        skip: how many of these are passed over.
    """

    by: str = "step"
    first: int | None = None
    last: int | None = None
    smooth: float = 0.0
    is_log: bool = False
    but: tuple[str, ...] = ()
    find: str = ""
    skip: int = 0

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        """What a URL's query says; what cannot be understood is left out, for the rest of the page is there all the same."""
        by = query.get("by", "step")
        try:
            smooth, first, last, skip = _share(query), _step(query, "from"), _step(query, "to"), _step(query, "skip")
        except ValueError:
            smooth, first, last, skip = 0.0, None, None, None
        return cls(
            by=by if by in _AXES else "step",
            first=first,
            last=last,
            smooth=smooth,
            is_log=query.get("y") == "log",
            but=tuple(dict.fromkeys(each for each in query.getlist("but") if each)),
            find=query.get("metric", ""),
            skip=skip or 0,
        )

    def pairs(self) -> list[tuple[str, str]]:
        """The query, where it says more than is shown anyway."""
        return [
            *([("by", self.by)] if self.by != "step" else []),
            *([("from", str(self.first))] if self.first is not None else []),
            *([("to", str(self.last))] if self.last is not None else []),
            *([("smooth", f"{self.smooth:g}")] if self.smooth else []),
            *([("y", "log")] if self.is_log else []),
            *(("but", each) for each in self.but),
            *([("metric", self.find)] if self.find else []),
            *([("skip", str(self.skip))] if self.skip else []),
        ]

    def chart(self, runs: Sequence[str], metric: str, dataset: str | None = None, **more: Any) -> ChartState:
        """A chart with these axes, range and smoothing; ``more`` says what groups it has."""
        return ChartState(
            runs=tuple(runs),
            metric=metric,
            dataset=dataset,
            by=self.by,
            first=self.first,
            last=self.last,
            smooth=self.smooth,
            is_log=self.is_log != (metric in self.but),
            **more,
        )


def _share(query: QueryParams) -> float:
    text = query.get("smooth") or "0"
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= _MOST_SMOOTH:
        raise InvalidValueError(f"smooth is {text!r}; give a number from 0 to {_MOST_SMOOTH}")
    return found


def _groups(query: QueryParams) -> tuple[RunGroup, ...]:
    """The groups: what stands behind a ``group``, up to the next, are the runs of it. What is in none is no group's."""
    groups: dict[str, dict[str, None]] = {}
    label = None
    for name, value in query.multi_items():
        if name == "group":
            label = value
        elif name == "run" and value and label is not None:
            groups.setdefault(label, {})[value] = None
    return tuple(RunGroup(label, tuple(runs)) for label, runs in groups.items())


def _run_pairs(state: ChartState) -> list[tuple[str, str]]:
    if not state.groups:
        return [("run", each) for each in state.runs]
    return [
        pair for group in state.groups for pair in (("group", group.label), *(("run", each) for each in group.runs))
    ]


def _step(query: QueryParams, name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise InvalidValueError(f"{name} is {text!r}; give the number of a step")
    return int(text)
