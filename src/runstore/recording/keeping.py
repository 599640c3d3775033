"""How much of what the database has acknowledged is kept on disk, and for how long: settings, and who gives way first."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import Struct

from runstore.errors import SettingsError
from runstore.local.locks import take_lock
from runstore.recording.cursor import CURSOR, load_cursor
from runstore.recording.frames import PREAMBLE_SIZE
from runstore.recording.options import RecorderOptions
from runstore.recording.segments import SUFFIX
from runstore.recording.writers import LOCK_NAME, leftovers, remove_folder
from runstore.settings import first_given

KEPT: Final = "kept"
"""The folder beside the writers' ones that has the journals of those that have ended and stored everything."""

CHANGES: Final = "changes"
"""The folder in it that has what commands and pages have changed, a file a day."""

KEPT_MB: Final = 256
KEPT_MB_IN_ALL: Final = 2_048
KEPT_DAYS: Final = 7

_DAY_S: Final = 86_400.0
_STAGED: Final = "staged"
_TRIMMED: Final = "trimmed"
_INTERVAL_S: Final = 60.0
_MUCH: Final = 2**20


class Keeping(Struct, frozen=True, kw_only=True):
    """What is kept after the database has acknowledged it, to be sent again should it forget it.

    Attributes:
        writer_bytes: of the journal of each writer.
        all_bytes: of all journals of the state directory together.
        days: how long after the writer's end; 0 for not beyond it.
    """

    writer_bytes: int
    all_bytes: int
    days: int


def keeping_of(options: RecorderOptions) -> Keeping:
    """What the options say, or the variables, or what is usual.

    Raises:
        SettingsError: a variable is no whole number.
    """
    return Keeping(
        writer_bytes=_given(options.kept_bytes, "RUNSTORE_KEPT_MB", KEPT_MB, 10**6, "megabytes"),
        all_bytes=_given(options.kept_bytes_in_all, "RUNSTORE_KEPT_MB_IN_ALL", KEPT_MB_IN_ALL, 10**6, "megabytes"),
        days=_given(options.kept_days, "RUNSTORE_KEPT_DAYS", KEPT_DAYS, 1, "days"),
    )


def _given(option: int | None, variable: str, usual: int, unit: int, what: str) -> int:
    if option is not None:
        return option
    named = first_given([os.environ.get(variable)]) or str(usual)
    if not (named.isascii() and named.isdecimal()):
        raise SettingsError(f"{variable} is {named!r}; give a whole number of {what}, 0 to keep nothing")
    return int(named) * unit


def kept_journals(root: Path) -> list[Path]:
    """The folders of the ended writers of a store whose journals are kept, the oldest first."""
    with contextlib.suppress(OSError):
        return sorted(path for path in (root / KEPT).iterdir() if path.is_dir() and path.name != CHANGES)
    return []


class _Piece(NamedTuple):
    """What can be given up by itself: a segment, or the staged files of one call."""

    at: float
    path: Path
    size: int
    folder: Path


def is_trim_due(root: Path, writer: str) -> bool:
    """Whether a writer that has just ended is the one to look at all that is kept, and to make room.

    It has left much, or none has looked for a minute: a look costs some 50 µs for each ended writer, and a sweep of thousands
    of short runs ends one each second.
    """
    kept, note = root / KEPT / writer, root / KEPT / _TRIMMED
    with contextlib.suppress(OSError):
        since = time.time() - note.stat().st_mtime
        if 0 <= since < _INTERVAL_S and not (kept / _STAGED).exists() and _size_of(kept) < _MUCH:
            return False
    with contextlib.suppress(OSError):
        note.touch()
    return True


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob(f"*{SUFFIX}"))


def trim(base: Path, keeping: Keeping, *, own: Path | None = None) -> int:
    """Removes what is too old, and of ended writers the oldest until all fits.

    Args:
        base: the state directory.
        keeping: the bounds.
        own: the folder of the living writer that asks.

    Returns:
        How many bytes that writer may keep.
    """
    roots = list((base / "journals").glob("*/"))
    pieces = [
        piece
        for root in roots
        for folder in kept_journals(root)
        if not _is_over(folder, keeping.days)
        for piece in _pieces_of(folder)
    ]
    for root in roots:
        _trim_changes(root / KEPT / CHANGES, keeping.days)
    living = [folder for root in roots for folder in leftovers(root) if folder != own]
    others = sum(map(_acknowledged, living))
    mine = 0 if own is None else min(_acknowledged(own), keeping.writer_bytes)
    too_much = others + mine + sum(piece.size for piece in pieces) - keeping.all_bytes
    for piece in sorted(pieces):
        if too_much <= 0:
            break
        if _remove_piece(piece):
            too_much -= piece.size
    share = keeping.all_bytes // (len(living) + 1)
    return min(keeping.writer_bytes, max(keeping.all_bytes - others, share))


def _is_over(folder: Path, days: int) -> bool:
    """Whether a kept journal's time is over; then it is removed, unless somebody is just comparing it."""
    try:
        ended = (folder / CURSOR).stat().st_mtime
    except OSError:
        ended = 0.0  # what another process has left half removed, or is just removing
        with contextlib.suppress(OSError):
            ended = folder.stat().st_mtime
    if time.time() - ended < days * _DAY_S:
        return False
    with contextlib.suppress(OSError):
        lock = take_lock(folder / LOCK_NAME)
        if lock is not None:
            remove_folder(folder, lock)
    return True


def _pieces_of(folder: Path) -> Iterator[_Piece]:
    paths: list[Path] = []
    with contextlib.suppress(OSError):  # another process is just removing it
        paths = [*folder.glob(f"*{SUFFIX}"), *folder.glob(f"{_STAGED}/*")]
    for path in paths:
        with contextlib.suppress(OSError):
            files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
            yield _Piece(path.stat().st_mtime, path, sum(each.stat().st_size for each in files), folder)


def _remove_piece(piece: _Piece) -> bool:
    try:
        lock = take_lock(piece.folder / LOCK_NAME)
        if lock is None:
            return False
        if piece.path.is_dir():
            shutil.rmtree(piece.path, ignore_errors=True)
        else:
            piece.path.unlink(missing_ok=True)
        lock.release()
    except OSError:
        return False
    return True


def _trim_changes(folder: Path, days: int) -> None:
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if time.time() - path.stat().st_mtime >= days * _DAY_S:
                path.unlink(missing_ok=True)


def _acknowledged(folder: Path) -> int:
    """How many bytes of a living writer's journal the database has acknowledged."""
    with contextlib.suppress(OSError):
        position = load_cursor(folder).position
        sizes = [(int(path.stem), path.stat().st_size - PREAMBLE_SIZE) for path in folder.glob(f"*{SUFFIX}")]
        return sum(min(size, max(position - base, 0)) for base, size in sizes)
    return 0
