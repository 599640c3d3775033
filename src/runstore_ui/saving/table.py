"""The table of runs as a file: all rows that have room, whose children stand below them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from runstore.model import Run, SeriesSummary
from runstore.protocol import RunReader
from runstore.query import ConfigKey, Metric, spelt_literal
from runstore.values import flatten_config
from runstore_ui.saving.file import file_of
from runstore_ui.state import TableState
from runstore_ui.table import (
    SHAPES,
    Column,
    Found,
    asked_columns,
    default_columns,
    experiment_of,
    field_of,
    tabulate,
)

MOST_ROWS: Final = 5_000
_AT_ONCE: Final = 200
_FIRST: Final = 50
"""So many runs say which columns fit, as on the page."""
_TOPS: Final = "parent_run_id is null"


def saved_table(reader: RunReader, state: TableState, *, most: int = MOST_ROWS) -> str:
    """The table that the state asks for, from its first row on, as HTML.

    Without a filter children stand below their parents, which have the mean of theirs; with one, each run that fits has a row.

    Raises:
        QueryError: the filter or the order cannot be understood.
        ExperimentNotFoundError: there is no such experiment.
    """
    experiment_id = experiment_of(reader, state)
    matching = reader.count_runs(state.where or None, experiment_id=experiment_id)
    runs = list(
        reader.iter_runs(state.where or _TOPS, experiment_id=experiment_id, order_by=(state.order,), limit=most)
    )
    children = {} if state.where else _children(reader, runs, most - len(runs))
    everyone = [*runs, *(child for each in children.values() for child in each)]
    columns, remarks = _columns(reader, state, runs)
    summaries, configs = _facts(reader, everyone, columns)
    found = Found(
        runs=runs,
        children=children,
        has_more_children=False,
        next_cursor=None,
        matching=matching,
        elsewhere=(),
        summaries=summaries,
        experiments={each: reader.get_experiment(each).name for each in {run.experiment_id for run in everyone}},
    )
    shown = msgspec.structs.replace(state, cursor=None, chosen=(), unfolded=())
    table = tabulate(found, columns, configs, shown, None, is_file=True)
    if len(table.rows) < matching:
        remarks.append(f"{len(table.rows):,} of {matching:,} runs are in this file.")
    described = None if experiment_id is None else reader.get_experiment(experiment_id).description
    return file_of(
        "saved_table.html",
        state=shown,
        table=table,
        found=found,
        remarks=remarks,
        described=described,
        shapes=SHAPES,
    )


def _children(reader: RunReader, tops: Sequence[Run], most: int) -> dict[str, list[Run]]:
    """All that lie below these runs, as far as there is room."""
    found: dict[str, list[Run]] = {}
    level, seen = [run.id for run in tops], {run.id for run in tops}
    while level and most > 0:
        below: list[Run] = []
        for ids in _parts(level):
            listed = ", ".join(map(spelt_literal, ids))
            below += reader.iter_runs(
                f"parent_run_id in ({listed})", order_by=("start_time asc",), limit=max(most - len(below), 1)
            )
        below = [run for run in below[:most] if run.id not in seen]
        for run in below:
            found.setdefault(run.parent_run_id or "", []).append(run)
        most -= len(below)
        level = [run.id for run in below]
        seen.update(level)
    return found


def _columns(reader: RunReader, state: TableState, runs: Sequence[Run]) -> tuple[list[Column], list[str]]:
    """The columns that are asked for, or those that fit the first runs; the id, by which a run is found again, is among them."""
    columns, remarks = asked_columns(state.columns)
    if not columns:
        ids = [run.id for run in runs[:_FIRST]]
        by_series = {
            run_id: {(each.name, str(each.dataset_type)): each for each in series}
            for run_id, series in reader.get_summaries_of(ids).items()
        }
        columns = default_columns(runs[:_FIRST], by_series, reader.get_configs(ids))
    return [*columns, *([] if any(each.text == "id" for each in columns) else [field_of("id")])], remarks


def _facts(
    reader: RunReader, runs: Sequence[Run], columns: Sequence[Column]
) -> tuple[dict[str, dict[tuple[str, str], SeriesSummary]], dict[str, dict[str, Any]]]:
    """Of each run what the columns show and no more: thousands of runs with thousands of series must not all be in memory."""
    series = {(each.field.name, each.field.dataset_type) for each in columns if isinstance(each.field, Metric)}
    keys = {each.field.key for each in columns if isinstance(each.field, ConfigKey)}
    summaries: dict[str, dict[tuple[str, str], SeriesSummary]] = {}
    configs: dict[str, dict[str, Any]] = {}
    for ids in _parts([run.id for run in runs]):
        if series:
            for run_id, found in reader.get_summaries_of(ids).items():
                by_series = {(each.name, str(each.dataset_type)): each for each in found}
                summaries[run_id] = {key: by_series[key] for key in by_series.keys() & series}
        if keys:
            for run_id, config in reader.get_configs(ids).items():
                configs[run_id] = _with_keys(config, keys)
    return summaries, configs


def _with_keys(config: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """The top branches of a config in which one of these settings lies."""
    return {
        name: value for name, value in config.items() if any(leaf.key in keys for leaf in flatten_config({name: value}))
    }


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
