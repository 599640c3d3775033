"""``complete``: what may stand in a filter; ``columns``: which columns the table has, and which it may have."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runstore.errors import QueryError
from runstore.query import ATTRIBUTES
from runstore_ui.keys import SHOWN
from runstore_ui.pages import render
from runstore_ui.site import site_of
from runstore_ui.state import TableState
from runstore_ui.table import (
    asked_columns,
    best_column,
    complete,
    configs_of,
    default_columns,
    experiment_of,
    field_of,
    find_runs,
)

_LONGEST = 2_000


def complete_filter(request: Request) -> Response:
    """What may come at the end of ``text``, as JSON for the field of the filter."""
    site = site_of(request)
    state = TableState.of(request.query_params)
    text = request.query_params.get("text", "")[:_LONGEST]
    found = complete(site.reader, site.keys, text, experiment_id=experiment_of(site.reader, state))
    return Response(msgspec.json.encode(found), media_type="application/json")


def choose_columns(request: Request) -> Response:
    """A form: the columns that are shown, and what is found by a part of a name."""
    site = site_of(request)
    state = TableState.of(request.query_params)
    search = request.query_params.get("search", "")
    found = site.keys.find(search, experiment_id=experiment_of(site.reader, state))
    columns, _ = asked_columns(state.columns)
    if not columns:
        try:
            runs = find_runs(site.reader, state)
            columns = default_columns(runs.runs, runs.summaries, configs_of(site.reader, runs, ()))
        except QueryError:  # the table says what is wrong
            columns = [field_of("name")]
    shown = {column.text for column in columns}
    attributes = [field_of(name) for name in ATTRIBUTES if search.lower() in name and name not in shown]
    return render(
        request,
        "columns.html",
        state=state,
        search=search,
        columns=columns,
        attributes=attributes,
        offered=[(key, column) for key in found.keys if (column := best_column(key.field)).text not in shown],
        count=found.count,
        is_all=found.is_all,
        most=SHOWN,
    )
