"""What a session could not store: counted, told once, and the store left alone for a while after an outage."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from runstore.errors import RunStoreError
from runstore.training.losses import Lost
from runstore.training.sorting import Refused

_log = logging.getLogger("runstore.training.session")

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0

_MOST_NEWS = 20
"""So many kinds of mistakes are told one by one; a program that makes a new name each step fills no log."""

_IN_WORDS = {
    "begin": "its beginning",
    "log_metrics": "metrics",
    "log_config": "a config",
    "log_artifact": "an artifact",
    "set_note": "a note",
    "set_tags": "tags",
    "rename_run": "a name",
    "finalize": "its end",
    "close": "its closing",
}
"""What a verb brings, as its user would say it: a program may have called it by another name."""


class Misses:
    """The calls of one run that the store did not take. Every method may be called from any thread.

    Attributes:
        calls: how many calls were not stored, or not whole.
        points: how many metric points were not stored.
        last_error: what was wrong last.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing was missed yet.

        Args:
            clock: seconds that never go back.
        """
        self.calls = 0
        self.points = 0
        self._own = 0
        self.last_error: Exception | None = None
        self._clock = clock
        self._told: set[str] = set()
        self._pause_s = 0.0
        self._quiet_until = float("-inf")
        self._lock = threading.RLock()  # a signal handler may end the run

    @property
    def is_quiet(self) -> bool:
        """Whether the store failed a moment ago and is left alone."""
        return self._clock() < self._quiet_until

    def try_again_now(self) -> None:
        """Leaves the store alone no longer."""
        self._quiet_until = float("-inf")

    def count(self, points: int = 0) -> None:
        """Counts a call that was not made."""
        with self._lock:
            self.calls += 1
            self.points += points

    def note_failure(self, run_id: str, verb: str, error: Exception, *, points: int = 0) -> None:
        """Counts a call that failed, and tells of it unless it was told already."""
        with self._lock:
            self.calls += 1
            self.points += points
            self.last_error = error
            is_mistake = isinstance(error, RunStoreError) and error.is_mistake
            is_outage = isinstance(error, RunStoreError) and error.is_transient
            if is_mistake or (verb == "log_artifact" and not is_outage):
                # It is this call's own, such as a file that cannot be read, and no reason to keep others waiting.
                self._own += 1
                is_own = True
                is_news = self._is_news(run_id, f"{verb} {described(error)}")
            else:
                is_own = False
                is_news = not self._pause_s
                self._pause_s = min(max(_FIRST_PAUSE_S, 2 * self._pause_s), _LONGEST_PAUSE_S)
                self._quiet_until = self._clock() + self._pause_s
        if is_news:
            _log.warning(
                "run %s: %s; training goes on, and what is not stored is counted: %s",
                run_id,
                _in_words(verb, is_own=is_own),
                described(error),
            )

    def note_refused(
        self, run_id: str, refused: Sequence[Refused], error: Exception | None, *, points: int = 0
    ) -> None:
        """Counts a call of which parts were left out, and names each kind of them once."""
        with self._lock:
            self.calls += 1
            self._own += 1
            self.points += points
            self.last_error = error
            news = [part for part in refused if self._is_news(run_id, part.what)]
        for part in news:
            _log.warning(
                "run %s: %s is not stored; the rest is, training goes on, and what is left out is counted: %s",
                run_id,
                part.what,
                part.reason,
            )

    def note_success(self, run_id: str) -> None:
        """The store took a call; an outage is over."""
        if not self._pause_s:
            return
        with self._lock:
            self._pause_s = 0.0
        _log.info("run %s: the store takes writes again; %d calls were not stored", run_id, self.calls)

    def sum_up(self, run_id: str, status: str, lost: Lost) -> None:
        """Says at the end of a run what was not stored, if anything.

        Args:
            run_id: the run.
            status: how it ended.
            lost: what was lost after it had been accepted.
        """
        failed = self.calls - self._own
        points = self.points + lost.points
        told = [
            f"{self._own} of its calls brought what cannot be stored" if self._own else "",
            f"the store failed {failed} of its calls" if failed else "",
            f"{lost.calls} of its calls were accepted and could not be kept" if lost.calls else "",
            f"{points} metric points were not stored" if points else "",
        ]
        if self.calls or lost.calls:
            _log.warning(
                "run %s ended as %s; %s; last error: %s",
                run_id,
                status,
                ", and ".join(filter(None, told)),
                described(self.last_error),
            )

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the lock; another process asks the store at once."""
        return self.__dict__ | {"_lock": None, "_quiet_until": float("-inf")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The same counts, with a lock of their own."""
        self.__dict__.update(state)
        self._lock = threading.RLock()

    def _is_news(self, run_id: str, mistake: str) -> bool:
        """Whether a mistake is to be told: the first of its kind, and not one of very many kinds."""
        if mistake in self._told or len(self._told) > _MOST_NEWS:
            return False
        self._told.add(mistake)
        if len(self._told) > _MOST_NEWS:
            _log.warning("run %s: further mistakes of new kinds are counted and not told one by one", run_id)
            return False
        return True


def _in_words(verb: str, *, is_own: bool) -> str:
    """What was not stored; where it lies in the call itself, the store is not blamed."""
    what = _IN_WORDS.get(verb, verb)
    return f"{what} could not be stored" if is_own else f"the store did not take {what}"


def described(error: Exception | None) -> str:
    """An error in one line."""
    return "none" if error is None else f"{type(error).__name__}: {error}"
