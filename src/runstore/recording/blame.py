"""Whose fault a failure is, when the store fails on a record for a reason that time may not mend.

A full disk of the database, a lost permission and a record that trips a bug of the backend look alike: the call fails,
and not for want of a connection. The difference shows in other writes. While those fail as well, the store is to blame
and the record waits for as long as it takes; once they succeed, the record is.
"""

from runstore.errors import NotFoundError, StoreFullError, StoreUnavailableError
from runstore.protocol import BackendStore
from runstore.recording.apply import LEASE_S

WAITED_FOR = (StoreUnavailableError, StoreFullError)
"""Errors that say themselves that they are the store's. Of a full one a smaller write proves nothing: it may fit."""

FAILURE_TRIES = 8
"""How often a record is sent before other writes are tried; with the pauses between them about ten seconds."""

_RUNS_ASKED = 8


class Blame:
    """The failures of one journal's records; used by its drain alone."""

    def __init__(self) -> None:
        """Knows no run and no failure yet."""
        self._position = -1
        self._tries = 0
        self._known_runs: dict[str, None] = {}  # in the order of their last record

    def knows(self, run_id: str) -> bool:
        """Whether the store took a record of this run."""
        return run_id in self._known_runs

    def note_success(self, run_id: str) -> None:
        """The store took a record of this run."""
        self._known_runs.pop(run_id, None)
        self._known_runs[run_id] = None

    def is_the_stores(self, error: Exception, store: BackendStore, position: int, run_id: str) -> bool:
        """Whether the record at a position, of this run, is to be sent again after it failed so."""
        if isinstance(error, WAITED_FOR):
            return True
        self._tries = self._tries + 1 if position == self._position else 1
        self._position = position
        return self._tries < FAILURE_TRIES or not self._takes_writes(store, run_id)

    def _takes_writes(self, store: BackendStore, run_id: str) -> bool:
        """Whether the store takes the smallest write there is, for the record's run or for another one."""
        others = [known for known in reversed(self._known_runs) if known != run_id][:_RUNS_ASKED]
        for asked in filter(None, [run_id, *others]):  # an experiment's record belongs to no run
            try:
                store.heartbeat(asked, lease_s=LEASE_S)
            except NotFoundError:
                continue
            except Exception:  # noqa: BLE001 - a driver's error that came through says the same
                return False
            return True
        return False  # no run is stored yet: nothing behind this record could be stored without it
