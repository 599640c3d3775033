"""The plugin's description; importing it imports no driver."""

from collections.abc import Iterable

from runstore.backend import Administration, BackendStore
from runstore.hookspecs import Backend, OpenOptions, hookimpl


def _open(url: str, options: OpenOptions) -> BackendStore:
    from runstore_mongo.store import MongoStore  # noqa: PLC0415 - the driver is imported when a store is opened

    return MongoStore(url, artifacts=options.artifacts, read_only=options.read_only)


def _administer(url: str) -> Administration:
    from runstore_mongo.administering import MongoAdministration  # noqa: PLC0415 - as above

    return MongoAdministration(url)


@hookimpl
def runstore_backends() -> Iterable[Backend]:
    """MongoDB 6 or newer: standalone, replica set or sharded cluster."""
    return [
        Backend(
            name="mongodb",
            schemes=("mongodb", "mongodb+srv"),
            open=_open,
            modules=("pymongo",),
            install="runstore[mongo]",
            administer=_administer,
        )
    ]
