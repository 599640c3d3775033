"""Files that appear whole or not at all, wherever writing them is stopped."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from runstore.local.system import keep, put_in_place


def hidden_beside(target: Path) -> Path:
    """A new hidden name in a file's folder."""
    return target.with_name(f".{os.urandom(16).hex()}.part")


@contextlib.contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """A path to write to. What is there when the block ends is removed; who wants to keep it moves it before."""
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing(target: Path, *, by: Path | None = None) -> Iterator[Path]:
    """A path to write to, whose file takes the target's place when the block ends well.

    Args:
        target: the file that is replaced, or appears.
        by: where it is written until then, on the same file system. By default a hidden file of a new name beside it; a
            name of one's own is written over by the next try, so that a killed process leaves one at most.
    """
    with unfinished(by or hidden_beside(target)) as path:
        yield path
        put_in_place(path, target)


def write_whole(target: Path, content: bytes, *, by: Path | None = None, sync: bool = False) -> None:
    """Puts bytes in the place of a file's content; see :func:`replacing`.

    Args:
        target: the file.
        content: all that it holds from now on.
        by: where it is written first.
        sync: whether the bytes are on disk before they take the place.

    Raises:
        OSError: they could not be written; the file is as it was.
    """
    with replacing(target, by=by) as path, path.open("wb") as file:
        file.write(content)
        if sync:
            file.flush()
            keep(file.fileno())
