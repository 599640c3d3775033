"""A folder that appears whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from runstore.errors import InvalidValueError
from runstore.local.whole_files import hidden_beside
from runstore.moving.layout import (
    ARTIFACTS,
    CONFIGS,
    ENDINGS,
    EXPERIMENTS,
    FILES,
    FORMAT,
    HEAD,
    LISTING,
    POINTS,
    RUNS,
    Head,
)

_NAMES: Final = frozenset(
    {HEAD, LISTING, FILES, ".DS_Store", "Thumbs.db", "desktop.ini"}  # which file managers leave
    | {f"{table}.{ending}" for table in (ARTIFACTS, CONFIGS, EXPERIMENTS, POINTS, RUNS) for ending in ENDINGS.values()}
)


@contextmanager
def new_folder(target: Path, *, replace: bool) -> Iterator[Path]:
    """A hidden folder beside the target, that takes its name when the block ends well, and is removed when it does not.

    Raises:
        InvalidValueError: something is there already that does not give way, or nothing can be written there.
    """
    target = target.absolute()
    aside = hidden_beside(target)
    try:
        _check_free(target, replace=replace)
        target.parent.mkdir(parents=True, exist_ok=True)
        aside.mkdir()
        try:
            yield aside
            _check_free(target, replace=replace)
            _put_in_place(aside, target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidValueError(
            f"{target} cannot be written: {reason}; make room there, or name another place"
        ) from error


def _check_free(target: Path, *, replace: bool) -> None:
    if not target.exists() and not target.is_symlink():
        return
    head = None if target.is_symlink() else _head_of(target)
    if head is None:
        raise InvalidValueError(f"{target} is there already, and is no export; name a folder that is not there yet")
    if not replace:
        raise InvalidValueError(f"{target} is an export that is there already; name another folder, or --force")
    others = sorted(each.name for each in target.iterdir() if not _is_of_export(each, head.tables))
    if others:
        raise InvalidValueError(
            f"{target} is an export in which something else lies, {others[0]!r}, which would be lost; move that away, or name "
            "another folder"
        )


def _head_of(folder: Path) -> Head | None:
    try:
        head = msgspec.json.decode((folder / HEAD).read_bytes(), type=Head)
    except (OSError, msgspec.MsgspecError):
        return None
    return head if head.format == FORMAT else None


def _is_of_export(path: Path, form: str) -> bool:
    """Whether an export makes such a file or folder; for TensorBoard it makes folders of any names."""
    return path.name in _NAMES or (form == "tensorboard" and path.is_dir())


def _put_in_place(aside: Path, target: Path) -> None:
    if not target.exists():
        aside.rename(target)
        return
    earlier = hidden_beside(target)
    target.rename(earlier)
    try:
        aside.rename(target)
    except OSError:
        earlier.rename(target)
        raise
    shutil.rmtree(earlier, ignore_errors=True)
