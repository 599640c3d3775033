"""The store of a session: an open one, which stays the caller's, or one that is opened at the first need."""

import threading
from collections.abc import Callable
from typing import Any

from runstore.protocol import RunStore
from runstore.training.losses import Lost, lost_in


class SessionStore:
    """What a session writes to. Any thread may ask; a pickled copy opens a store of its own."""

    def __init__(self, store: RunStore | Callable[[], RunStore]) -> None:
        """Opens nothing yet.

        Args:
            store: an open store, or what opens one.
        """
        self._given = None if callable(store) else store
        self._open = store if callable(store) else None
        self._opened: RunStore | None = None
        self._lost_before = Lost()  # by stores that were closed
        self._lock = threading.RLock()

    def get(self) -> RunStore:
        """The store, opened now if it was not; what opening raises comes through."""
        with self._lock:
            if self._given is not None:
                return self._given
            if self._opened is None:
                assert self._open is not None  # noqa: S101 - one of the two was given
                self._opened = self._open()
            return self._opened

    @property
    def is_open(self) -> bool:
        """Whether a store is open that was opened here."""
        return self._opened is not None

    def lost(self, run_id: str) -> Lost:
        """What was lost of a run after it had been accepted, as far as that is known by now."""
        store = self._opened or self._given
        return self._lost_before if store is None else self._lost_before + lost_in(store, run_id)

    def close(self, run_id: str) -> Exception | None:
        """Closes the store if it was opened here; what that raised. Whoever asks for a store again opens it again."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is None:
            return None
        failure = None
        try:
            opened.close()
        except Exception as error:  # noqa: BLE001 - a store is a stranger's code; what it raised is kept
            failure = error
        self._lost_before += lost_in(opened, run_id)
        return failure

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the lock and a store that can be opened again."""
        return self.__dict__ | {"_lock": None, "_opened": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The same, with a lock of its own."""
        self.__dict__.update(state)
        self._lock = threading.RLock()
