"""What was found among the installed packages: to look for it reads a file of every one of them."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

FoundT = TypeVar("FoundT")
_State = tuple[tuple[str, tuple[int, int, int] | None], ...]


class Installed(Generic[FoundT]):
    """What ``look`` found last, for as long as the folders that Python imports from are as they were.

    There is no lock, which a forked child could find held: of two threads that look at once, either is right.
    """

    def __init__(self, look: Callable[[], FoundT]) -> None:
        self._look = look
        self._found: tuple[_State, FoundT] | None = None

    def get(self, *, afresh: bool = False) -> FoundT:
        """What is found now.

        Args:
            afresh: look also where no folder has changed: into a package's, which was made a moment ago, files may still come.
        """
        state = _state_of_path()  # before the look: what comes meanwhile is looked for the next time
        found = self._found
        if afresh or found is None or found[0] != state:
            self._found = found = state, self._look()
        return found[1]


def _state_of_path() -> _State:
    """The folders and archives of ``sys.path``, and when something was added to each or taken from it."""
    return tuple((str(entry), _state_of(entry or os.curdir)) for entry in sys.path)


def _state_of(place: str) -> tuple[int, int, int] | None:
    try:
        found = Path(place).stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns
