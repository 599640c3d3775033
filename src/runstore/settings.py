"""Where the store's URL comes from: the argument, the environment, ``runstore.toml``, then ``pyproject.toml``."""

import threading
from dataclasses import dataclass, replace
from pathlib import Path

import typed_settings
from typed_settings.loaders import Loader

from runstore.errors import SettingsError

_FILE = "runstore.toml"
_PROJECT_FILE = "pyproject.toml"
_SECTION = "tool.runstore"

_one_at_a_time = threading.Lock()
"""The settings library reads type annotations, which CPython 3.11 may not do in several threads at once
("AST constructor recursion depth mismatch", python/cpython#106905); it may go with 3.11."""


@dataclass(frozen=True)
class Settings:
    """What a store is opened with.

    Attributes:
        url: the store's URL.
        artifacts: a directory or fsspec URL for artifact bytes; ``None`` for the backend's own default.
    """

    url: str | None = None
    artifacts: str | None = None


def load_settings(*, url: str | None = None, artifacts: str | None = None, start: Path | None = None) -> Settings:
    """The settings, each from the first place that has it.

    The order is: the argument; ``RUNSTORE_URL`` and ``RUNSTORE_ARTIFACTS``; the nearest ``runstore.toml`` (keys
    ``url`` and ``artifacts``) and ``[tool.runstore]`` of the nearest ``pyproject.toml``, each looked for from
    ``start`` (the working directory by default) up to the root of the file system or of the git checkout.

    Raises:
        SettingsError: a settings file cannot be read or holds something unknown; names the file.
    """
    project, own = (typed_settings.find(name, start_dir=start) for name in (_PROJECT_FILE, _FILE))
    loaders: list[Loader] = [
        typed_settings.FileLoader({_PROJECT_FILE: typed_settings.TomlFormat(_SECTION)}, [project]),
        typed_settings.FileLoader({_FILE: typed_settings.TomlFormat(None)}, [own]),
        typed_settings.EnvLoader("RUNSTORE_"),
    ]
    try:
        with _one_at_a_time:
            found = typed_settings.load_settings(Settings, loaders)
    except Exception as error:
        raise SettingsError(
            f"the settings could not be read ({error}); looked at {project} [{_SECTION}], {own} and RUNSTORE_*; "
            "known keys: url, artifacts"
        ) from error
    if url is not None:
        found = replace(found, url=url)
    if artifacts is not None:
        found = replace(found, artifacts=artifacts)
    return found


def require_url(settings: Settings) -> str:
    """The URL, or an error that names every place where it may be given."""
    if not settings.url:
        raise SettingsError(
            "no store was named; give a URL such as sqlite:///runs.db as the argument, in RUNSTORE_URL, "
            f"as url in {_FILE}, or as url under [{_SECTION}] in {_PROJECT_FILE}"
        )
    return settings.url
