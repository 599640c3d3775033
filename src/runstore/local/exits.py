"""How a process ends that Ctrl-C has ended, whatever is done meanwhile."""

import sys
from contextlib import suppress


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
