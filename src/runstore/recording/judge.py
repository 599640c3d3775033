"""Is it the record or the store, when the store fails on a record and time may not help?

A full disk, a lost permission and a record that trips a bug of the backend look alike: the connection is there, and the
call fails. A server that cuts off a large packet or a long call looks like one that is away. So another, small write is
tried. If it fails as well, it is the store, and the record waits for as long as it takes. If it succeeds, again and
again, it is the record.
"""

import time
from collections.abc import Callable

from runstore.backend import BackendStore
from runstore.errors import NotFoundError, StoreFullError, StoreUnavailableError
from runstore.recording.apply import LEASE_S

FAILURE_TRIES = 8
"""How often a record is sent before other writes are tried; with the pauses between them about ten seconds."""

CUT_OFF_S = 120.0
"""How long a record is tried that always breaks the connection, while other writes succeed each time."""

_RUNS_ASKED = 8


class FailureJudge:
    """The failures of one journal's records; used by its drain alone.

    Attributes:
        is_suspect: the store took another write right after the last failure.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Knows no run and no failure yet."""
        self.is_suspect = False
        self._clock = clock
        self._position = -1
        self._tries = 0
        self._cut_off = 0
        self._cut_off_since = 0.0
        self._known_runs: dict[str, None] = {}  # in the order of their last record

    def knows(self, run_id: str) -> bool:
        """Whether the store took a record of this run."""
        return run_id in self._known_runs

    def note_success(self, run_id: str) -> None:
        """The store took a record of this run."""
        self._known_runs.pop(run_id, None)
        self._known_runs[run_id] = None
        self.is_suspect = False

    def is_too_large(self, error: Exception, store: BackendStore, position: int, run_id: str) -> bool:
        """Whether the record at a position may pass in smaller parts: it failed before, and other writes pass."""
        is_again = position == self._position
        return is_again and not isinstance(error, StoreFullError) and self._takes_writes(store, run_id)

    def is_the_stores(self, error: Exception, store: BackendStore, position: int, run_id: str) -> bool:
        """Whether the record at a position, of this run, is to be sent again after it failed so."""
        if position != self._position:
            self._position, self._tries, self._cut_off, self.is_suspect = position, 0, 0, False
        self._tries += 1
        if isinstance(error, StoreFullError):  # a smaller write proves nothing: it may fit
            self.is_suspect = False
            return True
        if isinstance(error, StoreUnavailableError):
            return self._tries == 1 or not self._is_always_cut_off(store, run_id)
        self.is_suspect = self._takes_writes(store, run_id)
        return self._tries < FAILURE_TRIES or not self.is_suspect

    def _is_always_cut_off(self, store: BackendStore, run_id: str) -> bool:
        """Whether this record has failed each time for long, and another write has succeeded each time."""
        self.is_suspect = self._takes_writes(store, run_id)
        if not self.is_suspect:
            self._cut_off = 0
            return False
        self._cut_off += 1
        if self._cut_off == 1:
            self._cut_off_since = self._clock()
        return self._cut_off >= FAILURE_TRIES and self._clock() - self._cut_off_since >= CUT_OFF_S

    def _takes_writes(self, store: BackendStore, run_id: str) -> bool:
        """Whether the store takes the smallest write there is, for the record's run or for another one."""
        others = [known for known in reversed(self._known_runs) if known != run_id][:_RUNS_ASKED]
        for asked in filter(None, [run_id, *others]):  # an experiment's record belongs to no run
            try:
                store.beat(asked, LEASE_S)
            except NotFoundError:
                continue
            except Exception:  # noqa: BLE001 - a driver's error that came through says the same
                return False
            return True
        return False  # no run is stored yet: nothing behind this record could be stored without it
