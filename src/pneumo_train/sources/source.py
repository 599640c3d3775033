"""Where the chest X-rays come from: a directory or a zip that holds a metadata CSV and images.

Three layouts are understood: the RSNA-processed one (``stage2_train_metadata.csv`` beside ``Training/Images/*.png``),
images beside the CSV, and without a CSV folders of classes. What is chosen depends on names and columns alone, never on the order in which a file system
lists them. A CSV or folder of test data and a folder of masks are never chosen unless named.
"""

import dataclasses
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from pneumo_train.config.data import DataConfig
from pneumo_train.errors import SourceError
from pneumo_train.sources.class_folders import ClassFolders, find_class_folders
from pneumo_train.sources.listing import Listing, list_directory, list_zip
from pneumo_train.sources.names import ImageNames
from pneumo_train.sources.table import Header, Table, missing_columns
from pneumo_train.temporary import own_folder
from pneumo_train.words import IMAGE_ENDINGS, cleaned, enumerated

IMAGE_FOLDERS = ("Training/Images", "Train/Images", "Training", "Images", ".")
"""Where images are looked for, relative to the CSV, in this order; the first that holds any is taken whole."""

USUAL_CSV = "stage2_train_metadata.csv"

_FOREIGN_IMAGES = frozenset({".tif", ".tiff", ".bmp", ".gif", ".webp", ".jp2", ".jpe", ".jfif", ".npy", ".nii"})
_FOREIGN_TABLES = frozenset({".xlsx", ".xls", ".ods", ".tsv", ".tab", ".parquet", ".json"})
_TEST_WORD = re.compile(r"(?<![a-z])test", re.IGNORECASE)
_MASK_WORD = re.compile(r"(?<![a-z])masks?(?![a-z])", re.IGNORECASE)
_NAMES_SHOWN = 5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source that is ready to be read.

    Attributes:
        path: what the user named: the directory or the zip.
        config: what was asked for, with the columns that the table has.
        csv_path: the metadata table, on disk; the folder of the classes where these stand for one.
        csv_name: its path inside the source, or ``None``.
        made: the table that was made from folders of classes, if there is no other.
        groups_path: the second table, on disk, if the configuration names one.
        images: finds the file of an image by its name.
        tables: the first row of every table, by its path inside the source.
        total_files: how many files there are, of any kind.
        foreign_images: what there is of images that are not read, for a message; empty if there are none.
        notes: what was decided about the layout, for a person to know.
    """

    path: Path
    config: DataConfig
    csv_path: Path
    csv_name: str | None
    made: Table | None
    groups_path: Path | None
    images: ImageNames
    tables: dict[str, Header]
    total_files: int
    foreign_images: str
    notes: tuple[str, ...]

    @property
    def table_name(self) -> str:
        """What the table is called, for people."""
        return "none (folders of classes)" if self.csv_name is None else self.csv_path.name


@contextmanager
def open_source(path: str | os.PathLike[str], config: DataConfig | None = None) -> Iterator[Source]:
    """The source's table and images, unpacked if need be; temporary files are gone when the block ends, however it ends.

    Raises:
        SourceError: nothing there, no or several possible tables, no images, or an archive that is not safe to unpack.
    """
    config = config or DataConfig()
    with _listed(Path(path)) as listing:
        yield _source_of(listing, config)


@contextmanager
def _listed(path: Path) -> Iterator[Listing]:
    try:
        is_zip = not path.is_dir() and zipfile.is_zipfile(path)
    except OSError as error:
        raise SourceError(f"source {path}: cannot be read ({error.strerror or error})") from error
    if path.is_dir():
        yield list_directory(path)
    elif is_zip:
        with _opened_zip(path) as archive, _temporary_folder() as folder:
            yield list_zip(path, archive, folder)
    else:
        found = "a file that is no zip" if path.exists() else "nothing"
        if path.suffix.lower() == ".csv" and path.exists():
            found = "a table; name the folder that it lies in, and the table by data.csv_filename (--csv)"
            raise SourceError(f"source {path}: found {found}")
        raise SourceError(f"source {path}: found {found}; name a directory or a zip with a metadata CSV and images")


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    with ExitStack() as opened:
        try:
            folder = opened.enter_context(own_folder())
        except OSError as error:
            raise SourceError(
                f"no folder to unpack a zip into ({error}); set TMPDIR to one that can be written"
            ) from error
        yield folder


def survey(path: str | os.PathLike[str], config: DataConfig) -> dict[str, Any]:
    """What a source holds, as far as its names and the headers of its tables tell, also where it cannot be used.

    Returns:
        ``csv_files``, ``csv_file`` (the one that would be used), ``image_count`` (of all images, unless it is known which would be
        used), ``total_files``.
    """
    report: dict[str, Any] = {"csv_files": [], "csv_file": None, "image_count": 0, "total_files": 0}
    try:
        with _listed(Path(path)) as listing:
            report["csv_files"] = [str(file) for file in listing.csv_files()]
            report["total_files"] = len(listing.files)
            report["image_count"] = sum(file.suffix.lower() in IMAGE_ENDINGS for file in listing.files)
            if folders := _class_folders(listing, config):
                report["image_count"] = len(folders.films)
                return report
            table = _choose_csv(listing, config)
            report["csv_file"] = str(table)
            report["image_count"] = len(_choose_images(listing, table, config))
    except SourceError:
        pass  # told by the one who reads the source
    return report


def _source_of(listing: Listing, config: DataConfig) -> Source:
    folders = _class_folders(listing, config)
    table = None if folders else _choose_csv(listing, config)
    groups = _named_csv(listing, config.groups_csv, "data.groups_csv") if config.groups_csv else None
    if folders:
        images = [folders.root / film for film in folders.films]
    else:
        assert table is not None  # noqa: S101 - there is the one or the other
        images = _choose_images(listing, table, config)
    places = listing.locate(dict.fromkeys([*([table] if table else []), *([groups] if groups else []), *images]))
    where = listing.path / folders.root if folders else listing.path
    return Source(
        path=listing.path,
        config=folders.columns(config) if folders else config,
        csv_path=places[table] if table else where,
        csv_name=str(table) if table else None,
        made=folders.table(where) if folders else None,
        groups_path=places[groups] if groups else None,
        images=ImageNames({file: places[file] for file in images}),
        tables={str(file): listing.read_header(file) for file in listing.csv_files()},
        total_files=len(listing.files),
        foreign_images=_foreign(listing),
        notes=folders.notes if folders else (),
    )


def _class_folders(listing: Listing, config: DataConfig) -> ClassFolders | None:
    """The folders of classes, where no table is named and none has the columns; one with columns of other names may be meant."""
    if config.csv_filename:
        return None
    if tables := listing.csv_files():
        plain = DataConfig()
        wanted = (config.image_column, config.target_column)
        headers = [listing.read_header(file).columns for file in tables if not _TEST_WORD.search(file.name)]
        if wanted != (plain.image_column, plain.target_column) or any({*wanted} <= {*columns} for columns in headers):
            return None
    below = PurePosixPath(config.images_dir or ".")
    images = [
        file
        for file in listing.files
        if file.suffix.lower() in IMAGE_ENDINGS
        and file.is_relative_to(below)
        and not any(map(_MASK_WORD.search, file.parts[:-1]))
    ]
    return find_class_folders(images, origin=str(listing.path))


def _opened_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise SourceError(f"zip {path}: is damaged ({error}); pack or copy it again") from error


def _choose_csv(listing: Listing, config: DataConfig) -> PurePosixPath:
    if config.csv_filename:
        return _named_csv(listing, config.csv_filename, "data.csv_filename")
    tables = listing.csv_files()
    headers = {file: listing.read_header(file) for file in tables if not _TEST_WORD.search(file.name)}
    wanted = (config.image_column, config.target_column)
    usable = [file for file, header in headers.items() if {*wanted} <= {*header.columns}]
    if not usable:
        found = missing_columns([(str(file), header) for file, header in headers.items()][:_NAMES_SHOWN], wanted)
        left_out = [str(file) for file in tables if file not in headers]
        raise SourceError(
            f"source {listing.path}: no CSV with the columns {wanted[0]!r} and {wanted[1]!r}; "
            f"found {found or f'no CSV at all{_other_tables(listing)}'}{f' (not counting test data, as {left_out[0]})' if left_out else ''}; "
            "add one, name it (data.csv_filename), or name the columns (data.image_column, data.target_column); without a "
            f"table, folders called NORMAL and PNEUMONIA say the class{_image_folders(listing)}"
        )
    ranked = sorted((_csv_rank(file), file) for file in usable)
    best = [file for rank, file in ranked if rank == ranked[0][0]]
    if len(best) > 1:
        raise SourceError(
            f"source {listing.path}: {len(best)} CSV files could be meant: {_enumerate(best)}; name one (data.csv_filename)"
        )
    return best[0]


def _other_tables(listing: Listing) -> str:
    """What there is of tables in other formats, for a message."""
    others = [file for file in listing.files if file.suffix.lower() in _FOREIGN_TABLES]
    return f", but {_enumerate(others)}: save it as CSV" if others else ""


def _image_folders(listing: Listing) -> str:
    """What the folders of images are called where there is no table, for a message."""
    names = {file.parent.name for file in listing.files if file.suffix.lower() in IMAGE_ENDINGS} - {""}
    return (
        ""
        if listing.csv_files() or not names
        else f"; the images lie in {enumerated(sorted(names), at_most=_NAMES_SHOWN)}"
    )


def _csv_rank(file: PurePosixPath) -> tuple[int, int]:
    """The usual name first, then names that say training, then others; nearer to the top first."""
    name = file.name.lower()
    kind = 0 if name == USUAL_CSV else 1 if "train" in name else 2
    return kind, len(file.parts)


def _named_csv(listing: Listing, wanted: str, argument: str) -> PurePosixPath:
    path = PurePosixPath(cleaned(wanted))
    exact = [file for file in listing.files if cleaned(str(file)) == str(path)]
    named = exact or [file for file in listing.files if cleaned(file.name) == path.name and len(path.parts) == 1]
    least = min((len(file.parts) for file in named), default=0)
    nearest = [file for file in named if len(file.parts) == least]
    if len(nearest) != 1:
        found = _enumerate(nearest or listing.csv_files()) or "no CSV at all"
        raise SourceError(f"source {listing.path}: {argument} = {wanted!r} asked for one file; found {found}")
    return nearest[0]


def _choose_images(listing: Listing, table: PurePosixPath, config: DataConfig) -> list[PurePosixPath]:
    images = [file for file in listing.files if file.suffix.lower() in IMAGE_ENDINGS]
    if config.images_dir is not None:
        named = PurePosixPath(config.images_dir)
        for folder in (named, table.parent / named):
            inside = [file for file in images if file.is_relative_to(folder)]
            if inside:
                return inside
        raise SourceError(f"source {listing.path}: no image under data.images_dir = {config.images_dir!r}; it holds "
                          f"{len(images)} images in all{_foreign(listing)}")  # fmt: skip
    below = [file for file in images if file.is_relative_to(table.parent) and _is_film(file, table.parent)]
    for name in IMAGE_FOLDERS:
        found = [file for file in below if file.is_relative_to(table.parent / name)]
        if found:
            return found
    raise SourceError(
        f"source {listing.path}: no image ({', '.join(sorted(IMAGE_ENDINGS))}) beside or below {table}, not counting "
        f"folders of masks or test data{_foreign(listing)}; put the images into Training/Images beside it, or name their "
        "folder (data.images_dir)"
    )


def _foreign(listing: Listing) -> str:
    """What there is of images that are not read, for a message."""
    endings = Counter(file.suffix.lower() for file in listing.files if file.suffix.lower() in _FOREIGN_IMAGES)
    return "".join(
        f"; {count:,} {ending} files are there: convert them to PNG" for ending, count in endings.most_common(1)
    )


def _is_film(file: PurePosixPath, base: PurePosixPath) -> bool:
    folders = file.relative_to(base).parts[:-1]
    return not any(_MASK_WORD.search(part) or _TEST_WORD.search(part) for part in folders)


def _enumerate(files: list[PurePosixPath]) -> str:
    return enumerated([str(file) for file in files], at_most=_NAMES_SHOWN)
