"""``./``: the table of runs."""

from datetime import UTC, datetime
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from runstore.errors import QueryError
from runstore.query import ConfigKey
from runstore_ui.pages import render
from runstore_ui.site import site_of
from runstore_ui.state import TableState
from runstore_ui.table import SHAPES, asked_columns, configs_of, default_columns, find_runs, misreading, tabulate

_MOST_EXPERIMENTS = 200


def show(request: Request) -> Response:
    """The table as the URL says; a filter that cannot be understood is shown with what is wrong with it."""
    reader = site_of(request).reader
    state = TableState.of(request.query_params)
    experiments = reader.list_experiments(limit=_MOST_EXPERIMENTS)
    try:
        found = find_runs(reader, state)
    except QueryError as error:
        wrong = misreading(state.where, error)
        return render(
            request,
            "table.html",
            status=HTTPStatus.BAD_REQUEST,
            state=state,
            experiments=experiments,
            wrong=wrong,
            table=None,
            found=None,
            remarks=(),
        )
    columns, remarks = asked_columns(state.columns)
    wants_settings = not state.columns or any(isinstance(column.field, ConfigKey) for column in columns)
    configs = configs_of(reader, found, state.unfolded) if wants_settings else {}
    if not columns:
        columns = default_columns(found.runs, found.summaries, configs)
    table = tabulate(found, columns, configs, state, datetime.now(UTC))
    return render(
        request,
        "table.html",
        state=state,
        experiments=experiments,
        wrong=None,
        table=table,
        found=found,
        remarks=remarks,
        shapes=SHAPES,
    )
