"""Where journals lie: a folder a store under the user's state directory, a folder a writer in it."""

import hashlib
import json
import os
from pathlib import Path

import platformdirs

from runstore.recording.journal import leftovers
from runstore.urls import redact, scheme_of

_ABOUT = "store.json"


def state_dir() -> Path:
    """``RUNSTORE_STATE_DIR``, or the user's state directory of this platform."""
    named = os.environ.get("RUNSTORE_STATE_DIR")
    return Path(named).expanduser().absolute() if named else platformdirs.user_state_path("runstore")


def identity_of(url: str) -> str:
    """What tells one store from another in the journals: the URL without its secrets, a file by its real path."""
    if scheme_of(url) == "sqlite":
        scheme, _, place = url.partition("://")
        path, question, options = place.partition("?")
        # sqlite:///relative.db and sqlite:////absolute.db, as SQLAlchemy reads them
        file = Path(path.removeprefix("/")).expanduser()
        if path and str(file) != ":memory:":
            return f"{scheme}:///{os.path.realpath(file)}{question}{options}"
    return redact(url)


def journal_root(identity: str, base: Path | None = None) -> Path:
    """The folder of all writers to one store, made when a journal is created."""
    key = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return (base or state_dir()) / "journals" / key


def describe_root(root: Path, identity: str) -> None:
    """Leaves a note in a store's folder that says which store it is, for people and for ``runstore sync``."""
    note = root / _ABOUT
    if not note.exists():
        note.write_text(json.dumps({"store": identity}) + "\n")


def noted_stores(base: Path | None = None) -> dict[str, Path]:
    """The stores that ever had writers here: each identity with its folder."""
    found = {}
    for note in sorted(((base or state_dir()) / "journals").glob(f"*/{_ABOUT}")):
        try:
            found[json.loads(note.read_text())["store"]] = note.parent
        except (OSError, ValueError, KeyError):
            continue
    return found


def known_stores(base: Path | None = None) -> dict[str, Path]:
    """The stores that have writers' folders, living or dead: each identity with its folder."""
    return {identity: folder for identity, folder in noted_stores(base).items() if leftovers(folder)}
