"""Charts as files: the picture for paper, and every point as CSV."""

import csv
import io
import math
from collections.abc import Generator, Sequence
from typing import Final

from runstore.charts import HistoryGrid
from runstore.model import DatasetType, from_microseconds
from runstore.protocol import RunReader
from runstore_ui.charts.drawn import Drawn, DrawnSeries
from runstore_ui.charts.parts import parts_of
from runstore_ui.figures import Figure, Line, Look, history_figure
from runstore_ui.state import ChartState

_TITLES: Final = {"step": "step", "log": "step", "time": "seconds since the start of the run", "epoch": "epoch"}
_HEADS: Final = ("run_id", "run", "metric", "dataset_type", "step", "value", "logged_at")


def figure_of(drawn: Drawn, state: ChartState) -> Figure:
    """The chart, as a picture that needs nothing else."""
    lines = [
        Line(
            name=each.label,
            xs=each.x,
            ys=_values(each),
            look=Look(each.colour, each.dash, each.marker),
            spread=each.spread,
            runs=each.runs,
            is_faint=bool(each.group) and each.runs is None,
        )
        for each in drawn.series
    ]
    title = state.metric if state.dataset is None else f"{state.metric}, {state.dataset}"
    return history_figure(
        lines,
        x_title=_TITLES[drawn.by],
        y_title=f"{state.metric}, smoothed by {state.smooth:g}" if state.smooth else state.metric,
        x_log=drawn.by == "log",
        y_log=state.is_log,
        title=f"{title}: {drawn.means}" if drawn.means else title,
    )


def _values(series: DrawnSeries) -> list[float]:
    """What is drawn: the smoothed curve, where there is one."""
    return [math.nan if value is None else value for value in series.smooth or series.y]


def csv_of(reader: RunReader, state: ChartState) -> Generator[str]:
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


def csv_of_means(drawn: Drawn, state: ChartState) -> Generator[str]:
    """What a chart of groups draws, with all digits: a line for each point of a mean. ``sd`` is empty where n is 1."""
    yield _text([("group", "metric", "dataset_type", _TITLES[drawn.by], "mean", "sd", "n")])
    for each in drawn.series:
        if each.runs is None or each.spread is None:
            continue
        columns = zip(each.x, each.y, each.spread, each.runs, strict=True)
        yield _text(
            [
                (each.group, state.metric, each.dataset, f"{x:.15g}", repr(y), "" if sd is None else repr(sd), str(n))
                for x, y, sd, n in columns
            ]
        )


def _lines(reader: RunReader, state: ChartState, names: dict[str, str], grid: HistoryGrid) -> Generator[str]:
    yield _text([_HEADS])
    for each in grid.series:
        before = (each.run_id, names[each.run_id], each.name, str(each.dataset_type))
        for history in parts_of(reader, each, grid, first=state.first, last=state.last):
            columns = zip(history.steps, history.values, history.logged_at_us, strict=True)
            yield _text(
                [(*before, str(step), repr(value), from_microseconds(at).isoformat()) for step, value, at in columns]
            )


def _text(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
