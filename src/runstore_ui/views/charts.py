"""``chart.json?run=…&metric=…``: what a browser draws; ``chart.svg`` and ``chart.csv``: the same chart as a file."""

from http import HTTPStatus
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runstore_ui.artifact import Streamed, disposition
from runstore_ui.charts import csv_of, drawn_of, figure_of
from runstore_ui.site import site_of
from runstore_ui.state import ChartState

_KINDS: Final = {"json": "application/json", "svg": "image/svg+xml", "csv": "text/csv; charset=utf-8"}


def show(request: Request) -> Response:
    """The chart, as the kind that the path names."""
    kind = request.path_params["kind"]
    if kind not in _KINDS:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    reader, state = site_of(request).reader, ChartState.of(request.query_params)
    if kind == "json":
        return Response(msgspec.json.encode(drawn_of(reader, state)), media_type=_KINDS[kind])
    headers = {
        "Content-Disposition": disposition(f"{state.metric.replace('/', '-')}.{kind}"),
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if kind == "svg":
        return Response(figure_of(drawn_of(reader, state), state).svg, media_type=_KINDS[kind], headers=headers)
    lines = csv_of(reader, state)
    return Streamed(lines, close=lines.close, kind=_KINDS[kind], headers=headers)
