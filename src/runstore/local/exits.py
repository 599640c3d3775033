"""How a process ends that a signal or Ctrl-C has ended, whatever is done meanwhile."""

import signal
import sys
from contextlib import suppress
from typing import Final

if sys.platform == "win32":
    # Ctrl-Break is what a Windows program is asked to end by, as SIGTERM elsewhere; so is the end of its console.
    ENDINGS: Final = (signal.SIGTERM, signal.SIGBREAK)
else:
    ENDINGS: Final = (signal.SIGTERM,)


def keep_ctrl_c() -> None:
    """Has the process still die of SIGINT where Ctrl-C ended it, to be called last by what is done at its exit.

    A shell stops a script by that. CPython notes the unhandled Ctrl-C in a flag of the whole process, which each ``exec``
    of a text clears, and SQLAlchemy makes functions of texts when a statement is built for the first time. To raise it
    from a text again sets the flag again.
    """
    if hasattr(sys, "ps1") or sys.flags.interactive:  # a person goes on after Ctrl-C, and ends the process later
        return
    error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    if isinstance(error, KeyboardInterrupt):
        with suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102 - a fixed text
