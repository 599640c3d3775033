"""``run.html``, ``compare.html``, ``runs.html``: views of the page as one file each."""

from starlette.requests import Request
from starlette.responses import Response

from runstore.errors import InvalidValueError
from runstore_ui.artifact import disposition
from runstore_ui.saving.comparison import saved_comparison
from runstore_ui.saving.run import saved_run
from runstore_ui.saving.table import saved_table
from runstore_ui.site import site_of
from runstore_ui.state import AxisState, CompareState, TableState


def run(request: Request) -> Response:
    """The page of a run."""
    query = request.query_params
    run_id = query.get("id", "")
    return _file(saved_run(site_of(request).reader, run_id, AxisState.of(query)), f"run-{run_id}")


def comparison(request: Request) -> Response:
    """A comparison."""
    state = CompareState.of(request.query_params)
    if not state.runs:
        raise InvalidValueError("the address names no run; give run=ID for each of them")
    return _file(saved_comparison(site_of(request).reader, state), "comparison")


def table(request: Request) -> Response:
    """The table."""
    state = TableState.of(request.query_params)
    return _file(saved_table(site_of(request).reader, state), state.experiment or "runs")


def _file(text: str, name: str) -> Response:
    headers = {
        "Content-Disposition": disposition(f"{name.replace('/', '-')}.html"),
        # A browser that shows it all the same, at this address, runs nothing of it.
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(text, media_type="text/html", headers=headers)
