"""Where journals lie: a folder a store under the user's state directory, a folder a writer in it."""

import hashlib
import json
import os
from pathlib import Path
from typing import Final, NamedTuple

from runstore.homes import default_state_dir, expanded
from runstore.recording.writers import leftovers
from runstore.secrets import redact_word
from runstore.settings import first_given
from runstore.urls import scheme_of

_ABOUT = "store.json"


def state_dir() -> Path:
    """``RUNSTORE_STATE_DIR``, or the user's state directory of this platform.

    Raises:
        SettingsError: no home directory is known, in which either would begin.
    """
    named = first_given([os.environ.get("RUNSTORE_STATE_DIR")])
    return default_state_dir() if named is None else expanded(named, called="RUNSTORE_STATE_DIR")


_SAME_SCHEME: Final = {"postgres": "postgresql", "mariadb": "mysql"}
_NAMING_OPTIONS: Final = {
    "postgresql": ("dbname", "host", "hostaddr", "options", "port", "service"),
    "mysql": ("unix_socket",),
    "mongodb": (),
    "mongodb+srv": (),
}
"""Options that say which database it is (``options`` may hold a search path), by scheme; the rest say how to use it."""


def identity_of(url: str) -> str:
    """What tells one store from another in the journals, however its URL is written.

    No secret, no driver, and of the options only those that name the database: ``?timeout=30`` leads to the same store.
    A file is known by its real path. Of a scheme that is not ours every option counts.
    """
    scheme = scheme_of(url)
    scheme = _SAME_SCHEME.get(scheme, scheme)
    if scheme == "sqlite":
        # sqlite:///relative.db and sqlite:////absolute.db, as SQLAlchemy reads them
        path = url.partition("://")[2].partition("?")[0].removeprefix("/")
        if path and path != ":memory:":
            return f"{scheme}:///{os.path.realpath(expanded(path, called='the path of the sqlite:/// URL'))}"
    if scheme not in _NAMING_OPTIONS:
        return redact_word(url)
    place, _, options = redact_word(url).partition("://")[2].partition("?")
    naming = sorted(each for each in options.split("&") if each.partition("=")[0] in _NAMING_OPTIONS[scheme])
    return f"{scheme}://{place}{'?' if naming else ''}{'&'.join(naming)}"


def journal_root(identity: str, base: Path | None = None) -> Path:
    """The folder of all writers to one store, made when a journal is created."""
    key = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return (base or state_dir()) / "journals" / key


def describe_root(root: Path, identity: str, url: str) -> None:
    """Leaves a note in a store's folder that says which store it is and how to reach it, without the password."""
    note = root / _ABOUT
    if not note.exists():
        note.write_text(json.dumps({"store": identity, "url": url}) + "\n")


class NotedStore(NamedTuple):
    """A store that has, or had, writers on this machine.

    Attributes:
        folder: where their folders lie.
        url: how one of them named it, without the password.
    """

    folder: Path
    url: str


def noted_stores(base: Path | None = None) -> dict[str, NotedStore]:
    """The stores that ever had writers here, by identity."""
    found = {}
    for note in sorted(((base or state_dir()) / "journals").glob(f"*/{_ABOUT}")):
        try:
            said = json.loads(note.read_text())
            found[said["store"]] = NotedStore(note.parent, said.get("url", said["store"]))
        except (OSError, ValueError, KeyError):
            continue
    return found


def known_stores(base: Path | None = None) -> dict[str, str]:
    """The URLs, without passwords, of the stores that have writers' folders here, living or dead; by identity."""
    return {identity: noted.url for identity, noted in noted_stores(base).items() if leftovers(noted.folder)}
