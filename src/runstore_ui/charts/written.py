"""Charts as files: the picture for paper, and every point as CSV."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from typing import Final

from runstore.charts import GridSeries, HistoryGrid
from runstore.model import DatasetType, from_microseconds
from runstore.protocol import RunReader
from runstore_ui.charts.drawn import Drawn
from runstore_ui.figures import Figure, Line, Look, history_figure
from runstore_ui.state import ChartState

_TITLES: Final = {"step": "step", "log": "step", "time": "seconds since the start of the run"}
_AT_ONCE: Final = 50_000
_HEADS: Final = ("run_id", "run", "metric", "dataset_type", "step", "value", "logged_at")


def figure_of(drawn: Drawn, state: ChartState) -> Figure:
    """The chart, as a picture that needs nothing else."""
    lines = [
        Line(
            name=each.label,
            xs=each.x,
            ys=[math.nan if value is None else value for value in each.y],
            look=Look(each.colour, each.dash),
        )
        for each in drawn.series
    ]
    title = state.metric if state.dataset is None else f"{state.metric}, {state.dataset}"
    return history_figure(lines, x_title=_TITLES[drawn.by], y_title=state.metric, x_log=drawn.by == "log", title=title)


def csv_of(reader: RunReader, state: ChartState) -> Iterator[str]:
    """Every point in the range, with all digits. Histories of any length are read a part at a time.

    Raises:
        RunNotFoundError: one of the runs is not there; before the first line.
    """
    names = {run_id: reader.get_run(run_id).name or "" for run_id in state.runs}
    kinds = [state.dataset] if state.dataset else [str(each) for each in DatasetType]
    grid = reader.sample_histories(
        [(run_id, state.metric, kind) for run_id in state.runs for kind in kinds],
        min_step=state.first,
        max_step=state.last,
    )
    return _lines(reader, state, names, grid)


def _lines(reader: RunReader, state: ChartState, names: dict[str, str], grid: HistoryGrid) -> Iterator[str]:
    yield _text([_HEADS])
    for each in grid.series:
        before = (each.run_id, names[each.run_id], each.name, str(each.dataset_type))
        for low, high in _parts(each, grid):
            history = reader.get_history(
                each.run_id,
                each.name,
                each.dataset_type,
                min_step=low if state.first is None else max(low, state.first),
                max_step=high if state.last is None else min(high, state.last),
            )
            columns = zip(history.steps, history.values, history.logged_at_us, strict=True)
            yield _text(
                [(*before, str(step), repr(value), from_microseconds(at).isoformat()) for step, value, at in columns]
            )


def _parts(series: GridSeries, grid: HistoryGrid) -> Iterator[tuple[int, int]]:
    """Ranges of steps of some ten thousand points each."""
    start, held = None, 0
    for bucket, count in zip(series.buckets, series.counts, strict=True):
        if start is None:
            start = grid.edges[bucket]
        held += count
        if held >= _AT_ONCE:
            yield start, grid.edges[bucket + 1] - 1
            start, held = None, 0
    if start is not None:
        yield start, grid.edges[series.buckets[-1] + 1] - 1


def _text(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
