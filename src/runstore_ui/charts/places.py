"""Where along a chart a point lies: by its step, by the time since its run began, or by its epoch."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from runstore.charts import GridSeries, PointColumns
from runstore.model import Run, to_microseconds
from runstore.protocol import RunReader
from runstore_ui.epochs import KINDS, NAME, Epochs
from runstore_ui.state import ChartState

SECOND: Final = 1_000_000

Place = Callable[[int, int], float | None]
"""From a step, and microseconds since 1970, to a place; ``None`` where there is none."""


def places_of(reader: RunReader, runs: Mapping[str, Run], state: ChartState) -> dict[str, Place]:
    """How the points of each run are placed."""
    if state.by == "epoch":
        epochs = _epochs_of(reader, list(runs), state)
        return {run_id: _by_epoch(epochs[run_id]) for run_id in runs}
    if state.by == "time":
        return {run_id: _by_time(to_microseconds(run.start_time)) for run_id, run in runs.items()}
    first = 1 if state.by == "log" else 0
    return dict.fromkeys(runs, lambda step, _: step if step >= first else None)


def points_of(series: GridSeries) -> Iterator[tuple[int, float, int]]:
    """Step, value and time of each point that a grid has of a series; one may come several times."""
    for columns in (series.first, series.low, series.high, series.last):
        yield from zip(columns.steps, columns.values, columns.logged_at_us, strict=True)


def point_at(columns: PointColumns, position: int) -> tuple[int, float, int]:
    """One of the points."""
    return columns.steps[position], columns.values[position], columns.logged_at_us[position]


def _by_time(start_us: int) -> Place:
    return lambda _, at_us: (at_us - start_us) / SECOND


def _by_epoch(epochs: Epochs) -> Place:
    return lambda step, _: epochs.place(step)


def _epochs_of(reader: RunReader, runs: Iterable[str], state: ChartState) -> dict[str, Epochs]:
    """The epochs of each run: those of the whole run, and more exactly those of the range."""
    keys = [(run_id, NAME, kind) for run_id in runs for kind in KINDS]
    ranges = dict.fromkeys([(None, None), (state.first, state.last)])
    grids = [reader.sample_histories(keys, min_step=low, max_step=high) for low, high in ranges]
    found: dict[str, dict[str, list[tuple[int, float, int]]]] = defaultdict(lambda: defaultdict(list))
    for grid in grids:
        for each in grid.series:
            found[each.run_id][str(each.dataset_type)] += points_of(each)
    told = {}
    for run_id in runs:
        kind = next((kind for kind in KINDS if kind in found[run_id]), "")
        told[run_id] = Epochs.of(found[run_id][kind])
    return told
