"""A store that was opened to be read: every verb is refused, whatever backend is behind it (READ.9)."""

import functools
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Self

from runstore.errors import ReadOnlyError
from runstore.protocol import BackendStore, RunReader


def read_only(verb: str) -> str:
    """The message of a ReadOnlyError."""
    return f"{verb} writes, and this store was opened by open_reader, to be read; open it with open_store(url) to write"


def _refusing(verb: str) -> Callable[..., NoReturn]:
    def refuse(_self: object, *_: object, **__: object) -> NoReturn:
        raise ReadOnlyError.of(verb)

    return refuse


def _reading(name: str) -> Callable[..., Any]:
    @functools.wraps(getattr(RunReader, name))
    def read(self: "ReadOnlyStore", *arguments: Any, **named: Any) -> Any:
        recorders = sys.modules.get("runstore.recording.handle")
        if recorders is not None and self._url is not None:  # otherwise nobody here has a recorder
            recorders.flush_all(self._url)
        return getattr(self._store, name)(*arguments, **named)

    return read


class ReadOnlyStore:
    """A backend's store without its verbs; all else is the store's own.

    In a process that also writes, each read first waits until what the process's recorders accepted for this store is
    stored, as their own reads do: so a program always reads its own writes.
    """

    def __init__(self, store: BackendStore, *, url: str | None = None) -> None:
        """Takes over a store that was opened for reading, at a URL by which recorders of it are known."""
        self._store = store
        self._url = url

    get_or_create_experiment = _refusing("get_or_create_experiment")
    ensure_run = _refusing("ensure_run")
    log_metrics = _refusing("log_metrics")
    log_config = _refusing("log_config")
    log_artifact = _refusing("log_artifact")
    finalize = _refusing("finalize")
    heartbeat = _refusing("heartbeat")

    get_experiment = _reading("get_experiment")
    find_experiment = _reading("find_experiment")
    list_experiments = _reading("list_experiments")
    get_run = _reading("get_run")
    search_runs = _reading("search_runs")
    list_children = _reading("list_children")
    get_config = _reading("get_config")
    get_configs = _reading("get_configs")
    get_summaries = _reading("get_summaries")
    get_summaries_of = _reading("get_summaries_of")
    get_history = _reading("get_history")
    sample_history = _reading("sample_history")
    list_artifacts = _reading("list_artifacts")
    open_artifact = _reading("open_artifact")

    def close(self) -> None:
        """Closes the store."""
        self._store.close()

    def __getattr__(self, name: str) -> Any:
        """The store's own."""
        if name.startswith("__") or name in {"_store", "_url"}:  # copying and pickling ask before there is a store
            raise AttributeError(name)
        return getattr(self._store, name)

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
