"""Where journals lie: a folder a store under the user's state directory, a folder a writer in it."""

import hashlib
import json
import os
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote

from msgspec.structs import replace

from runstore.errors import RunStoreError
from runstore.local.homes import default_state_dir, expanded
from runstore.local.whole_files import write_whole
from runstore.recording.options import RecorderOptions
from runstore.recording.writers import leftovers
from runstore.secrets import HIDDEN, redact_word, split_url
from runstore.settings import first_given
from runstore.urls import file_of, scheme_of

_ABOUT = "store.json"


def state_dir() -> Path:
    """``RUNSTORE_STATE_DIR``, or the user's state directory of this platform.

    Raises:
        SettingsError: no home directory is known, in which either would begin.
    """
    named = first_given([os.environ.get("RUNSTORE_STATE_DIR")])
    return default_state_dir() if named is None else expanded(named, called="RUNSTORE_STATE_DIR")


def with_absolute_place(options: RecorderOptions) -> RecorderOptions:
    """The options with a place for journals that no later change of the working directory moves.

    The place that is usual on a machine is left open, for a recorder may be unpickled on another one.
    """
    named = options.state_dir or first_given([os.environ.get("RUNSTORE_STATE_DIR")])
    if named is None or Path(named).is_absolute():
        return options
    return replace(options, state_dir=expanded(named, called="RUNSTORE_STATE_DIR"))


_SAME_SCHEME: Final = {"postgres": "postgresql", "mariadb": "mysql"}
_NAMING_OPTIONS: Final = {
    "postgresql": ("dbname", "host", "hostaddr", "options", "port", "service"),
    "mysql": ("unix_socket",),
    "mongodb": (),
    "mongodb+srv": (),
}
"""Options that say which database it is (``options`` may hold a search path), by scheme; the rest say how to use it."""


PORTS: Final = {"postgresql": "5432", "mysql": "3306", "mongodb": "27017"}
"""That go without saying, by scheme."""


def identity_of(url: str) -> str:
    """What tells one store from another in the journals, however its URL is written.

    No password, no driver, no port that goes without saying, several hosts in any order, and of the options only those that name the database: ``?timeout=30`` leads to the same store.
    A file is known by its real path. Of a scheme that is not ours every option counts.
    """
    scheme = scheme_of(url)
    scheme = _SAME_SCHEME.get(scheme, scheme)
    path = file_of(url)
    if path is not None:
        _, question, options = url.partition("?")
        file = os.path.normcase(os.path.realpath(expanded(path, called=f"the path of the {scheme}:/// URL")))
        return f"{scheme}:///{file}" if scheme == "sqlite" else redact_word(f"{scheme}:///{file}{question}{options}")
    if scheme not in _NAMING_OPTIONS:
        return redact_word(url)
    parts = split_url(url)
    user = f"{parts.user}@" if parts.user else ""
    hosts = ",".join(sorted(_host(each, scheme) for each in parts.hosts.split(",")))  # a cluster's, in any order
    naming = sorted(f"{name}={value}" for name, value in parts.options if name in _NAMING_OPTIONS[scheme])
    place = f"{user}{hosts}{unquote(parts.path).rstrip('/')}"
    return f"{scheme}://{place}{'?' if naming else ''}{'&'.join(naming)}"


def _host(host: str, scheme: str) -> str:
    return host.lower().removesuffix(f":{PORTS.get(scheme, '')}") if scheme in PORTS else host.lower()


def journal_root(identity: str, base: Path | None = None) -> Path:
    """The folder of all writers to one store, made when a journal is created.

    It is named by a hash of the identity; one that an older release named by another spelling of it is gone on with.
    """
    root = _root_named(identity, base)
    if root.is_dir():
        return root
    noted = noted_stores(base).get(identity)
    return noted.folders[0] if noted is not None else root


def journal_folders(identity: str, base: Path | None = None) -> tuple[Path, ...]:
    """Every folder that holds journals of a store: releases before this one had one for each spelling of its URL."""
    noted = noted_stores(base).get(identity)
    return (_root_named(identity, base),) if noted is None else noted.folders


def _root_named(identity: str, base: Path | None) -> Path:
    key = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return (base or state_dir()) / "journals" / key


def describe_root(root: Path, identity: str, url: str) -> None:
    """Leaves a note in a store's folder that says which store it is and how to reach it, without the password.

    The newest writer's URL stands there if it has a password, so that whoever wants to send what waits is asked for it.
    """
    note = root / _ABOUT
    noted = _read(note)
    if noted is None or (HIDDEN in url and HIDDEN not in noted[1]):
        write_whole(note, (json.dumps({"store": identity, "url": url}) + "\n").encode())


class NotedStore(NamedTuple):
    """A store that has, or had, writers on this machine.

    Attributes:
        folders: where their folders lie.
        url: how one of them named it, without the password.
    """

    folders: tuple[Path, ...]
    url: str


def noted_stores(base: Path | None = None) -> dict[str, NotedStore]:
    """The stores that ever had writers here, by identity."""
    found: dict[str, NotedStore] = {}
    for note in sorted(((base or state_dir()) / "journals").glob(f"*/{_ABOUT}")):
        said = _read(note)
        if said is None:
            continue
        identity, url = said
        before = found.get(identity, NotedStore((), url))
        found[identity] = NotedStore((*before.folders, note.parent), url if HIDDEN in url else before.url)
    return found


def _read(note: Path) -> tuple[str, str] | None:
    """Of a note the identity, as this release spells it, and the URL; ``None`` if it is not there or cannot be read."""
    try:
        said = json.loads(note.read_text())
        identity = str(said["store"])
        if identity.partition("://")[0] in _NAMING_OPTIONS:
            identity = identity_of(identity)
        return identity, str(said.get("url", said["store"]))
    except (OSError, ValueError, KeyError, TypeError, RunStoreError):
        return None


def known_stores(base: Path | None = None) -> dict[str, str]:
    """The URLs, without passwords, of the stores that have writers' folders here, living or dead; by identity."""
    return {
        identity: noted.url
        for identity, noted in noted_stores(base).items()
        if any(leftovers(folder) for folder in noted.folders)
    }
