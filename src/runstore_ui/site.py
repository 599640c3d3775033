"""What every view is given: the store, and how the page was started."""

from collections.abc import Callable

from msgspec import Struct
from starlette.requests import Request

from runstore.protocol import RunEditor, RunReader
from runstore_ui.artifact.kept import KeptFiles
from runstore_ui.judging import Shelf
from runstore_ui.keys import Keys
from runstore_ui.rounds import KeptRounds


class Options(Struct, frozen=True, kw_only=True):
    """How the page was started.

    Attributes:
        shown_url: the store's URL without secrets, as the head of each page shows it.
        hosts: names, besides those of loopback, under which the page is reached.
        token: what a browser must show once to see anything; ``None`` where everybody on this machine may look.
        write_token: what a browser must show once to change runs; ``None`` where nobody may.
        framed_by: origins whose pages may show this one in a frame, such as a notebook's.
    """

    shown_url: str
    hosts: tuple[str, ...] = ()
    token: str | None = None
    write_token: str | None = None
    framed_by: tuple[str, ...] = ()


class Site(Struct, frozen=True, kw_only=True):
    """The store that the page shows. Both handles may be used from any thread.

    Attributes:
        reader: what is shown.
        keys: of the store, those that are in use.
        shelf: predictions that were looked at last.
        rounds: those of federations that were looked at last.
        files: large files that were looked at last.
        open_editor: what opens the store to change runs, at the first change; ``None`` where nobody may change any.
        options: how the page was started.
    """

    reader: RunReader
    keys: Keys
    shelf: Shelf
    rounds: KeptRounds
    files: KeptFiles
    open_editor: Callable[[], RunEditor] | None
    options: Options


def site_of(request: Request) -> Site:
    """The site that a request is to."""
    site: Site = request.app.state.site
    return site


def may_write(request: Request) -> bool:
    """Whether who asks may change runs: the page was started so, and the browser has shown the token for it."""
    return site_of(request).open_editor is not None and bool(request.scope.get("runstore.may_write"))
