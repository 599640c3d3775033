"""``spread?experiment=…``: columns of runs against each other."""

from starlette.requests import Request
from starlette.responses import Response

from runstore_ui.pages import render
from runstore_ui.site import site_of
from runstore_ui.spreading import spread_runs
from runstore_ui.state import SpreadState
from runstore_ui.views.downloads import figure_file


def show(request: Request) -> Response:
    """The spread as the URL says."""
    state = SpreadState.of(request.query_params)
    spread = spread_runs(site_of(request).reader, state)
    return render(request, "spread.html", state=state, spread=spread)


def download(request: Request) -> Response:
    """A figure of the spread as a file."""
    state = SpreadState.of(request.query_params)
    return figure_file(request, spread_runs(site_of(request).reader, state).figures)
