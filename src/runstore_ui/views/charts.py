"""``chart.json?run=…&metric=…``: what a browser draws; ``chart.svg`` and ``chart.csv``: the same chart as a file."""

from http import HTTPStatus
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runstore_ui.artifact import Streamed, disposition
from runstore_ui.charts import csv_of, csv_of_means, drawn_of, figure_of, means_of
from runstore_ui.site import site_of
from runstore_ui.state import ChartState

_KINDS: Final = {"json": "application/json", "svg": "image/svg+xml", "csv": "text/csv; charset=utf-8"}


def show(request: Request) -> Response:
    """The chart, as the kind that the path names."""
    kind = request.path_params["kind"]
    if kind not in _KINDS:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    reader, state = site_of(request).reader, ChartState.of(request.query_params)
    draw = means_of if state.groups else drawn_of
    if kind == "json":
        return Response(msgspec.json.encode(draw(reader, state)), media_type=_KINDS[kind])
    headers = {
        "Content-Disposition": disposition(f"{state.metric.replace('/', '-')}.{kind}"),
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if kind == "svg":
        return Response(figure_of(draw(reader, state), state).svg, media_type=_KINDS[kind], headers=headers)
    lines = csv_of_means(means_of(reader, state), state) if state.groups else csv_of(reader, state)
    return Streamed(lines, close=lines.close, kind=_KINDS[kind], headers=headers)
