"""The files of a directory or a zip: their names, the headers of tables, and where they lie once they are needed."""

import dataclasses
import io
import logging
import os
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from pneumo_train.errors import SourceError
from pneumo_train.sources.table import Header
from pneumo_train.words import shown

_log = logging.getLogger(__name__)

MAX_MEMBERS = 2_000_000
MAX_MEMBER_BYTES = 1 << 30
MAX_RATIO = 200
"""Limits of an archive: a chest film in PNG or JPEG hardly compresses, a table by a factor of 10 to 30."""

_UTF_8_FLAG = 0x800
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError)
"""What zipfile raises on members that are cut short, changed or packed in a way it does not know."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The files of a source.

    Attributes:
        path: the directory or zip.
        files: their paths inside it, in order.
        read_header: the first row of a table.
        locate: where these files lie; of a zip they are unpacked for it.
    """

    path: Path
    files: tuple[PurePosixPath, ...]
    read_header: Callable[[PurePosixPath], Header]
    locate: Callable[[Iterable[PurePosixPath]], Mapping[PurePosixPath, Path]]

    def csv_files(self) -> list[PurePosixPath]:
        """The tables, test data included."""
        return [file for file in self.files if file.suffix.lower() == ".csv"]


def list_directory(path: Path) -> Listing:
    """The files below a directory, also through symbolic links: images often lie on another disk."""
    places = dict(
        sorted((PurePosixPath(*map(true_name, place.relative_to(path).parts)), place) for place in _walk(path))
    )

    def read_header(file: PurePosixPath) -> Header:
        try:
            with places[file].open(encoding="utf-8-sig", errors="replace", newline="") as stream:
                return Header.read(stream)
        except OSError as error:
            return Header(trouble=f"cannot be read ({error.strerror or error})")

    return Listing(
        path=path,
        files=tuple(places),
        read_header=read_header,
        locate=lambda files: {file: places[file] for file in files},
    )


def list_zip(path: Path, archive: zipfile.ZipFile, folder: Path) -> Listing:
    """The files of a zip, which are unpacked into the folder when they are needed.

    Raises:
        SourceError: the archive is not safe to unpack.
    """
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise SourceError(f"zip {path}: {len(infos):,} members; at most {MAX_MEMBERS:,} are accepted")
    for info in infos:
        _check_member(path, info)
    members = [(PurePosixPath(_name_of(info)), info) for info in infos if not info.is_dir()]
    if len({name for name, _ in members}) != len(members):
        raise SourceError(f"zip {path}: holds a member of the same name twice; pack it again")
    by_name = dict(sorted(member for member in members if not any(_is_hidden(part) for part in member[0].parts)))

    def read_header(file: PurePosixPath) -> Header:
        try:
            with (
                archive.open(by_name[file]) as member,
                io.TextIOWrapper(member, encoding="utf-8-sig", errors="replace", newline="") as stream,
            ):
                return Header.read(stream)
        except _DAMAGE as error:
            raise SourceError(f"zip {path}: member {file} is damaged ({error}); pack or copy it again") from error

    def unpack(files: Iterable[PurePosixPath]) -> dict[PurePosixPath, Path]:
        chosen = {file: by_name[file] for file in files}
        needed, free = sum(info.file_size for info in chosen.values()), shutil.disk_usage(folder).free
        if needed > free:
            raise SourceError(
                f"zip {path}: needs {needed:,} bytes unpacked, {free:,} are free in {folder.parent}; unpack it elsewhere "
                "and name that directory, or set TMPDIR"
            )
        return {file: _unpack(archive, info, folder / _on_disk(file)) for file, info in chosen.items()}

    return Listing(path=path, files=tuple(by_name), read_header=read_header, locate=unpack)


def _walk(root: Path) -> Iterator[Path]:
    """Every file, no hidden one, each folder once; a pipe or device is no file, and a folder we may not read is named."""

    def leave_out(error: OSError) -> None:
        _log.warning("source %s: %s cannot be read and is left out (%s)", root, error.filename, error.strerror)

    seen: set[str] = set()
    for folder, folders, names in os.walk(root, followlinks=True, onerror=leave_out):
        real = os.path.realpath(folder)
        folders[:] = [] if real in seen else sorted(name for name in folders if not _is_hidden(name))
        if real in seen:
            continue
        seen.add(real)
        for name in names:
            place = Path(folder, name)
            # A link that leads nowhere stays: it is named when it is needed.
            if not _is_hidden(name) and not _is_special(place):
                yield place


def _is_special(place: Path) -> bool:
    """Whether it is a pipe, a socket or a device, which would be waited for when read."""
    try:
        mode = place.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode)


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # zipfile hands out at most the size that was checked, and compares the CRC.
        with archive.open(info) as member, target.open("wb") as copy:
            shutil.copyfileobj(member, copy, 1 << 20)
    except _DAMAGE as error:
        raise SourceError(
            f"zip {archive.filename}: member {shown(_name_of(info))} is damaged or cannot be unpacked ({error})"
        ) from error
    return target


def _check_member(path: Path, member: zipfile.ZipInfo) -> None:
    """Refuses what could write outside the folder, cannot be read, or unpacks to far more than it is."""
    name = member.orig_filename
    refusal = None
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        refusal = "an absolute path"
    elif ".." in re.split(r"[/\\]", name):
        refusal = "a path that leaves the archive ('..')"
    elif "\\" in name or "\0" in name:
        refusal = "a path with a backslash or NUL"
    elif stat.S_ISLNK(member.external_attr >> 16):
        refusal = "a symbolic link"
    elif member.flag_bits & 0x1:
        refusal = "encrypted"
    elif member.file_size > MAX_MEMBER_BYTES:
        refusal = f"{member.file_size:,} bytes unpacked, over the limit of {MAX_MEMBER_BYTES:,}"
    elif member.file_size > 1 << 20 and member.file_size > MAX_RATIO * max(1, member.compress_size):
        refusal = f"over {MAX_RATIO} times larger unpacked than packed, as in a zip bomb"
    if refusal:
        raise SourceError(f"zip {path}: member {name!r} is refused: {refusal}; nothing was unpacked")


def _name_of(member: zipfile.ZipInfo) -> str:
    """The member's name; macOS writes UTF-8 without saying so, which zipfile takes for the code page of DOS."""
    if member.flag_bits & _UTF_8_FLAG or member.filename.isascii():
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def true_name(name: str) -> str:
    """A file's name as text, in any locale: UTF-8 if it is that, else Latin-1."""
    raw = os.fsencode(name)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _on_disk(file: PurePosixPath) -> str:
    """The path as this process can write it, whatever its locale can spell."""
    return os.fsdecode(str(file).encode("utf-8", "surrogateescape"))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
