"""What every format gives: a source of runs."""

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from runstore.backend import NewExperiment
from runstore.errors import InvalidValueError, SourceError
from runstore.importing.report import Findings, RunFindings, Told
from runstore.moving import ArrivingFile, ArrivingRun
from runstore.values.checks import check_artifact_name

MOST_TEXT: Final = 2**20
"""Bytes of a small file of a source, such as a parameter's: what is larger is none."""

_OTHERS: Final = frozenset({"mlruns", "wandb", "checkpoints"})
_MOST_DEPTH: Final = 60
_MOST_FILES: Final = 100_000


class Source(ABC):
    """Runs that another tool has left. It is read only, and nothing in it is run or unpickled.

    Attributes:
        format: the word of its format: ``mlflow``.
        shown: the folder, file or URL, without secrets.
    """

    format: str
    shown: str

    @abstractmethod
    def count(self) -> int:
        """How many runs there are, deleted and damaged ones among them: to tell how far an import is."""

    @abstractmethod
    def runs(self, findings: Findings) -> Iterator[ArrivingRun]:
        """Each run; one that cannot be read is told, and the next one follows.

        Raises:
            SourceError: the source as a whole cannot be read.
            StoreUnavailableError: its database cannot be reached.
        """

    def experiments(self, findings: Findings) -> Iterable[NewExperiment]:  # noqa: ARG002 - there may be something to tell
        """Those that have no run, where a format has such; one that cannot be read is told."""
        return ()

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Gives back what is held."""


def text_of(path: Path) -> str:
    """The text of a small file; bytes that are no UTF-8 are escaped.

    Raises:
        SourceError: it is no plain file, too large or cannot be read.
    """
    data = bytes_of(path, MOST_TEXT)
    return data.decode("utf-8", "backslashreplace")


def bytes_of(path: Path, most: int) -> bytes:
    """The bytes of a file.

    Raises:
        SourceError: it is no plain file, larger than that or cannot be read.
    """
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise SourceError(f"{path}: is no plain file, so it is not read; a link is not followed")
        if found.st_size > most:
            raise SourceError(f"{path}: has {found.st_size} bytes; at most {most} are read of such a file")
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from error


def plain_files(root: Path, found: RunFindings, folders: Sequence[Path] = ()) -> Iterator[tuple[str, Path]]:
    """Each plain file below a folder with its name in it (``a/b.txt``), in the order of the names; none without the folder.

    Links are not followed, but to a file below one of the folders that a person has named: a folder that was sent by somebody
    could name any file of this machine. They are told, like pipes and devices.
    """
    yield from _below(root, "", found, [folder.resolve() for folder in folders], depth=0)


def _below(
    folder: Path, prefix: str, found: RunFindings, folders: Sequence[Path], *, depth: int
) -> Iterator[tuple[str, Path]]:
    try:
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise SourceError(f"{folder}: cannot be listed: {error.strerror or error}") from error
    if depth > _MOST_DEPTH or len(entries) > _MOST_FILES:
        raise SourceError(f"{folder}: lies over {_MOST_DEPTH} folders deep, or holds over {_MOST_FILES} files")
    for entry in entries:
        name = f"{prefix}{entry.name}"
        if entry.is_symlink():
            target = Path(entry.path).resolve()
            if target.is_file() and any(target.is_relative_to(each) for each in folders):
                yield name, target
                continue
            text = f"is a link to {target}, which is not followed; name its folder with --artifacts to have it"
            found.tell(Told.FILE_LEFT_OUT, text, key=name)
        elif entry.is_dir():
            yield from _below(Path(entry.path), f"{name}/", found, folders, depth=depth + 1)
        elif entry.is_file():
            yield name, Path(entry.path)
        else:
            found.tell(Told.FILE_LEFT_OUT, "is no plain file", key=name)


def folders_with(root: Path, is_wanted: Callable[[str], bool]) -> dict[Path, list[Path]]:
    """The plain files of wanted names below a folder, by their folders, in the order of the names.

    Links are not followed. Nothing is looked for in folders of other formats, in those of checkpoints and in hidden ones.

    Raises:
        SourceError: a folder cannot be listed, or there are too many.
    """
    folders: dict[Path, list[Path]] = {}
    waiting = [(root, 0)]
    count = 0
    while waiting:
        folder, depth = waiting.pop()
        count += 1
        if depth > _MOST_DEPTH or count > _MOST_FILES:
            raise SourceError(
                f"{folder}: lies over {_MOST_DEPTH} folders deep, or is one of over {_MOST_FILES} folders"
            )
        try:
            with os.scandir(folder) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            raise SourceError(f"{folder}: cannot be listed: {error.strerror or error}") from error
        found = [Path(each.path) for each in entries if is_wanted(each.name) and each.is_file(follow_symlinks=False)]
        if found:
            folders[folder] = found
        below = [each for each in entries if each.is_dir(follow_symlinks=False) and _is_looked_into(each.name)]
        waiting += [(Path(each.path), depth + 1) for each in reversed(below)]
    return folders


def _is_looked_into(name: str) -> bool:
    return name not in _OTHERS and not name.startswith(".")


def opened_plainly(path: Path) -> BinaryIO:
    """A plain file, to be read.

    Raises:
        SourceError: it is none, or cannot be read.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise SourceError(f"{path}: is no plain file, so it is not read; a link is not followed")
        return path.open("rb")
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from error


def arriving_files(
    root: Path, found: RunFindings, folders: Sequence[Path] = (), *, prefix: str = "", artifact_type: str = "file"
) -> Iterator[ArrivingFile]:
    """The files below a folder, as artifacts; see :func:`plain_files`."""
    for name, path in plain_files(root, found, folders):
        try:
            checked = check_artifact_name(f"{prefix}{name}")
        except InvalidValueError as error:
            found.tell(Told.FILE_LEFT_OUT, f"no store takes its name: {error}", key=name)
            continue
        status = path.stat()
        yield ArrivingFile(
            name=checked,
            artifact_type=artifact_type,
            created_at=_changed_at(status.st_mtime),
            open=partial(opened_plainly, path),
            size=status.st_size,
        )


def _changed_at(time_s: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(time_s, UTC)
    except (ValueError, OverflowError, OSError):  # in no year from 1 to 9999
        return None
