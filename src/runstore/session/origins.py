"""What a run comes from that is too long for its provenance: uncommitted changes and the list of what is installed.

Both are kept as artifacts under ``provenance/``, by a thread of their own: a program begins to train meanwhile.
"""

import logging
import threading

from runstore import media
from runstore.provenance import git_changes, installed_packages
from runstore.training.session import RunSession

_log = logging.getLogger("runstore.session")

_LONGEST_S = 10.0
_SHORTEST_S = 1.0


class Origins:
    """Gathers and keeps them until it is stopped."""

    def __init__(self, session: RunSession, *, folder: str, changes: bool, packages: bool) -> None:
        """Starts at once.

        Args:
            session: where they are kept.
            folder: what their names begin with.
            changes: whether uncommitted changes are kept.
            packages: whether the list of packages is.
        """
        self._session = session
        self._folder = folder
        self._changes = changes
        self._packages = packages
        self._thread = threading.Thread(target=self._gather, name="runstore-provenance", daemon=True)
        self._thread.start()

    def stop(self, *, is_hurried: bool) -> None:
        """Waits until they are kept, ten seconds at most; hurried, one."""
        self._thread.join(timeout=_SHORTEST_S if is_hurried else _LONGEST_S)

    def _gather(self) -> None:
        try:
            changes = git_changes() if self._changes else None
            if changes is not None:
                self._session.log_media(media.text(f"{self._folder}/changes.diff", changes))
            if self._packages:
                found = "".join(f"{name}=={version}\n" for name, version in installed_packages().items())
                self._session.log_media(media.text(f"{self._folder}/packages.txt", found))
        except Exception:  # noqa: BLE001 - where a run comes from must not end it
            _log.warning("run %s: where it comes from could not all be kept", self._session.run_id, exc_info=True)
