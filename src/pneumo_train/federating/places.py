"""Folders for as long as a federation runs, with names short enough for sockets in them."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LONGEST = 20
"""Of the folder for temporary files, in bytes: a socket's path may have 107, and Ray takes 65 of them."""


@contextmanager
def own_folder() -> Iterator[Path]:
    """A new folder that only this user may enter; it goes when the block is left."""
    is_short = len(os.fsencode(tempfile.gettempdir())) <= _LONGEST
    where = None if is_short else "/tmp"  # noqa: S108 - a new folder of our own in it
    with tempfile.TemporaryDirectory(prefix="pneumo-", dir=where, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
