"""The built-in plugin: runs in memory, for tests and trials."""

from collections.abc import Iterable

from runstore.backend import BackendStore
from runstore.errors import SettingsError
from runstore.hookspecs import Backend, OpenOptions, hookimpl


def _open(url: str, options: OpenOptions) -> BackendStore:
    from runstore.memory.store import MemoryStore  # noqa: PLC0415 - opened only when asked for

    if url.lower() not in {"memory:", "memory://"}:
        raise SettingsError(f"store {url!r} names a place, but memory has none; use memory:// (gone when closed)")
    if options.read_only:
        raise SettingsError(
            "memory:// is empty at each opening, so there is nothing to read; name the store that a program wrote, such "
            "as sqlite:///runs.db"
        )
    return MemoryStore(artifacts=options.artifacts)


@hookimpl
def runstore_backends() -> Iterable[Backend]:
    """Runs in this process's memory, gone when it ends."""
    return [Backend(name="memory", schemes=("memory",), open=_open)]
