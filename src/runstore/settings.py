"""Where settings such as the store's URL come from: the argument, the environment, ``runstore.toml``, then ``pyproject.toml``."""

import codecs
import os
import re
import string
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from runstore.errors import SettingsError
from runstore.local.homes import here
from runstore.secrets import redact_word
from runstore.urls import check_splits

_FILE = "runstore.toml"
_PROJECT_FILE = "pyproject.toml"
_SECTION = "tool.runstore"
_LIKE = {"url": " such as sqlite:///runs.db", "artifacts": ", a folder's path or a URL"}
_AROUND = f"{string.whitespace}\N{NO-BREAK SPACE}\N{ZERO WIDTH NO-BREAK SPACE}"
"""What an editor or a shell may leave around a value; the last one is what some editors begin a file with."""
_TRUTHS = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}
_CHECKOUT = (".git", ".hg")
_KEYS = ("url", "artifacts", "console")
_MEANT_URL = frozenset({"database", "db", "dsn", "store", "uri", "urls"})
_EXAMPLE = 'url = "sqlite:///runs.db"'
_UNKNOWN_KEY = re.compile(r"unknown field `([^`]*)`")
_MISFIT = re.compile(r"Expected .* at `\$(?:\.tool\.runstore)?\.?(\w+)`")
"""How msgspec says them."""

_File = TypeVar("_File")


class _Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: str | None = None
    artifacts: str | None = None
    console: bool | None = None


class _Tool(msgspec.Struct, frozen=True):
    runstore: _Keys = _Keys()


class _Project(msgspec.Struct, frozen=True):
    tool: _Tool = _Tool()


@dataclass(frozen=True)
class Settings:
    """What a store is opened with. The repr shows no secret.

    Attributes:
        url: the store's URL.
        artifacts: a directory or fsspec URL for artifact bytes; ``None`` for the backend's own default.
        console: whether a run that is led by :func:`runstore.start_run` says when it begins and ends.
    """

    url: str | None = None
    artifacts: str | None = None
    console: bool = True

    def __repr__(self) -> str:
        """Both without their secrets."""
        url, artifacts = (None if each is None else redact_word(each) for each in (self.url, self.artifacts))
        return f"Settings(url={url!r}, artifacts={artifacts!r}, console={self.console})"


def load_settings(*, url: str | None = None, artifacts: str | None = None, start: Path | None = None) -> Settings:
    """The settings, each from the first place that has it; blanks and line breaks around it are taken off.

    The order is: the argument; ``RUNSTORE_URL``, ``RUNSTORE_ARTIFACTS`` and ``RUNSTORE_CONSOLE``; the nearest
    ``runstore.toml`` (keys ``url``, ``artifacts`` and ``console``) and ``[tool.runstore]`` of the nearest ``pyproject.toml``, each looked for from
    ``start`` (the working directory by default) up to the root of the file system or of the git checkout. A place
    where it is empty does not have it, and a working directory that is gone holds no files.

    Raises:
        SettingsError: a settings file cannot be read or holds something unknown; names the file. Or the URL cannot
            be cut into its parts safely, see :func:`runstore.urls.check_splits`.
    """
    for name, given in (("url", url), ("artifacts", artifacts)):
        if isinstance(given, os.PathLike):
            path = os.fsdecode(given)
            raise SettingsError(
                f"{name} is a {type(given).__name__}; give a text: "
                + (f"'sqlite:///{path}' for that SQLite file" if name == "url" else f"'{path}'")
            )
        if given is not None and not isinstance(given, str):
            raise SettingsError(f"{name} is of type {type(given).__name__}; give a text{_LIKE[name]}")
    start = start.absolute() if start else here()
    places = [
        _Keys(url=url, artifacts=artifacts),
        _Keys(
            url=os.environ.get("RUNSTORE_URL"),
            artifacts=os.environ.get("RUNSTORE_ARTIFACTS"),
            console=_truth("RUNSTORE_CONSOLE", os.environ.get("RUNSTORE_CONSOLE")),
        ),
        *((_read(_FILE, start, _Keys), _read(_PROJECT_FILE, start, _Project).tool.runstore) if start else ()),
    ]
    chosen = Settings(
        url=first_given(place.url for place in places),
        artifacts=first_given(place.artifacts for place in places),
        console=next((place.console for place in places if place.console is not None), True),
    )
    if chosen.url is not None:
        check_splits(chosen.url)
    return chosen


def first_given(values: Iterable[str | None]) -> str | None:
    """The first of the values that is not empty, without blanks and line breaks around it (``$(cat file)``)."""
    return next((given for given in map(_trimmed, values) if given), None)


def _truth(name: str, value: str | None) -> bool | None:
    """What a variable says: yes or no, or nothing where it is not set."""
    word = _trimmed(value).lower()
    if not word:
        return None
    if word not in _TRUTHS:
        raise SettingsError(f"{name} is {value!r}; give on or off")
    return _TRUTHS[word]


def _trimmed(value: str | None) -> str:
    return "" if value is None else value.strip(_AROUND)


def _read(name: str, start: Path, kind: type[_File]) -> _File:
    """What the nearest file of this name holds, upwards from a folder; the defaults where there is none."""
    path = _find(name, start)
    if path is None:
        return kind()
    try:
        return msgspec.toml.decode(path.read_bytes().removeprefix(codecs.BOM_UTF8), type=kind)
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise SettingsError(f"the settings in {path} cannot be read: {_what_is_wrong(error, name)}") from error


def _what_is_wrong(error: Exception, name: str) -> str:
    """What is wrong with a settings file, and how it is right."""
    known = "known are the texts url and artifacts, and console, which is true or false"
    unknown, misfit = _UNKNOWN_KEY.search(str(error)), _MISFIT.search(str(error))
    if unknown is not None and name == _FILE and unknown[1] == _SECTION.partition(".")[0]:
        return f"[{_SECTION}] belongs into {_PROJECT_FILE}; here the keys stand by themselves, as in {_EXAMPLE}"
    if unknown is not None:
        key = unknown[1].lower()
        meant = "url" if key in _MEANT_URL else key if key in _KEYS and key != unknown[1] else ""
        return f"it holds the unknown key {unknown[1]!r}{f'; did you mean {meant}?' if meant else ';'} {known}"
    if misfit is not None:
        return f"{misfit[1]} is of the wrong kind; {known}"
    if isinstance(error, msgspec.DecodeError):
        return f"{error}; a line of it reads {_EXAMPLE}, with the quotes"
    return str(error)


def _find(name: str, start: Path) -> Path | None:
    for folder in (start, *start.parents):
        if (folder / name).exists():
            return folder / name
        if any((folder / mark).exists() for mark in _CHECKOUT):
            break
    return None


def require_url(settings: Settings) -> str:
    """The URL, or an error that names every place where it may be given."""
    if not settings.url:
        raise SettingsError(
            "no store was named; give a URL such as sqlite:///runs.db as the argument (a command's --store), in RUNSTORE_URL, "
            f"as url in {_FILE}, or as url under [{_SECTION}] in {_PROJECT_FILE}"
        )
    return settings.url
