"""A store that was opened to be read: every verb is refused, whatever backend is behind it (READ.9)."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Final, NoReturn, Self

from runstore.backend import BackendStore
from runstore.backend.reading import Reads
from runstore.errors import ReadOnlyError

_VERBS: Final = (
    "get_or_create_experiment",
    "ensure_run",
    "log_metrics",
    "log_config",
    "log_artifact",
    "finalize",
    "heartbeat",
    "rename_run",
    "set_tags",
    "remove_tags",
    "set_note",
    "archive_run",
    "unarchive_run",
    "delete_run",
    "restore_run",
    "describe_experiment",
    "delete_experiment",
    "thin_histories",
    "collect_garbage",
)


class ReadOnlyStore(Reads):
    """The reads of a backend's store.

    In a process that also writes, each read first waits until what the process's recorders accepted for this store is
    stored, as their own reads do: so a program always reads its own writes.
    """

    def __init__(self, store: BackendStore, *, url: str | None = None) -> None:
        """Takes over a store that was opened for reading, at a URL by which recorders of it are known."""
        self._store = store
        self._url = url

    def source(self) -> BackendStore:
        """The backend's store, once it holds what this process's recorders accepted for it."""
        recorders = sys.modules.get("runstore.recording.handle")
        if recorders is not None and self._url is not None:  # otherwise nobody here has a recorder
            recorders.flush_all(self._url)
        return self._store

    def close(self) -> None:
        """Closes the store."""
        self._store.close()

    def __enter__(self) -> Self:
        """The reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the store."""
        self._store.close()

    def __repr__(self) -> str:
        """The store's own, which shows no secrets."""
        return f"ReadOnlyStore({self._store!r})"


def _refusing(verb: str) -> Callable[..., NoReturn]:
    def refuse(_self: object, *_: object, **__: object) -> NoReturn:
        raise ReadOnlyError.of(verb)

    return refuse


for _verb in _VERBS:
    setattr(ReadOnlyStore, _verb, _refusing(_verb))
