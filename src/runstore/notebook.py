"""The page in a notebook: :func:`ui` shows the runs of a store in a cell."""

from collections.abc import Callable
from html import escape

from runstore.local.importing_the_page import importing_the_page
from runstore.protocol import RunReader


class ShownPage:
    """The page, as long as this program runs or until it is closed; a notebook shows it in the cell that returned it.

    Attributes:
        address: where a browser on this machine finds it.
    """

    def __init__(self, address: str, *, height: int, stop: Callable[[], None]) -> None:
        """Is made by :func:`ui`."""
        self.address: str = address
        self._height = height
        self._stop = stop

    def close(self) -> None:
        """Ends the page; closing twice is closing once."""
        self._stop()

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return (
            f'<iframe src="{escape(self.address)}" title="runstore" width="100%" height="{self._height}"'
            ' style="border: 1px solid #8884; border-radius: 6px"></iframe>'
        )

    def __repr__(self) -> str:
        """Where the page is, for whoever has no notebook."""
        return f"ShownPage({self.address!r})"


def ui(store: str | RunReader | None = None, *, height: int = 640) -> ShownPage:
    """Shows the page of a store in the cell of a notebook; nothing can be changed there.

    The page is served to this machine alone. Where the notebook runs on another one, forward the port, or start
    ``runstore ui`` where the browser is.

    Args:
        store: the store's URL, by default as :func:`runstore.open_reader` finds it; or an open reader, which stays the
            caller's.
        height: of the frame, in pixels.

    Raises:
        MissingDriverError: what the page needs is not installed.
        SettingsError: no URL, or one that cannot be understood.
        StoreUnavailableError: the database cannot be reached.
    """
    with importing_the_page():
        from runstore_ui import start  # noqa: PLC0415 - needed by those who call this alone
    running = start(store)
    return ShownPage(running.address, height=height, stop=running.stop)
