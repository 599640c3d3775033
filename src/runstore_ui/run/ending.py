"""How a run stands or ended, in a sentence."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from runstore.model import Run, RunStatus
from runstore.texts import duration_text
from runstore_ui.table import WORDS
from runstore_ui.table.times import ago

_LONGEST: Final = 300


class Ending(Struct, frozen=True, kw_only=True):
    """What is said first of a run.

    Attributes:
        text: in a line: how it stands, after how long, and why it ended.
        last_line: of the traceback, which says where; empty if there is none or it says nothing more.
        traceback: all of it.
    """

    text: str
    last_line: str = ""
    traceback: str = ""


def ending_of(run: Run, now: datetime | None, progress: str = "") -> Ending:
    """How a run stands now, and how far it has come where that is known; where there is no now, as in a file, with exact times."""
    word = WORDS.get(str(run.status), str(run.status))
    if run.status is RunStatus.IN_PROGRESS:
        far = f", {progress}" if progress else f" for {duration_text(run)}"
        return Ending(text=f"{word}{far}, last sign {ago(run.heartbeat_at, now)}")
    if run.status is RunStatus.LOST:
        return Ending(text=f"{word}: its process gave the last sign {ago(run.heartbeat_at, now)}")
    after = f"{word} after {duration_text(run)}"
    if run.failure is None:
        return Ending(text=after)
    message = run.failure.message.strip()
    first = message.splitlines()[0] if message else ""
    lines = [line for line in run.failure.traceback.splitlines() if line.strip()]
    last = lines[-1].strip() if lines else ""
    said = f"{run.failure.type}: {first}" if first else run.failure.type
    return Ending(
        text=f"{after}: {said[:_LONGEST]}",
        last_line="" if last in said else last[:_LONGEST],
        traceback=run.failure.traceback,
    )
