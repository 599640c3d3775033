"""Callers who wait for what the store says of the record that they made."""

import threading

from runstore.local.flags import Flag
from runstore.model import Artifact, Run


class PendingVerdict:
    """What one caller waits for.

    Attributes:
        is_done: set once the store took the record or refused it.
        result: what it gave, if it took the record.
        error: why it refused it.
    """

    __slots__ = ("error", "is_abandoned", "is_done", "result")

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.is_done = Flag()
        self.is_abandoned = False
        self.result: Artifact | Run | None = None
        self.error: Exception | None = None


class Verdicts:
    """The verdicts that are waited for, by the positions of their records. Callers and the drain use it at once."""

    def __init__(self) -> None:
        """Nobody waits yet."""
        self._pending: dict[int, PendingVerdict] = {}
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        """Whether somebody waits."""
        return bool(self._pending)

    def __contains__(self, position: int) -> bool:
        """Whether somebody waits for the verdict on the record at a position."""
        return position in self._pending

    def expect(self, position: int, verdict: PendingVerdict) -> None:
        """Asks for the verdict on the record at a position; call it before the drain can reach the record."""
        with self._lock:
            self._pending[position] = verdict

    def abandon(self, position: int, verdict: PendingVerdict) -> bool:
        """Stops waiting for a verdict; ``False`` when it has just come."""
        with self._lock:
            self._pending.pop(position, None)
            verdict.is_abandoned = not verdict.is_done.is_set()
            return verdict.is_abandoned

    def give(self, position: int, *, result: Artifact | Run | None = None, error: Exception | None = None) -> bool:
        """Gives the verdict to the caller; ``False`` if nobody waits for it."""
        if not self._pending:
            return False
        with self._lock:
            verdict = self._pending.pop(position, None)
            if verdict is None or verdict.is_abandoned:
                return False
            verdict.result, verdict.error = result, error
            verdict.is_done.set()
            return True
