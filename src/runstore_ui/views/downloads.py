"""Figures as files, for paper: the picture as SVG, its numbers as CSV."""

import csv
import io
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runstore_ui.figures import Figure

_KINDS: Final = {"svg": "image/svg+xml", "csv": "text/csv; charset=utf-8"}


def figure_file(request: Request, figures: Sequence[Figure]) -> Response:
    """The figure whose number, from 1 on, the address gives as ``figure``, as the kind of file that its path names."""
    kind, number = request.path_params["kind"], request.query_params.get("figure", "1")
    wanted = [figure for place, figure in enumerate(figures, 1) if str(place) == number]
    if kind not in _KINDS or not wanted:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    (figure,) = wanted
    name = re.sub(r"[^a-z0-9]+", "-", figure.title.lower()).strip("-") or "figure"
    content = figure.svg if kind == "svg" else _table(figure)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{kind}"',
        # A browser that shows the file all the same runs and fetches nothing for it.
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(content, media_type=_KINDS[kind], headers=headers)


def _table(figure: Figure) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([figure.heads, *figure.rows])
    return text.getvalue()
