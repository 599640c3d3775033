"""Recorders that end as their process would, and journals that stand still."""

import threading
from collections.abc import Callable
from pathlib import Path

from runstore.recording import Recorder
from runstore.recording.cursor import load_cursor


def wait_for(condition: Callable[[], bool]) -> None:
    """Waits for what must happen; a minute is too long for a machine however busy."""
    pause = threading.Event()
    for _ in range(12_000):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("it never came true")


def die(recorder: Recorder, *, deadline_s: float | None = 0.0) -> None:
    """Closes a recorder, without waiting for its store, and returns once nobody holds its journal any more.

    ``close`` itself leaves behind a thread that is slow to end. The lock on the journal goes with the thread, and until then
    whoever looks for what dead writers left passes by.
    """
    writer = recorder._writer  # noqa: SLF001 - after the end nobody knows it any more
    recorder.close(deadline_s=deadline_s)
    wait_for(lambda: writer is None or writer.has_ended)


def stand_still(recorder: Recorder) -> Path:
    """The folder of a recorder's journal once all is stored and nothing in it changes any more, so that it can be copied."""
    recorder.flush()
    writer = recorder._writer  # noqa: SLF001 - where its journal ends
    assert writer is not None
    wait_for(lambda: load_cursor(writer.journal.folder).position == writer.journal.end)
    return writer.journal.folder
