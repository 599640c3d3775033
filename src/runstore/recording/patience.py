"""How long one waits for a drain: long while records go through, and not for a database that takes none.

Two bounds, for two things: a database that takes nothing must not keep a program from ending, and one that is only
slow must not be given up on. So the wait is measured from the last record that went through, and has a limit of its own.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

_log = logging.getLogger(__name__)

FIRST_WORD_S = 3.0
"""A wait that is over by then is not worth a line."""

NEXT_WORD_S = 15.0

_LOOK_S: Final = 0.25
_BUSY_NS: Final = 50_000_000
"""Processor time by which a thread shows that it works on one record, as on a large file; one that hangs wants less."""


class Patience(Struct, frozen=True, kw_only=True):
    """How long to wait.

    Attributes:
        idle_s: since the last record went through, or since the beginning.
        first_s: the same until the first record has gone through.
        limit_s: in all.
    """

    idle_s: float
    first_s: float
    limit_s: float

    @classmethod
    def until(cls, deadline_s: float) -> "Patience":
        """So long, whatever goes through."""
        return cls(idle_s=deadline_s, first_s=deadline_s, limit_s=deadline_s)


class Backlog(Struct, frozen=True):
    """What is not stored yet: records, and their bytes."""

    records: int
    size: int


class Progress:
    """Watches a drain's thread, for one wait."""

    def __init__(
        self, position: Callable[[], int], thread: threading.Thread, *, is_away: Callable[[], bool] = lambda: False
    ) -> None:
        """Begins where the drain stands.

        Args:
            position: how far it is.
            thread: the drain's.
            is_away: whether it only tries again and again: that takes a processor as well, and is no progress.
        """
        self._position = position
        self._thread = thread
        self._is_away = is_away
        self._seen = position()
        self._busy_ns = _busy_ns(thread)

    def has_moved(self) -> bool:
        """Whether a record went through since it was asked last, or the thread was at work on one."""
        position, busy_ns = self._position(), _busy_ns(self._thread)
        if position == self._seen and (self._is_away() or busy_ns - self._busy_ns < _BUSY_NS):
            return False
        self._seen, self._busy_ns = position, busy_ns
        return True


def wait(  # noqa: PLR0913 - keyword-only past the question
    is_over: Callable[[], bool],
    *,
    patience: Patience,
    progress: Progress,
    lock: threading.RLock,
    moved: threading.Condition,
    backlog: Callable[[], Backlog],
    asked: str,
) -> None:
    """Waits until it is over or patience is at an end; the caller looks which.

    Args:
        is_over: asked with the condition held.
        patience: how long.
        progress: of the thread that is waited for.
        lock: that of ``moved``.
        moved: told of by that thread.
        backlog: what is waited for, for the lines that say so.
        asked: what to do about it, for the same lines.
    """
    began = moved_at = time.monotonic()
    idle_s = patience.first_s
    size_at_first: int | None = None
    speak_at = began + FIRST_WORD_S
    while True:
        with lock:
            if is_over():
                return
            now = time.monotonic()
            until = min(moved_at + idle_s, began + patience.limit_s)
            if now >= until:
                return
            moved.wait(min(until - now, _LOOK_S))
        if progress.has_moved():
            moved_at, idle_s = time.monotonic(), patience.idle_s
        now = time.monotonic()
        if size_at_first is None:
            size_at_first = backlog().size
        if now >= speak_at:
            speak_at = now + NEXT_WORD_S
            waiting = backlog()
            pace = _time_left(size_at_first, waiting.size, now - began)
            _log.warning("%d records wait to be stored%s; %s", waiting.records, pace, asked)


def _time_left(before: int, size: int, elapsed_s: float) -> str:
    stored = before - size
    if stored <= 0:
        return ", and the database has taken none yet"
    return f", for about {max(size * elapsed_s / stored, 1.0):.0f} s more at this pace"


def _busy_ns(thread: threading.Thread) -> int:
    """How long the thread was on a processor so far, or waited for one; 0 where that cannot be told."""
    try:
        on_processor, waited, _ = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text().split()
        return int(on_processor) + int(waited)
    except (OSError, ValueError):
        return 0
