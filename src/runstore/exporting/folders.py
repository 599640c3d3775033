"""A folder that appears whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runstore.errors import InvalidValueError
from runstore.local.whole_files import hidden_beside
from runstore.moving.layout import HEAD


@contextmanager
def new_folder(target: Path, *, replace: bool) -> Iterator[Path]:
    """A hidden folder beside the target, that takes its name when the block ends well, and is removed when it does not.

    Raises:
        InvalidValueError: something is there already that does not give way, or nothing can be written there.
    """
    target = target.absolute()
    _check_free(target, replace=replace)
    aside = hidden_beside(target)
    try:
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
    is_export = not target.is_symlink() and (target / HEAD).is_file()
    if not is_export:
        raise InvalidValueError(f"{target} is there already, and is no export; name a folder that is not there yet")
    if not replace:
        raise InvalidValueError(f"{target} is an export that is there already; name another folder, or --force")


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
