"""``rounds?run=…``: the rounds of a federation."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from runstore_ui.pages import render
from runstore_ui.rounds import rounds_sheet
from runstore_ui.site import site_of
from runstore_ui.state import RoundsState, link
from runstore_ui.views.downloads import figure_file


def show(request: Request) -> Response:
    """The rounds as the URL says."""
    site = site_of(request)
    state = RoundsState.of(request.query_params)
    run = site.reader.get_run(state.run)
    rounds = site.rounds.of(site.reader, state.run)
    if not rounds:
        return render(request, "no_rounds.html", status=HTTPStatus.NOT_FOUND, run=run)
    sheet = rounds_sheet(rounds, metric=state.metric, until=state.until)
    return render(
        request,
        "rounds.html",
        run=run,
        run_link=link("run", [("id", run.id)]),
        links={row.run_id: link("run", [("id", row.run_id)]) for row in sheet.clients if row.run_id},
        state=state,
        sheet=sheet,
    )


def download(request: Request) -> Response:
    """A figure of the rounds as a file."""
    site = site_of(request)
    state = RoundsState.of(request.query_params)
    rounds = site.rounds.of(site.reader, state.run)
    return figure_file(request, rounds_sheet(rounds, metric=state.metric, until=state.until).figures)
