"""Whether a training's files can be written, asked before it starts and without leaving anything behind."""

import shutil
import tempfile
from pathlib import Path

from pneumo_train.errors import ConfigError


def require_writable(folder: Path, key: str) -> None:
    """Refuses a folder that cannot be made or written to; one that is made for the question is removed again.

    Raises:
        ConfigError: names the option and the reason.
    """
    made: list[Path] = []
    try:
        place = folder.absolute()
        missing = [parent for parent in (place, *place.parents) if not parent.exists()]
        for parent in reversed(missing):
            parent.mkdir(exist_ok=True)
            made.append(parent)
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise ConfigError(
            f"{key} = {str(folder)!r}: cannot be written ({error.strerror or error}); name a folder that can"
        ) from error
    finally:
        for parent in reversed(made):
            _remove(parent)


def require_room(folder: Path, needed: int, key: str) -> None:
    """Refuses a disk that has less room than the files will need, if the disk says how much there is.

    Raises:
        ConfigError: says both.
    """
    place = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    try:
        usage = shutil.disk_usage(place)
    except OSError:
        return
    if usage.total and usage.free < needed:
        raise ConfigError(
            f"{key} = {str(folder)!r}: {usage.free / 1e6:,.0f} MB are free, and the checkpoints need {needed / 1e6:,.0f} MB; "
            "name another folder, or lower training.save_top_k"
        )


def _remove(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # somebody has put something there since
