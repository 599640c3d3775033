"""Charts as pictures, each with its numbers. A file has room for some of the charts and for some of the points of each."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from runstore.protocol import RunReader
from runstore_ui.charts import Drawn, Group, Metrics, drawn_of, figure_of, means_of
from runstore_ui.figures import Figure
from runstore_ui.state import ChartState

MOST_CHARTS: Final = 60
_MOST_POINTS: Final = 6_000
"""Of a chart, asked for its series together; each has its extremes all the same."""
_LEAST_POINTS, _MOST_OF_A_SERIES = 100, 600
_SERIES_OF_ONE: Final = 4
"""Dataset types of a metric."""


class Drawings(Struct, frozen=True, kw_only=True):
    """The charts of a file.

    Attributes:
        groups: by the beginning of their names: charts, with what is said of the points of each.
        remark: which are left out.
    """

    groups: Sequence[tuple[str, Sequence[tuple[Figure, str]]]]
    remark: str


def draw(reader: RunReader, groups: Iterable[Group], metrics: Metrics) -> Drawings:
    """The first charts of these groups.

    Args:
        reader: the store.
        groups: which charts there are.
        metrics: those that have charts, and how many there are.
    """
    found = []
    drawn, count = 0, 0
    for group in groups:
        figures = []
        for panel in group.panels:
            count += 1
            if drawn == MOST_CHARTS:
                continue
            chart = _drawn(reader, panel.chart)
            if chart.series:
                drawn += 1
                figures.append((figure_of(chart, panel.chart), _said(chart, panel.chart)))
        if figures:
            found.append((group.name, figures))
    left = []
    if metrics.has_more:
        left.append(f"These are charts of {len(metrics.names):,} of {metrics.total:,} metrics.")
    if drawn < count:
        left.append(f"{drawn:,} of their {count:,} charts are in this file.")
    return Drawings(groups=found, remark=" ".join(left))


def _drawn(reader: RunReader, state: ChartState) -> Drawn:
    if state.groups:
        return means_of(reader, state)
    series = len(state.runs) if len(state.runs) > 1 else _SERIES_OF_ONE
    return drawn_of(reader, state, most=min(max(_MOST_POINTS // series, _LEAST_POINTS), _MOST_OF_A_SERIES))


def _said(chart: Drawn, state: ChartState) -> str:
    """How much of the series is drawn, in the words of the page's charts."""
    is_sampled = chart.drawn < chart.total
    of = f"{chart.drawn:,} of " if is_sampled and not chart.means else ""
    parts = [f"{of}{chart.total:,} points"]
    if chart.smoothed:
        parts.append(f"smoothed over {'all points' if chart.smoothed == 'all' else 'those drawn'}")
    if chart.not_finite:
        parts.append(f"not finite at {chart.not_finite:,}")
    if chart.without_place:
        epochs = f"{chart.without_place:,} without an epoch"
        parts.append(epochs if chart.by == "epoch" else "step 0 has no place here")
    low = sum(value is not None and value <= 0 for each in chart.series for value in each.y) if state.is_log else 0
    if low:
        parts.append(
            f"{'at least ' if is_sampled else ''}{low:,} value{'' if low == 1 else 's'} ≤ 0 with no place here"
        )
    return ", ".join(parts)
