"""The file of ``--export``, which two commands write."""

from pathlib import Path

from pneumo_train.errors import ConfigError


def require_folder(path: Path) -> None:
    """Refuses before hours of training what could not be written after them.

    Raises:
        ConfigError: the folder is not there.
    """
    if not path.absolute().parent.is_dir():
        raise ConfigError(
            f"--export {path}: there is no folder {path.absolute().parent}; make it, or name another file"
        )


def write_text(path: Path, text: str) -> None:
    """Writes a whole file, in the place of another.

    Raises:
        ConfigError: it cannot be written.
    """
    from runstore.local.whole_files import write_whole  # noqa: PLC0415 - only once all is done

    try:
        write_whole(path, text.encode("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"--export {path}: cannot be written ({error.strerror or error}); name a file that can"
        ) from error
