"""Images that are named on a command line: files, folders and zips, a few in memory at a time."""

import dataclasses
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePath, PurePosixPath

from pneumo_train.errors import ConfigError
from pneumo_train.sources.listing import Listing, list_directory, list_zip, true_name
from pneumo_train.temporary import own_folder
from pneumo_train.words import IMAGE_ENDINGS, on_one_line


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An image.

    Attributes:
        name: as it is called in what is written: the path that was given, with the path inside a folder or a zip behind it; text that every
            file can hold, whatever bytes the path has.
        path: where its file lies now.
        trouble: why there is none; empty otherwise.
    """

    name: str
    path: Path
    trouble: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """All images that were named; a zip is unpacked batch by batch, and what was unpacked is removed again.

    Attributes:
        sources: what was named, and the images in it; ``None`` for a file.
    """

    sources: tuple[tuple[Path, Listing | None, tuple[PurePosixPath, ...]], ...]

    def __len__(self) -> int:
        """How many there are."""
        return sum(len(files) if listing else 1 for _, listing, files in self.sources)

    def batches(self, size: int) -> Iterator[list[Named]]:
        """So many at a time; a file lies at its path until the next batch is asked for."""
        waiting: list[Named] = []
        for given, listing, files in self.sources:
            if listing is None:
                waiting.append(Named(name=called(given), path=given))
                if len(waiting) < size:
                    continue
            if waiting:
                yield waiting
                waiting = []
            for start in range(0, len(files), size):
                yield from _located(given, listing, files[start : start + size])
        if waiting:
            yield waiting


@contextmanager
def open_images(given: Sequence[str]) -> Iterator[Images]:
    """The images of files, folders and zips, as long as the block lasts.

    Raises:
        ConfigError: a path is not there, a folder or a zip has no images, or there is no place to unpack.
        SourceError: a zip is not safe to unpack.
    """
    with own_folder() as folder, ExitStack() as opened:
        yield Images(sources=tuple(_listed(Path(each), opened, folder) for each in given))


def called(path: Path) -> str:
    """The path as text: a name on disk is bytes, which need not be UTF-8."""
    return str(PurePath(*map(true_name, path.parts)))


def _located(given: Path, listing: Listing | None, files: Sequence[PurePosixPath]) -> Iterator[list[Named]]:
    assert listing is not None  # noqa: S101 - a file has no files in it
    try:
        places = listing.locate(files)
    except Exception:  # noqa: BLE001 - one damaged member must not hide the others
        places = {}
    named = []
    for file in files:
        name = str(PurePath(called(given)) / file)
        if file in places:
            named.append(Named(name=name, path=places[file]))
            continue
        try:
            named.append(Named(name=name, path=listing.locate([file])[file]))
        except Exception as error:  # noqa: BLE001 - as above
            named.append(Named(name=name, path=given, trouble=on_one_line(str(error))))
    try:
        yield named
    finally:
        if given.is_file():  # a zip: what was unpacked is a copy
            for each in named:
                if not each.trouble:
                    each.path.unlink(missing_ok=True)


def _listed(path: Path, opened: ExitStack, folder: Path) -> tuple[Path, Listing | None, tuple[PurePosixPath, ...]]:
    if path.is_dir():
        listing = list_directory(path)
    elif not path.is_file():
        raise ConfigError(f"image {called(path)!r}: is not there; name image files, folders of them, or zips")
    elif path.suffix.lower() == ".zip":
        try:
            archive = opened.enter_context(zipfile.ZipFile(path))
        except (zipfile.BadZipFile, OSError) as error:
            raise ConfigError(f"zip {called(path)!r}: is damaged ({error}); pack or copy it again") from error
        place = Path(tempfile.mkdtemp(dir=folder))
        listing = list_zip(path, archive, place)
    else:
        return path, None, ()
    files = tuple(file for file in listing.files if file.suffix.lower() in IMAGE_ENDINGS)
    if not files:
        raise ConfigError(
            f"{called(path)!r}: holds no image ({', '.join(sorted(IMAGE_ENDINGS))}); name a folder or a zip that does"
        )
    return path, listing, files
