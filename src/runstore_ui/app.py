"""The ASGI app of a store: which URL is which view, and what is answered to an error.

All addresses are one level deep (``./``, ``run?id=…``, ``assets/…``), and all links are relative: the page works behind
any proxy and below any path without being told of it.
"""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from runstore.errors import RunStoreError
from runstore.protocol import RunEditor, RunReader
from runstore_ui.artifact import KeptFiles
from runstore_ui.judging import Shelf
from runstore_ui.keys import Keys
from runstore_ui.rounds import KeptRounds
from runstore_ui.saving import downloads
from runstore_ui.security import Guard
from runstore_ui.site import Options, Site
from runstore_ui.views import (
    artifact,
    assets,
    changes,
    charts,
    compare,
    evaluation,
    failures,
    keys,
    rounds,
    run,
    spread,
    table,
)


def make_app(reader: RunReader, options: Options, *, open_editor: Callable[[], RunEditor] | None = None) -> Starlette:
    """The page over a store, for any ASGI server.

    Args:
        reader: what is shown; it stays the caller's.
        options: how the page is reached, and by whom.
        open_editor: opens the store to change runs, at the first change; without it the page only shows.
    """
    app = Starlette(
        routes=[
            Route("/", table.show, name="table"),
            Route("/compare", compare.show, name="compare"),
            Route("/run", run.show, name="run"),
            Route("/change", changes.make, methods=["POST"]),
            Route("/deleted", changes.show_deleted),
            Route("/columns", keys.choose_columns),
            Route("/complete", keys.complete_filter),
            Route("/runs.csv", table.download),
            Route("/runs.html", downloads.table),
            Route("/run.html", downloads.run),
            Route("/compare.html", downloads.comparison),
            Route("/evaluation", evaluation.show, name="evaluation"),
            Route("/evaluation.{kind}", evaluation.download),
            Route("/rounds", rounds.show, name="rounds"),
            Route("/rounds.{kind}", rounds.download),
            Route("/artifact", artifact.show, name="artifact"),
            Route("/file", artifact.send),
            Route("/spread", spread.show, name="spread"),
            Route("/spread.{kind}", spread.download),
            Route("/chart.{kind}", charts.show),
            Route("/assets/{name}", assets.show),
        ],
        middleware=[Middleware(Guard, options=options)],
        exception_handlers={
            RunStoreError: failures.of_store,
            HTTPException: failures.of_address,
            Exception: failures.of_fault,
        },
    )
    app.router.redirect_slashes = False  # it would lead to a whole address, and away from below a path
    app.state.site = Site(
        reader=reader,
        keys=Keys(reader),
        shelf=Shelf(),
        rounds=KeptRounds(),
        files=KeptFiles(),
        open_editor=open_editor,
        options=options,
    )
    return app
