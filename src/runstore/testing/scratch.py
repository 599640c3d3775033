"""The kit against a server of one's own: each database that it needs is a new place there, and removed in the end."""

from contextlib import ExitStack

from runstore.backend import Store
from runstore.testing.harness import Harness, open_url


class ScratchHarness(Harness):
    """A place for trials on the server of a URL, through its backend's Administration.

    It looks at nothing from outside and breaks nothing, so what takes that stands in the report as "not run".
    """

    def __init__(self, url: str) -> None:
        """Makes a place.

        Raises:
            SettingsError: the backend cannot make one.
            StoreFailureError: this user may not.
        """
        from runstore.opening import open_administration  # noqa: PLC0415 - keeps the kit free of the plugins

        self._of = url
        self._held = ExitStack()
        with self._held:
            administration = self._held.enter_context(open_administration(url))
            self.url = self._held.enter_context(administration.scratch())
            self._held = self._held.pop_all()

    def open(self) -> Store:
        """A bare store there."""
        assert self.url is not None
        return open_url(self.url)

    def fresh(self) -> "ScratchHarness":
        """Another place on the same server."""
        return ScratchHarness(self._of)

    def close(self) -> None:
        """Removes the place."""
        self._held.close()
