"""What in a folder that is logged is a store's own business, changes meanwhile, and is left out with a warning.

Journals of this machine would be copied into themselves, twice as much with each call; and bytes that are just being
written to the artifacts' folder are on their way to a place where they count.
"""

import logging
import os
import weakref
from pathlib import Path
from typing import Final

_log: Final = logging.getLogger(__name__)

# No lock, which a forked child could inherit held: each of these steps on a dictionary is one for other threads.
_places: Final[dict[int, tuple[Path, str]]] = {}


def leave_out(owner: object, folder: Path, what: str) -> None:
    """Has a folder left out, whether it is there already or not, for as long as its owner lives."""
    _places[id(owner)] = (folder, what)
    weakref.finalize(owner, _places.pop, id(owner), None).atexit = False


def left_out() -> dict[tuple[int, int], str]:
    """What each folder that is left out now is, by its device and inode."""
    found = {}
    for folder, what in set(list(_places.values())):  # noqa: C414 - a list is made in one step, a set is not
        try:
            status = os.stat(folder)  # noqa: PTH116 - once for each store, and pathlib takes twice as long
        except OSError:
            continue
        found[status.st_dev, status.st_ino] = what
    return found


def warn_of(folder: Path, what: str) -> None:
    """Says that a folder was left out of what was logged, unless it is empty."""
    with os.scandir(folder) as inside:
        if next(inside, None) is None:
            return
    _log.warning("%s is left out of the artifact: it holds %s", folder, what)
