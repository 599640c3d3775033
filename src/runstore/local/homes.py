"""Paths that begin in the user's home directory, where there may be none: a batch job's user often has no entry."""

import contextlib
import os
import sys
from pathlib import Path

from runstore.errors import SettingsError

_NO_HOME = (
    "USERPROFILE is not set"
    if sys.platform == "win32"
    else "HOME is not set, and this user has no entry among the system's users"
)


def expanded(path: str | os.PathLike[str], *, called: str) -> Path:
    """The absolute path, with the home directory for a leading ``~``.

    Args:
        path: as somebody gave it.
        called: what it is called in an error, such as ``RUNSTORE_STATE_DIR``.

    Raises:
        SettingsError: no home directory is known; or the path is relative and the working directory is gone.
    """
    text = os.fspath(path)
    if text.partition(os.sep)[0] == "~" or (os.altsep is not None and text.partition(os.altsep)[0] == "~"):
        if sys.platform != "win32" and os.environ.get("HOME", "/") == "":  # the library would begin at the root
            text = text.replace("~", _home_of_entry(called, text), 1)
        elif os.path.expanduser(text) == text:  # noqa: PTH111 - as below
            raise _unknown_home(called, text)
    found = Path(os.path.expanduser(text))  # noqa: PTH111 - pathlib's takes "./~x" for somebody's home, too
    try:
        return found.absolute()
    except FileNotFoundError:
        raise SettingsError(
            f"{called} is relative ({text}), but the working directory is gone; give the whole path, or change to another "
            "directory"
        ) from None


def here() -> Path | None:
    """The working directory; ``None`` where it was removed meanwhile, as a job's scratch folder is."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return None


if sys.platform != "win32":

    def _home_of_entry(called: str, path: str) -> str:
        import pwd  # noqa: PLC0415 - rarely needed

        try:
            return pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            raise _unknown_home(called, path) from None


def _unknown_home(called: str, path: str) -> SettingsError:
    return SettingsError(
        f"{called} begins with ~ ({path}), but no home directory is known: {_NO_HOME}; give the whole path"
    )


def default_state_dir() -> Path:
    """The user's state directory of this platform.

    Raises:
        SettingsError: no home directory is known.
    """
    found = _state_dir()
    if not found.is_absolute():
        raise SettingsError(
            f"no home directory is known: {_NO_HOME}; set RUNSTORE_STATE_DIR to a folder of this machine for the journals"
        )
    return found


if sys.platform == "win32":

    def _state_dir() -> Path:
        import platformdirs  # noqa: PLC0415 - not needed where RUNSTORE_STATE_DIR is set

        return platformdirs.user_state_path("runstore")

else:

    def _state_dir() -> Path:
        """Where ``platformdirs`` has it, too, which is a megabyte; what is no absolute path counts as not set there."""
        named = os.environ.get("XDG_STATE_HOME", "")
        if named.startswith("/"):
            return Path(named, "runstore")
        home = os.environ.get("HOME", "")
        if not home.startswith("/"):
            import pwd  # noqa: PLC0415 - rarely needed

            with contextlib.suppress(KeyError):
                home = pwd.getpwuid(os.getuid()).pw_dir
        return Path(home, "Library/Application Support" if sys.platform == "darwin" else ".local/state", "runstore")
