"""``./``: the table of runs."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runstore.errors import QueryError
from runstore.query import ConfigKey
from runstore_ui.artifact import Streamed
from runstore_ui.pages import render
from runstore_ui.site import site_of
from runstore_ui.state import TableState
from runstore_ui.table import (
    PAGE,
    SHAPES,
    Column,
    asked_columns,
    configs_of,
    csv_lines,
    default_columns,
    find_runs,
    misreading,
    tabulate,
)

_MOST_EXPERIMENTS = 200


def show(request: Request) -> Response:
    """The table as the URL says; a filter that cannot be understood is shown with what is wrong with it."""
    reader = site_of(request).reader
    state = TableState.of(request.query_params)
    experiments = reader.list_experiments(limit=_MOST_EXPERIMENTS)
    lasting: dict[str, Any] = {"state": state, "experiments": experiments, "shapes": SHAPES, "page": PAGE}
    try:
        found = find_runs(reader, state)
    except QueryError as error:
        wrong, status = misreading(state.where, error), HTTPStatus.BAD_REQUEST
        return render(request, "table.html", status=status, wrong=wrong, table=None, found=None, remarks=(), **lasting)
    columns, remarks = asked_columns(state.columns)
    configs = configs_of(reader, found, state.unfolded) if _wants_settings(state, columns) else {}
    if not columns:
        columns = default_columns(found.runs, found.summaries, configs)
    table = tabulate(found, columns, configs, state, datetime.now(UTC))
    return render(request, "table.html", wrong=None, table=table, found=found, remarks=remarks, **lasting)


def download(request: Request) -> Response:
    """All runs that match as a CSV file, with the columns that are shown."""
    reader = site_of(request).reader
    state = TableState.of(request.query_params)
    columns, _ = asked_columns(state.columns)
    if not columns:
        found = find_runs(reader, state)
        columns = default_columns(found.runs, found.summaries, configs_of(reader, found, ()))
    lines = csv_lines(reader, state, columns)
    first = next(lines)  # what cannot be understood is said before the file begins
    headers = {"Content-Disposition": 'attachment; filename="runs.csv"'}
    return Streamed(itertools.chain([first], lines), close=lines.close, kind="text/csv", headers=headers)


def _wants_settings(state: TableState, columns: Sequence[Column]) -> bool:
    return not state.columns or any(isinstance(column.field, ConfigKey) for column in columns)
