"""The plugin: what this package can open. SQLAlchemy is imported when a store is opened, not before."""

from collections.abc import Iterable

from runstore.hookspecs import Backend, OpenOptions, hookimpl
from runstore.protocol import BackendStore


def _open(url: str, options: OpenOptions) -> BackendStore:
    from runstore_sql.opening import open_sql  # noqa: PLC0415 - the driver costs nothing until a store is opened

    return open_sql(url, options)


@hookimpl
def runstore_backends() -> Iterable[Backend]:
    """One backend for each database, so that each names the extra it needs."""
    core = ("sqlalchemy", "alembic")
    return [
        Backend(name="sqlite", schemes=("sqlite",), open=_open, modules=core, install="runstore[sql]"),
        Backend(
            name="postgresql",
            schemes=("postgresql", "postgres"),
            open=_open,
            modules=(*core, "psycopg"),
            install="runstore[postgres]",
        ),
        Backend(
            name="mysql",
            schemes=("mysql", "mariadb"),
            open=_open,
            modules=(*core, "pymysql"),
            install="runstore[mysql]",
        ),
    ]
