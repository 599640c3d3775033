"""Whose fault a failure is, when the store fails on a record for a reason that time may not mend.

A full disk of the database, a lost permission and a record that trips a bug of the backend look alike: the call fails,
and not for want of a connection. A server that cuts the connection because a packet is too large, or a call because it
takes too long, looks like one that is away. The difference shows in other writes. While those fail as well, the store is
to blame and the record waits for as long as it takes; once they succeed, again and again, the record is.
"""

import time
from collections.abc import Callable

from runstore.backend import BackendStore
from runstore.errors import NotFoundError, StoreFullError, StoreUnavailableError
from runstore.recording.apply import LEASE_S

FAILURE_TRIES = 8
"""How often a record is sent before other writes are tried; with the pauses between them about ten seconds."""

CUT_OFF_S = 120.0
"""How long a record is tried on which the store always seems to be away, while it takes other writes each time."""

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
        """Whether this record fails each time, and another write passes each time; one chance meeting proves nothing."""
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
