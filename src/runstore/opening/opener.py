"""The store that a logger or a callback writes to: an open one that the program gave, or one that is opened at need."""

import functools
from collections.abc import Callable

from runstore.errors import InvalidValueError
from runstore.opening.stores import open_store
from runstore.protocol import RunStore
from runstore.secrets import redact
from runstore.settings import load_settings


class Opener:
    """What a session is given as its store. It can be pickled where the program gave a URL, or none.

    Attributes:
        store: an open store, or what opens one.
    """

    def __init__(self, url: str | None, *, store: RunStore | None, durable: bool, artifacts: str | None) -> None:
        """Opens nothing.

        Args:
            url: the store's URL; ``None`` to look for it as :func:`runstore.open_store` does.
            store: an open store instead of a URL; it stays the caller's.
            durable: as for :func:`runstore.open_store`.
            artifacts: likewise.

        Raises:
            InvalidValueError: a URL and a store are both given.
        """
        if url is not None and store is not None:
            raise InvalidValueError("url and store are both given; give the URL to open a store, or an open store")
        self._url = url
        self.store: RunStore | Callable[[], RunStore] = (
            functools.partial(open_store, url, durable=durable, artifacts=artifacts) if store is None else store
        )

    @property
    def shown_url(self) -> str | None:
        """The store's URL without secrets; ``None`` where the program has given an open store, or no URL is found."""
        if not callable(self.store):
            return None
        url = load_settings(url=self._url).url
        return None if url is None else redact(url)
