"""Recorders that end as their process would, and journals that stand still."""

from collections.abc import Callable
from pathlib import Path

from runstore.recording import Recorder
from runstore.recording.cursor import load_cursor
from support.waiting import wait_until


def wait_for(condition: Callable[[], bool]) -> None:
    """Waits for a condition that the test's own line tells well enough, asked often."""
    wait_until(condition, "the condition of the test", pause_s=0.005)


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
