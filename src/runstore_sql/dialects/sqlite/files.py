"""Whether a SQLite file can be used as it is asked for, told before anything is done."""

import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from runstore.errors import SchemaError, StoreFailureError
from runstore.local.locks import are_bytes_locked, has_no_locks, probe_byte_locks
from runstore.local.open_files import SIDE_FILES, key_of, names_of
from runstore.local.system import owner_of

_LOOKS: Final = 20
"""How often a file is looked at that changes between two looks."""
_SHARED_LOCKS: Final = (0x40000002, 510)  # start and length: https://www.sqlite.org/fileformat2.html, 1.3.1 and os.h


def check_file(path: Path, shown_url: str, *, read_only: bool) -> None:
    """Refuses a path at which no store can be opened as asked; makes the folder of a new one.

    Raises:
        SchemaError: opened for reading, and there is no file.
        StoreFailureError: it cannot be read or written; says what to change.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        real = Path(os.path.realpath(path))
        if path.is_symlink() and not real.parent.is_dir():
            raise StoreFailureError(
                f"{shown_url} is a link to {path.readlink()}, which is not there; make that folder, or give another path"
            ) from None
        if read_only:
            raise SchemaError(
                f"there is no store at {shown_url}: no such file; check the path: a store is made when a program first opens it to write runs"
            ) from None
        _make_folder(real.parent, shown_url)
        return
    except OSError as error:
        raise StoreFailureError(
            f"{shown_url} cannot be reached: {_said(error)}; give a path whose every folder can be entered"
        ) from error
    if stat.S_ISDIR(found.st_mode):
        raise StoreFailureError(f"{shown_url} is a folder; give a file in it, such as {path / 'runs.db'}")
    if not stat.S_ISREG(found.st_mode):
        raise StoreFailureError(f"{shown_url} is no regular file; give another path")
    if not _may(path, os.R_OK):
        raise StoreFailureError(
            f"{shown_url} cannot be read by this user; ask its owner, {owner_of(found)}, for the right to"
        )
    if not read_only:
        _check_writable(path, shown_url)
        if found.st_nlink > 1:
            _check_name(Path(os.path.realpath(path)), shown_url)


def _make_folder(folder: Path, shown_url: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreFailureError(
            f"the folder of {shown_url} cannot be made: {_said(error)}; give a path that can be written"
        ) from error
    _check_folder(folder, shown_url)


def _check_folder(folder: Path, shown_url: str) -> None:
    _check_right(folder, shown_url)
    _check_locks(folder, shown_url)


def _check_locks(folder: Path, shown_url: str) -> None:
    """Refuses a file system without locks: SQLite would wait for a lock for a minute, or call it a failed disk."""
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".runstore-") as scratch:
            probe_byte_locks(scratch.fileno())
    except OSError as error:
        if has_no_locks(error):
            raise StoreFailureError(
                f"{shown_url} cannot be used: the file system of {folder} has no file locks ({error.strerror}), by which "
                "SQLite keeps writers apart; put the file on a local disk, have the file system mounted with locks "
                "(Lustre: the option flock; NFS: its lock service), or use a database on a server"
            ) from error


def _check_right(folder: Path, shown_url: str) -> None:
    if not _may(folder, os.W_OK | os.X_OK):
        raise StoreFailureError(
            f"{shown_url} cannot be written: this user may not write in the folder {folder}, where SQLite keeps its log; "
            "change its permissions, or give another path"
        )


def _check_writable(path: Path, shown_url: str) -> None:
    real = Path(os.path.realpath(path))
    if not _may(real, os.W_OK):
        raise StoreFailureError(
            f"{shown_url} is read-only for this user; change its permissions, or open it with open_reader(url)"
        )
    _check_folder(real.parent, shown_url)
    for ending in SIDE_FILES:
        beside = real.with_name(real.name + ending)
        if (refused := _refused(beside)) is not None:
            raise StoreFailureError(
                f"{shown_url} cannot be written: {beside} belongs to {owner_of(refused)}, and this user may not write it; "
                "close what has the file open as that user, or change the permissions"
            )


def _refused(beside: Path) -> os.stat_result | None:
    """What is there that this user may not write. It may come and go at any moment, as others open and close the database.

    It is not opened to find out: closing it again would take away the locks that this process may have on it.
    """
    for _ in range(_LOOKS):
        found = _status(beside)
        if found is None or _may(beside, os.W_OK):
            return None
        again = _status(beside)
        if again is not None and (again.st_ino, again.st_ctime_ns) == (found.st_ino, found.st_ctime_ns):
            return again
    return found


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _check_name(path: Path, shown_url: str) -> None:
    """Refuses a file that is in use by another of its names (hard links): each name would have a log of its own."""
    here = [] if (file := key_of(path)) is None else names_of(file)
    is_by_another_name = (
        path not in here if here else not Path(f"{path}-wal").exists() and are_bytes_locked(path, *_SHARED_LOCKS)
    )
    if is_by_another_name:
        raise StoreFailureError(
            f"{shown_url} is in use by another of its names (hard links), and SQLite would keep a log beside each, which "
            "damages the file; open it by that name, or work with a copy"
        )


def _may(path: Path, wanted: int) -> bool:
    return os.access(path, wanted, effective_ids=os.access in os.supports_effective_ids)


def _said(error: OSError) -> str:
    return f"{error.strerror} ({error.filename})" if error.filename else str(error)
