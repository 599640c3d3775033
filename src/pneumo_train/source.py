"""Where the chest X-rays come from: a directory or a zip that holds a metadata CSV and images.

Two layouts are understood: the RSNA-processed one (``stage2_train_metadata.csv`` beside ``Training/Images/*.png``) and
images beside the CSV. What is chosen depends on names and columns alone, never on the order in which a file system
lists them. A CSV or folder of test data and a folder of masks are never chosen unless named.
"""

import csv
import dataclasses
import io
import os
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from pneumo_train.config import DataConfig
from pneumo_train.errors import SourceError

IMAGE_ENDINGS = frozenset({".png", ".jpg", ".jpeg"})
IMAGE_FOLDERS = ("Training/Images", "Train/Images", "Training", "Images", ".")
"""Where images are looked for, relative to the CSV, in this order; the first that holds any is taken whole."""

USUAL_CSV = "stage2_train_metadata.csv"

MAX_MEMBERS = 2_000_000
MAX_MEMBER_BYTES = 1 << 30
MAX_RATIO = 200
"""Limits of an archive: a chest film in PNG or JPEG hardly compresses, a table by a factor of 10 to 30."""

_TEST_WORD = re.compile(r"(?<![a-z])test", re.IGNORECASE)
_MASK_WORD = re.compile(r"(?<![a-z])masks?(?![a-z])", re.IGNORECASE)
_NAMES_SHOWN = 5
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError)
"""What zipfile raises on members that are cut short, changed or packed in a way it does not know."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source that is ready to be read.

    Attributes:
        path: what the user named: the directory or the zip.
        csv_path: the metadata table, on disk.
        groups_path: the second table, on disk, if the configuration names one.
        images: the file of each image, by its name with and without the ending.
    """

    path: Path
    csv_path: Path
    groups_path: Path | None
    images: Mapping[str, Path]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """The files of a directory or zip, and how the beginning of one is read."""

    path: Path
    files: tuple[PurePosixPath, ...]
    read_header: Callable[[PurePosixPath], tuple[str, ...]]

    def csv_files(self) -> list[PurePosixPath]:
        return [file for file in self.files if file.suffix.lower() == ".csv"]


@contextmanager
def open_source(path: str | os.PathLike[str], config: DataConfig | None = None) -> Iterator[Source]:
    """The source's table and images, unpacked if need be; temporary files are gone when the block ends, however it ends.

    Raises:
        SourceError: nothing there, no or several possible tables, no images, or an archive that is not safe to unpack.
    """
    config = config or DataConfig()
    path = Path(path)
    if path.is_dir():
        yield _source_of(_list_directory(path), config, unpack=None)
    elif zipfile.is_zipfile(path):
        with _opened_zip(path) as archive, tempfile.TemporaryDirectory(prefix="pneumo-train-") as folder:
            yield _source_of(_list_zip(path, archive), config, unpack=_Unpacking(archive, Path(folder)))
    else:
        found = "a file that is no zip" if path.exists() else "nothing"
        raise SourceError(f"source {path}: found {found}; name a directory or a zip with a metadata CSV and images")


def validate_source(path: str | os.PathLike[str], config: DataConfig | None = None) -> dict[str, Any]:
    """What a source holds, without unpacking it or opening an image.

    Returns:
        ``valid``, ``csv_files``, ``image_count``, ``total_files``, ``csv_file`` (the one that would be used) and
        ``error`` (the message, or ``None``).
    """
    config = config or DataConfig()
    report: dict[str, Any] = {
        "valid": False, "csv_files": [], "csv_file": None, "image_count": 0, "total_files": 0, "error": None,
    }  # fmt: skip
    path = Path(path)
    try:
        if path.is_dir():
            _report_on(_list_directory(path), config, report)
        elif zipfile.is_zipfile(path):
            with _opened_zip(path) as archive:
                _report_on(_list_zip(path, archive), config, report)
        else:
            with open_source(path, config):
                pass
    except SourceError as error:
        report["error"] = str(error)
    return report


def _report_on(listing: _Listing, config: DataConfig, report: dict[str, Any]) -> None:
    report["csv_files"] = [str(file) for file in listing.csv_files()]
    report["total_files"] = len(listing.files)
    table = _choose_csv(listing, config)
    report["csv_file"] = str(table)
    report["image_count"] = len(_choose_images(listing, table, config))
    report["valid"] = True


class _Unpacking:
    """Copies chosen members of a zip into a folder."""

    def __init__(self, archive: zipfile.ZipFile, folder: Path) -> None:
        self._archive = archive
        self._folder = folder

    def __call__(self, files: list[PurePosixPath]) -> Path:
        """The folder, now holding these members under their own names."""
        needed = sum(self._archive.getinfo(str(file)).file_size for file in files)
        free = shutil.disk_usage(self._folder).free
        if needed > free:
            raise SourceError(
                f"zip {self._archive.filename}: needs {needed:,} bytes unpacked, {free:,} are free in "
                f"{self._folder.parent}; unpack it elsewhere and name that directory, or set TMPDIR"
            )
        for file in files:
            target = self._folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                # zipfile hands out at most the size that was checked, and compares the CRC.
                with self._archive.open(str(file)) as member, target.open("wb") as copy:
                    shutil.copyfileobj(member, copy, 1 << 20)
            except _DAMAGE as error:
                raise SourceError(f"zip {self._archive.filename}: member {file} is damaged ({error})") from error
        return self._folder


def _source_of(listing: _Listing, config: DataConfig, *, unpack: _Unpacking | None) -> Source:
    table = _choose_csv(listing, config)
    groups = _named_csv(listing, config.groups_csv, "data.groups_csv") if config.groups_csv else None
    images = _choose_images(listing, table, config)
    root = listing.path
    if unpack is not None:
        root = unpack([table, *([groups] if groups and groups != table else []), *images])
    return Source(
        path=listing.path,
        csv_path=root / table,
        groups_path=root / groups if groups else None,
        images=_index(images, root),
    )


def _opened_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise SourceError(f"zip {path}: is damaged ({error}); pack or copy it again") from error


def _list_directory(path: Path) -> _Listing:
    """The files below a directory, also through symbolic links: images often lie on another disk."""
    files: list[PurePosixPath] = []
    seen: set[str] = set()
    for folder, folders, names in os.walk(path, followlinks=True):
        real = os.path.realpath(folder)
        folders[:] = [] if real in seen else sorted(name for name in folders if not _is_hidden(name))
        if real in seen:
            continue
        seen.add(real)
        relative = PurePosixPath(Path(folder).relative_to(path).as_posix())
        files.extend(relative / name for name in sorted(names) if not _is_hidden(name))

    def read_header(file: PurePosixPath) -> tuple[str, ...]:
        with (path / file).open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            return _header(stream)

    return _Listing(path=path, files=tuple(sorted(files)), read_header=read_header)


def _list_zip(path: Path, archive: zipfile.ZipFile) -> _Listing:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise SourceError(f"zip {path}: {len(members):,} members; at most {MAX_MEMBERS:,} are accepted")
    for member in members:
        _check_member(path, member)
    names = [PurePosixPath(member.filename) for member in members if not member.is_dir()]
    if len(set(names)) != len(names):
        raise SourceError(f"zip {path}: holds a member of the same name twice; pack it again")
    files = tuple(sorted(name for name in names if not any(_is_hidden(part) for part in name.parts)))

    def read_header(file: PurePosixPath) -> tuple[str, ...]:
        try:
            with (
                archive.open(str(file)) as member,
                io.TextIOWrapper(member, encoding="utf-8-sig", errors="replace", newline="") as stream,
            ):
                return _header(stream)
        except _DAMAGE as error:
            raise SourceError(f"zip {path}: member {file} is damaged ({error}); pack or copy it again") from error

    return _Listing(path=path, files=files, read_header=read_header)


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


def _header(stream: Any) -> tuple[str, ...]:
    try:
        return tuple(name.strip() for name in next(csv.reader(stream), []))
    except csv.Error:
        return ()


def _choose_csv(listing: _Listing, config: DataConfig) -> PurePosixPath:
    if config.csv_filename:
        return _named_csv(listing, config.csv_filename, "csv_filename")
    tables = listing.csv_files()
    candidates = [file for file in tables if not _TEST_WORD.search(file.name)]
    wanted = {config.image_column, config.target_column}
    usable = [file for file in candidates if wanted <= set(listing.read_header(file))]
    if not usable:
        raise SourceError(
            f"source {listing.path}: no CSV with the columns {config.image_column!r} and {config.target_column!r}; "
            f"found {_enumerate(tables) or 'no CSV at all'}; add one, name it (csv_filename), or name the columns "
            "(data.image_column, data.target_column)"
        )
    ranked = sorted((_csv_rank(file), file) for file in usable)
    best = [file for rank, file in ranked if rank == ranked[0][0]]
    if len(best) > 1:
        raise SourceError(
            f"source {listing.path}: {len(best)} CSV files could be meant: {_enumerate(best)}; name one (csv_filename)"
        )
    return best[0]


def _csv_rank(file: PurePosixPath) -> tuple[int, int]:
    """The usual name first, then names that say training, then others; nearer to the top first."""
    name = file.name.lower()
    kind = 0 if name == USUAL_CSV else 1 if "train" in name else 2
    return kind, len(file.parts)


def _named_csv(listing: _Listing, wanted: str, argument: str) -> PurePosixPath:
    path = PurePosixPath(wanted)
    exact = [file for file in listing.files if file == path]
    named = exact or [file for file in listing.files if file.name == path.name and len(path.parts) == 1]
    least = min((len(file.parts) for file in named), default=0)
    nearest = [file for file in named if len(file.parts) == least]
    if len(nearest) != 1:
        found = _enumerate(nearest or listing.csv_files()) or "no CSV at all"
        raise SourceError(f"source {listing.path}: {argument} = {wanted!r} asked for one file; found {found}")
    return nearest[0]


def _choose_images(listing: _Listing, table: PurePosixPath, config: DataConfig) -> list[PurePosixPath]:
    images = [file for file in listing.files if file.suffix.lower() in IMAGE_ENDINGS]
    if config.images_dir is not None:
        named = PurePosixPath(config.images_dir)
        for folder in (named, table.parent / named):
            inside = [file for file in images if file.is_relative_to(folder)]
            if inside:
                return inside
        raise SourceError(f"source {listing.path}: no image under images_dir = {config.images_dir!r}; it holds "
                          f"{len(images)} images in all")  # fmt: skip
    below = [file for file in images if file.is_relative_to(table.parent) and _is_film(file, table.parent)]
    for name in IMAGE_FOLDERS:
        found = [file for file in below if file.is_relative_to(table.parent / name)]
        if found:
            return found
    raise SourceError(
        f"source {listing.path}: no image ({', '.join(sorted(IMAGE_ENDINGS))}) beside or below {table}, not counting "
        "folders of masks or test data; put the images into Training/Images beside it, or name their folder (images_dir)"
    )


def _is_film(file: PurePosixPath, base: PurePosixPath) -> bool:
    folders = file.relative_to(base).parts[:-1]
    return not any(_MASK_WORD.search(part) or _TEST_WORD.search(part) for part in folders)


def _index(images: list[PurePosixPath], root: Path) -> dict[str, Path]:
    index: dict[str, Path] = {}
    for file in images:
        if clash := index.get(file.stem) or index.get(file.name):
            raise SourceError(
                f"two images are called {file.stem!r}: {clash.relative_to(root)} and {file}; "
                "name the folder to use (data.images_dir)"
            )
        index[file.name] = index[file.stem] = root / file
    return index


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _enumerate(files: list[PurePosixPath]) -> str:
    more = f" and {len(files) - _NAMES_SHOWN} more" if len(files) > _NAMES_SHOWN else ""
    return ", ".join(str(file) for file in files[:_NAMES_SHOWN]) + more
