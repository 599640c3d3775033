"""The local files of artifacts: which files a path names, how each is read, and how bytes are written out again.

Everything here says no by name: what cannot be read, or is no file or folder, is an error that names it, and nothing
is left out in silence (ART.5).
"""

import contextlib
import errno
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, BinaryIO, Final

from runstore.errors import InvalidValueError
from runstore.local.file_names import what_windows_minds
from runstore.local.left_out import left_out, warn_of
from runstore.local.open_files import database_at, database_of, opened_as_it_lies
from runstore.local.system import put_in_place
from runstore.local.whole_files import hidden_beside, unfinished
from runstore.values.checks import check_artifact_name

CHUNK: Final = 2**20
"""Bytes read or written at a time."""

_SHOWN: Final = 500
_IS_WINDOWS: Final = sys.platform == "win32"

_KINDS: Final = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

_Place = tuple[int, int]
"""Device and inode: what a folder is, whatever path leads to it."""


def files_of(path: Path, name: str) -> tuple[tuple[Path, str], ...]:
    """Each file that a path names, with the name of its artifact: the file itself, or all files below a folder.

    Links are followed, to folders too. A link to a folder that holds it leads round in a circle, and is not followed:
    what lies there is logged under its own name. Folders of the recorder's and of artifacts that are being written are
    left out, with a warning: see :mod:`runstore.local.left_out`.

    Nothing is opened but folders: to open and close a database's file would undo that database's locks. What SQLite
    keeps beside a database that this process has open is no file of its own: the copy of the database has it in it.

    Raises:
        InvalidValueError: names what is missing, unreadable, or neither a file nor a folder.
    """
    found = _status(path)
    if not stat.S_ISDIR(found.st_mode):
        _check_file(path, found)
        if (database := database_of(path)) is not None:
            raise InvalidValueError(
                f"{_named(path)} is a part of the database {_named(database)}, which this process has open; log "
                f"{_named(database)}: a whole copy of it is kept"
            )
        return ((path, name),)
    kept_out = left_out()
    if (what := kept_out.get(_place(found))) is not None:
        raise InvalidValueError(f"{_named(path)} holds {what}: it cannot be logged; log a folder of your own")
    files = tuple(_below(path, name, (_place(found),), kept_out))
    if not files:
        raise InvalidValueError(f"path {_named(path)} is a folder without files; there is nothing to log")
    return files


def chunks_of(path: Path) -> Iterator[bytes]:
    """The bytes of a file, at most a mebibyte at a time, up to the size that it had when it was opened.

    So a file that grows while it is read gives what it held at the start, and one that grows for ever comes to an end.
    Of a database that this process has open it gives a whole copy as it stands: see :mod:`runstore.local.open_files`.
    Who hashes and counts what this gives has a record that fits the bytes.

    Raises:
        InvalidValueError: the file is gone, unreadable, or no regular file any more.
    """
    try:
        with (
            _opened(path) as descriptor,
            open(descriptor, "rb", buffering=0, closefd=False) as source,
        ):
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise _no_file(path, found)
            yield from _read(source, found.st_size)
    except OSError as error:
        raise _unreadable(path, error) from error


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A descriptor to read a file by, closed afterwards if that does no harm.

    Of a database that this process has open it is one of a whole copy.

    Raises:
        OSError: it cannot be opened or copied.
    """
    database = database_at(path)
    if database is None:
        with opened_as_it_lies(path) as descriptor:
            yield descriptor
        return
    from runstore.local.sqlite_files import back_up  # noqa: PLC0415 - SQLite is loaded then, and otherwise need not be

    with tempfile.TemporaryDirectory(prefix="runstore-") as folder:
        copy = Path(folder) / "copy"
        back_up(database, copy)
        with copy.open("rb") as whole:
            yield whole.fileno()


def _read(source: IO[bytes], size: int) -> Iterator[bytes]:
    # Files of the kernel's own (/proc) say that they are empty; they are read to their end.
    left = size or None
    while left != 0:
        chunk = source.read(CHUNK if left is None else min(CHUNK, left))
        if not chunk:
            return
        if left is not None:
            left -= len(chunk)
        yield chunk


def copy_out(source: BinaryIO, target: Path, *, overwrite: bool = False) -> None:
    """Writes a stream to a file that appears whole or not at all, with the mode that the user's umask gives.

    Args:
        source: the bytes; it can be read from its start again.
        target: where they go; its folder is made if need be.
        overwrite: replace a file that is there already. Without it, a file with the same bytes is left as it is.

    Raises:
        InvalidValueError: there is a file with other bytes; what is there is no regular file (a folder, a device, a
            link), which is never replaced; the place cannot be written; or this is Windows, which cannot keep such a
            name.
    """
    if _IS_WINDOWS:
        _check_for_windows(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if _is_there(target, source, overwrite=overwrite):
            return
        with unfinished(hidden_beside(target)) as path:
            with path.open("xb") as copy:
                shutil.copyfileobj(source, copy, CHUNK)
            _put_in_place(path, target, overwrite=overwrite)
    except OSError as error:
        raise InvalidValueError(f"cannot write {_named(target)}: {_reason(error)}; give another place") from error


def _check_for_windows(target: Path) -> None:
    for part in target.parts[1:] if target.anchor else target.parts:
        if (why := what_windows_minds(part)) is not None:
            raise InvalidValueError(
                f"{_named(target)} cannot be written: on Windows no file can have this name, for {part!r} {why}; give "
                "another name"
            )


def _is_there(target: Path, source: BinaryIO, *, overwrite: bool) -> bool:
    """Whether the same bytes are there already; raises if something else is that may not be replaced."""
    try:
        found = target.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(found.st_mode):
        raise InvalidValueError(f"{_named(target)} is {_kind(found)}, which is never replaced; give the name of a file")
    if overwrite:
        return False
    with _opened(target) as descriptor, open(descriptor, "rb", closefd=False) as there:
        is_same = _are_equal(source, there)
    source.seek(0)
    if not is_same:
        raise _taken(target)
    return True


def _are_equal(one: BinaryIO, other: BinaryIO) -> bool:
    while True:
        chunk = one.read(CHUNK)
        if chunk != other.read(CHUNK):
            return False
        if not chunk:
            return True


def _put_in_place(written: Path, target: Path, *, overwrite: bool) -> None:
    if overwrite:
        put_in_place(written, target)
        return
    try:
        target.hardlink_to(written)  # unlike a rename, it never replaces what somebody made meanwhile
    except FileExistsError:
        raise _taken(target) from None
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}:
            raise
        if os.path.lexists(target):  # a file system without links: a moment is left in which it could appear
            raise _taken(target) from None
        put_in_place(written, target)


def _taken(target: Path) -> InvalidValueError:
    return InvalidValueError(
        f"{_named(target)} is there already, with other bytes; give another name, or ask to overwrite it (a command's --force)"
    )


def _below(
    folder: Path, name: str, above: tuple[_Place, ...], kept_out: Mapping[_Place, str]
) -> Iterator[tuple[Path, str]]:
    """The files below a folder, folder by folder, in the order of their names; ``above`` are the folders that hold it."""
    try:
        names = sorted(each.name for each in folder.iterdir())
    except OSError as error:
        raise _unreadable(folder, error) from error
    folders = []
    for each in names:
        path = folder / each
        found = _status(path)
        if stat.S_ISDIR(found.st_mode):
            folders.append((path, found))
            continue
        inner = check_artifact_name(f"{name}/{each}", f"the name of {_named(path)}")
        _check_file(path, found)
        if database_of(path) is None:
            yield path, inner
    for path, found in folders:
        place = _place(found)
        if place in kept_out:
            warn_of(path, kept_out[place])
        elif place not in above:
            yield from _below(path, f"{name}/{path.name}", (*above, place), kept_out)


def _status(path: Path) -> os.stat_result:
    """What is at a path, links followed."""
    try:
        return path.stat()
    except FileNotFoundError as error:
        if path.is_symlink():
            raise InvalidValueError(
                f"{_named(path)} is a broken link, to {_named(path.readlink())}; remove it, or log files"
            ) from error
        raise InvalidValueError(
            f"path {_named(path)} does not exist; give a file or a folder, or copy=False to record a URI"
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _check_file(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _no_file(path, found)
    if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        raise _unreadable(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def _place(found: os.stat_result) -> _Place:
    return found.st_dev, found.st_ino


def _kind(found: os.stat_result) -> str:
    kind = stat.S_IFMT(found.st_mode)
    return {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a link", **_KINDS}.get(kind, "no regular file")


def _no_file(path: Path, found: os.stat_result) -> InvalidValueError:
    return InvalidValueError(f"{_named(path)} is {_kind(found)}, neither a file nor a folder; remove it, or log files")


def _unreadable(path: Path, error: OSError) -> InvalidValueError:
    return InvalidValueError(
        f"{_named(path)} cannot be read: {_reason(error)}; nothing was logged; make it readable, or log other files"
    )


def _named(path: Path) -> str:
    """A path as an error names it: its control characters escaped, a very long one without its middle."""
    text = repr(str(path))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]}…{text[-_SHOWN // 2 :]}"


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
