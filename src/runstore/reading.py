"""A store that was opened to be read: every verb is refused, whatever backend is behind it (READ.9)."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Self

from runstore.errors import ReadOnlyError
from runstore.protocol import BackendStore


def read_only(verb: str) -> str:
    """The message of a ReadOnlyError."""
    return f"{verb} writes, and this store was opened by open_reader, to be read; open it with open_store(url) to write"


def _refusing(verb: str) -> Callable[..., NoReturn]:
    def refuse(_self: object, *_: object, **__: object) -> NoReturn:
        raise ReadOnlyError(read_only(verb))

    return refuse


class ReadOnlyStore:
    """A backend's store without its verbs; all else is the store's own."""

    def __init__(self, store: BackendStore) -> None:
        """Takes over a store that was opened for reading."""
        self._store = store

    get_or_create_experiment = _refusing("get_or_create_experiment")
    ensure_run = _refusing("ensure_run")
    log_metrics = _refusing("log_metrics")
    log_config = _refusing("log_config")
    log_artifact = _refusing("log_artifact")
    finalize = _refusing("finalize")
    heartbeat = _refusing("heartbeat")

    def __getattr__(self, name: str) -> Any:
        """The store's own."""
        if name.startswith("__") or name == "_store":  # copying and pickling ask for these before there is a store
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
