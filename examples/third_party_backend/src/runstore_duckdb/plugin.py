"""The plugin. It imports no driver: that happens when a store is opened."""

from collections.abc import Iterable

from runstore.backend import BackendStore
from runstore.hookspecs import Backend, OpenOptions, hookimpl


def _open(url: str, options: OpenOptions) -> BackendStore:
    from runstore_duckdb.store import DuckStore  # noqa: PLC0415 - the driver costs nothing until it is used

    return DuckStore(url, artifacts=options.artifacts, read_only=options.read_only)


@hookimpl
def runstore_backends() -> Iterable[Backend]:
    """One backend: ``duckdb:///relative/path.duckdb`` or ``duckdb:////absolute/path.duckdb``."""
    return [Backend(name="duckdb", schemes=("duckdb",), open=_open, modules=("duckdb",), install="runstore-duckdb")]
