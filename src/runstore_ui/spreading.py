"""Runs spread over their columns: a scatter of two of them, and parallel coordinates of all."""

import itertools
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from runstore.model import Run
from runstore.protocol import RunReader
from runstore.query import Attribute, ConfigKey, Metric
from runstore_ui.figures import Dot, Figure, ParallelAxis, looks_of, parallel_figure, scatter_figure
from runstore_ui.reading import runs_of
from runstore_ui.state import SpreadState, link
from runstore_ui.table import Column, Facts, Value, asked_columns, default_columns, experiment_of, settings_of, value_of

MOST_RUNS: Final = 500
_MOST_AXES: Final = 12
_NOT_SPREAD: Final = ("id", "name", "start_time", "end_time", "archived")
"""Columns that are another in each run, and say nothing of it."""


class Spread(Struct, frozen=True, kw_only=True):
    """What the page shows.

    Attributes:
        count: how many runs, in words.
        columns: what may be chosen.
        x: what goes across; ``None`` where there is nothing.
        y: what goes up.
        figures: the scatter, then the parallel coordinates.
        remarks: what is wrong with columns that were asked for, and what was left out.
    """

    count: str
    columns: tuple[Column, ...]
    x: Column | None
    y: Column | None
    figures: tuple[Figure, ...]
    remarks: tuple[str, ...]


def spread_runs(reader: RunReader, state: SpreadState) -> Spread:
    """The runs of a view over their columns; a few reads, whatever the number of runs.

    Raises:
        QueryError: the filter or the order cannot be understood.
        NotFoundError: there is no such experiment, or no such run among those that are ticked.
    """
    table = state.table
    runs, is_whole = _runs(reader, state)
    ids = [run.id for run in runs]
    summaries, configs = reader.get_summaries_of(ids), reader.get_configs(ids)
    by_series = {
        run_id: {(each.name, str(each.dataset_type)): each for each in series} for run_id, series in summaries.items()
    }
    columns, wrong = asked_columns(table.columns)
    usual = [each for each in default_columns(runs, by_series, configs) if not isinstance(each.field, Attribute)]
    usual.sort(key=lambda each: isinstance(each.field, Metric))  # from what was set to what came of it
    columns = [each for each in columns or usual if _is_spread(each)][:_MOST_AXES]
    facts = [
        Facts(
            run=run, experiment="", summaries=by_series.get(run.id, {}), settings=settings_of(configs.get(run.id, {}))
        )
        for run in runs
    ]
    values = {column.text: [_plain(value_of(column, each)) for each in facts] for column in columns}
    numeric = [column for column in columns if any(isinstance(value, float) for value in values[column.text])]
    y = _chosen(numeric, state.y, Metric)
    x = _chosen([column for column in numeric if column is not y or state.x], state.x, ConfigKey)
    if not is_whole:
        wrong = [*wrong, f"These are the first {MOST_RUNS}; narrow the filter to see others."]
    return Spread(
        count=f"{len(runs):,} run{'' if len(runs) == 1 else 's'}",
        columns=tuple(numeric),
        x=x,
        y=y,
        figures=_figures(runs, columns, values, x, y, state),
        remarks=tuple(wrong),
    )


def _runs(reader: RunReader, state: SpreadState) -> tuple[list[Run], bool]:
    table = state.table
    if table.chosen:
        return runs_of(reader, table.chosen[:MOST_RUNS]), len(table.chosen) <= MOST_RUNS
    found = reader.iter_runs(
        table.where or None, experiment_id=experiment_of(reader, table), order_by=(table.order,), limit=MOST_RUNS + 1
    )
    runs = list(itertools.islice(found, MOST_RUNS + 1))
    return runs[:MOST_RUNS], len(runs) <= MOST_RUNS


def _is_spread(column: Column) -> bool:
    return not (isinstance(column.field, Attribute) and column.text in _NOT_SPREAD)


def _plain(value: Value) -> float | str | None:
    """A number as a float, all else as a text."""
    if isinstance(value, (bool, datetime)):
        return str(value)
    return float(value) if isinstance(value, (int, float)) else value


def _chosen(columns: Sequence[Column], text: str | None, usual: type[Metric | ConfigKey]) -> Column | None:
    """The column that is asked for; else the first of the usual kind; else any."""
    asked = [column for column in columns if column.text == text]
    fits = [column for column in columns if isinstance(column.field, usual)]
    return next(iter([*asked, *fits, *columns]), None)


def _figures(  # noqa: PLR0913, PLR0917 - what was read, and what is asked of it
    runs: Sequence[Run],
    columns: Sequence[Column],
    values: dict[str, list[float | str | None]],
    x: Column | None,
    y: Column | None,
    state: SpreadState,
) -> tuple[Figure, ...]:
    names = [run.name or run.id for run in runs]
    found = []
    if x is not None and y is not None:
        dots = [
            Dot(name=name, x=_number(across), y=_number(up), address=link("run", [("id", run.id)]))
            for name, run, across, up in zip(names, runs, values[x.text], values[y.text], strict=True)
        ]
        found.append(
            scatter_figure(
                dots, x_title=_title(x), y_title=_title(y), x_log=state.x_log, y_log=state.y_log, title="Scatter"
            )
        )
    if runs and len(columns) > 1:
        axes = [
            ParallelAxis(title=_title(column), values=values[column.text], is_log=_is_wide(values[column.text]))
            for column in columns
        ]
        found.append(parallel_figure(names, axes, drawn_as=looks_of([run.id for run in runs])))
    return tuple(found)


def _number(value: float | str | None) -> float:
    return value if isinstance(value, float) else math.nan


def _title(column: Column) -> str:
    return f"{column.title} ({column.below})" if column.below else column.title


def _is_wide(values: Sequence[float | str | None]) -> bool:
    """Whether numbers reach over several powers of ten, as learning rates do: then ratios count, not distances."""
    found = [value for value in values if isinstance(value, float) and math.isfinite(value)]
    return bool(found) and min(found) > 0 and max(found) / min(found) >= 100  # noqa: PLR2004 - two powers of ten
