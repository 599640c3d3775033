"""What dead writers left in the folders beside a living one: taken over, and stored before its own where it must be."""

import time
from collections.abc import Callable
from pathlib import Path

from runstore.backend import BackendStore
from runstore.errors import RunStoreError
from runstore.recording.adoption import Leftover, adopt
from runstore.recording.counts import WriterCounts
from runstore.recording.drain import HeldUpError, TryLaterError
from runstore.recording.keeping import Keeping
from runstore.recording.writers import leftovers

LEFTOVERS_INTERVAL_S = 60.0

_living: set[Path] = set()
"""The folders of this process's own writers, so that a look for leftovers need not ask for their locks."""


class Leftovers:
    """The journals of dead writers that one living writer has taken over; for its thread, but for :meth:`stop`."""

    def __init__(
        self, folder: Path, counts: WriterCounts, *, is_stopped: Callable[[], bool], keeping: Keeping | None = None
    ) -> None:
        """Takes nothing over yet.

        Args:
            folder: the living writer's.
            counts: its counts, which tell the runs that it writes to.
            is_stopped: whether the writer gave up.
            keeping: what is kept of what they left once it is stored; nothing by default.
        """
        self._folder = folder
        self._counts = counts
        self._is_stopped = is_stopped
        self._keeping = keeping
        self._adopted: dict[Path, Leftover] = {}
        self._looked_at = float("-inf")
        _living.add(folder)

    def __bool__(self) -> bool:
        """Whether some of what was taken over is not stored yet."""
        return bool(self._adopted)

    @property
    def are_gone(self) -> bool:
        """Whether there is nothing, neither taken over nor to be taken over."""
        return not self._adopted and not leftovers(self._folder.parent, besides=_living)

    @property
    def position(self) -> int:
        """Moves when a record of theirs goes through; says no more than that."""
        return sum(leftover.position for leftover in list(self._adopted.values()))

    def stop(self) -> None:
        """Ends a step that is under way, between two calls of the store."""
        for leftover in list(self._adopted.values()):
            leftover.drain.is_stopped = True

    def let_go(self) -> None:
        """Leaves the rest to others, and the folder of the living writer as well."""
        _living.discard(self._folder)
        for leftover in self._adopted.values():
            leftover.let_go()

    def step(self, store: BackendStore, *, is_asked: bool) -> bool:
        """Stores a part of what dead writers left; whether there is more of it.

        What belongs to a run that this process writes to as well goes in whole, before this process's own: an older
        value must not be written over a newer one.

        Raises:
            TryLaterError: the store is away, or fails on a record that our own must not overtake.
        """
        self._adopt_new(is_asked=is_asked)
        has_more = False
        for folder, adopted in list(self._adopted.items()):
            try:
                is_done = self._step_one(store, adopted)
            except HeldUpError:
                continue  # its run may begin yet: looked at again in the next round
            except OSError as error:
                adopted.warn_once(error)
                continue
            if is_done:
                del self._adopted[folder]
            has_more = has_more or not is_done
        return has_more

    def _adopt_new(self, *, is_asked: bool) -> None:
        now = time.monotonic()
        if not is_asked and now - self._looked_at < LEFTOVERS_INTERVAL_S:
            return
        self._looked_at = now
        for folder in leftovers(self._folder.parent):
            if folder != self._folder and folder not in self._adopted:
                adopted = adopt(folder, self._keeping)
                if adopted is not None:
                    self._adopted[folder] = adopted

    def _step_one(self, store: BackendStore, adopted: Leftover) -> bool:
        """Stores a part of one dead writer's records, or all that must go before our own; whether that was the rest.

        Raises:
            TryLaterError: the store is away, or fails on a record that our own must not overtake.
            HeldUpError: the rest has to wait, which is no reason to keep others waiting.
            OSError: the journal cannot be read.
        """
        is_shared = not adopted.journal.runs().isdisjoint(self._counts.runs)
        try:
            while adopted.step(store, in_hand=self._counts.runs):
                if not is_shared or self._is_stopped():
                    return False
        except HeldUpError:
            raise
        except TryLaterError as error:
            cause = error.__cause__
            if is_shared or (isinstance(cause, RunStoreError) and cause.is_transient):
                raise
            raise HeldUpError from cause
        return True
