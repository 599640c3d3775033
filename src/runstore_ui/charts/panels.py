"""Which charts there are: what belongs together stands in one, and charts whose metrics begin alike in one group."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from runstore.model import SeriesSummary
from runstore.texts import leading_series
from runstore_ui.state import AxisState, ChartState, RunGroup


class Panel(Struct, frozen=True, kw_only=True):
    """A chart.

    Attributes:
        title: the metric, without what its group says.
        below: the dataset type, where the chart has one alone.
        source: the address of what is drawn.
        svg: the address of the chart as SVG.
        csv: the address of all its points.
        chart: what it shows.
    """

    title: str
    below: str
    source: str
    svg: str
    csv: str
    chart: ChartState


class Group(Struct, frozen=True, kw_only=True):
    """Charts of metrics whose names begin alike; the first group has those that stand alone, and no name."""

    name: str
    panels: Sequence[Panel]


def panels_of_run(run_id: str, summaries: Sequence[SeriesSummary], axis: AxisState) -> list[Group]:
    """A chart for each metric, with all its dataset types; results come first."""
    series = [(each.name, str(each.dataset_type)) for each in summaries]
    kinds: dict[str, list[str | None]] = {name: [None] for name, _ in leading_series([series], limit=len(series))}
    return _grouped([run_id], kinds, axis)


def panels_of_runs(
    summaries: Mapping[str, Sequence[SeriesSummary]],
    axis: AxisState,
    *,
    groups: tuple[RunGroup, ...] = (),
    shows_single: bool = False,
) -> list[Group]:
    """A chart for each metric and dataset type, with all the runs, or with the means of their groups."""
    by_run = [[(each.name, str(each.dataset_type)) for each in found] for found in summaries.values()]
    kinds: dict[str, list[str | None]] = {}
    for name, kind in leading_series(by_run, limit=sum(map(len, by_run))):
        kinds.setdefault(name, []).append(kind)
    return _grouped(list(summaries), kinds, axis, groups=groups, shows_single=shows_single)


def _grouped(
    runs: Sequence[str], kinds: Mapping[str, Sequence[str | None]], axis: AxisState, **more: Any
) -> list[Group]:
    """The charts of each metric, one a kind. A group needs two metrics; one alone would only have a longer way."""
    starts = {name: name.partition("/")[0] if "/" in name else "" for name in kinds}
    counts = Counter(starts.values())
    found: dict[str, list[Panel]] = {"": []}
    for name, start in starts.items():
        panels = found.setdefault(start if counts[start] > 1 else "", [])
        panels += [_panel(axis.chart(runs, name, kind, **more)) for kind in kinds[name]]
    return [Group(name=name, panels=each) for name, each in found.items() if each]


def _panel(chart: ChartState) -> Panel:
    plain = chart.link("json", by="step", first=None, last=None)
    return Panel(
        title=chart.metric,
        below=chart.dataset or "",
        source=plain,
        svg=chart.link("svg"),
        csv=chart.link("csv"),
        chart=chart,
    )
