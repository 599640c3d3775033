"""The heartbeat of a process's runs: a thread that no error of the database ends."""

import contextlib
import logging
import threading
from collections.abc import Callable

from runstore.backend import BackendStore
from runstore.errors import RunNotFoundError
from runstore.local.flags import Flag
from runstore.recording.apply import LEASE_S

_log = logging.getLogger(__name__)

BEAT_S = 15.0
"""A quarter of the lease: three beats may fail before a live run is shown as lost, and the fourth revives it."""

_JOIN_S = 0.5


class Beat:
    """Beats for runs until it is told to stop. The clock is the database's; a late beat is as good as a timely one."""

    def __init__(self, store: Callable[[], BackendStore | None]) -> None:
        """Starts nothing yet.

        Args:
            store: gives the store, or ``None`` while it could not be opened.
        """
        self._store = store
        self._runs: dict[str, float] = {}
        self._stop = Flag()
        self._thread: threading.Thread | None = None

    def add(self, run_id: str, *, lease_s: float = LEASE_S) -> None:
        """Beats for this run from now on."""
        self._runs[run_id] = lease_s
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="runstore-beat", daemon=True)
            self._thread.start()

    def remove(self, run_id: str) -> None:
        """Beats for this run no longer: it ended, or its owner beats himself."""
        self._runs.pop(run_id, None)

    def stop(self, *, is_waited_for: bool = True) -> None:
        """Ends the thread, so that no beat is under way when the store is closed; one that hangs is left behind."""
        self._stop.set()
        if is_waited_for and self._thread is not None and self._thread.is_alive():  # another thread may be starting it
            self._thread.join(timeout=_JOIN_S)

    def _run(self) -> None:
        while not self._stop.wait(BEAT_S):
            store = self._store()
            if store is None:
                continue
            for run_id, lease_s in list(self._runs.items()):
                if self._stop.is_set():
                    return
                try:
                    store.beat(run_id, lease_s)
                except RunNotFoundError:
                    continue  # its beginning waits in the journal, or somebody deleted it
                except Exception as error:  # noqa: BLE001 - whatever it is, the next beat may succeed
                    with contextlib.suppress(Exception):
                        _log.debug("no heartbeat for run %s this time: %s", run_id, error)
