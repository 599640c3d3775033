"""The plugin: what this package can open. SQLAlchemy is imported when a store is opened, not before."""

from collections.abc import Iterable

from runstore.backend import Administration, BackendStore
from runstore.hookspecs import Backend, OpenOptions, hookimpl
from runstore_sql.dialects.kinds import kinds


def _open(url: str, options: OpenOptions) -> BackendStore:
    from runstore_sql.opening import open_sql  # noqa: PLC0415 - the driver costs nothing until a store is opened

    return open_sql(url, options)


def _administer(url: str) -> Administration:
    from runstore_sql.administering import SqlAdministration  # noqa: PLC0415 - as above

    return SqlAdministration(url)


@hookimpl
def runstore_backends() -> Iterable[Backend]:
    """One backend for each dialect, so that each names the extra it needs."""
    return [
        Backend(
            name=kind.name,
            schemes=kind.schemes,
            open=_open,
            modules=("sqlalchemy", *kind.modules),
            install=kind.install,
            administer=_administer,
        )
        for kind in kinds()
    ]
