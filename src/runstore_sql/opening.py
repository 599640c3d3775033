"""Opening a database: whose schema is it, and is it current (OPEN.1-4).

A current schema costs one read. Anything else is looked at again under a lock that only one process holds, and then
made or brought up to date in one go.
"""

import contextlib
import logging
import threading
from collections.abc import Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from runstore.artifacts.blobs import Blobs, absolute_place, blobs_at
from runstore.errors import (
    ForeignSchemaError,
    SchemaError,
    SchemaTooNewError,
    StoreFailureError,
    StoreUnavailableError,
)
from runstore.hookspecs import OpenOptions
from runstore_sql import partitions, sqlite_opening
from runstore_sql.blobs import DatabaseBlobs
from runstore_sql.database import Database, parse_url
from runstore_sql.failures import is_missing
from runstore_sql.schema import MIN_READER, MIN_WRITER, OUR_NAMES, SCHEMA_VERSION, VERSION_TABLE, schema_info
from runstore_sql.secret_options import whole
from runstore_sql.sqlite_blobs import BlobsBeside
from runstore_sql.store import SqlStore

_log = logging.getLogger(__name__)

_LOCK_NAME: Final = "runstore schema"
_LOCK_NUMBER: Final = 0x72756E73746F7265
_LOCK_WAIT_S: Final = 60
_MOST_NAMES: Final = 5
_PARTITION_WAIT_S: Final = 2
_LEAST_PAGE: Final = 16384


class SchemaInfo(NamedTuple):
    """What a database says of its schema."""

    version: int
    min_reader: int
    min_writer: int
    written_by: str


def open_sql(url: str, options: OpenOptions) -> SqlStore:
    """A store on the database of this URL, its schema made or brought up to date.

    Raises:
        SettingsError: the URL cannot be understood.
        StoreUnavailableError: the database cannot be reached.
        SchemaTooNewError, ForeignSchemaError: see there; nothing was written.
        SchemaError: opened for reading, and there is no store yet.
    """
    database = Database(parse_url(url), read_only=options.read_only)
    try:
        if database.dialect == "sqlite":
            path = Path(database.url.database or "")
            sqlite_opening.check_file(path, database.place, read_only=options.read_only)
            if not options.read_only and path.exists():
                database.alone(lambda: sqlite_opening.make_readable(path, database.place))
        _prepare(database)
    except BaseException:
        database.close()
        raise
    # What a pickled store is opened with elsewhere: nothing in it depends on this process's working directory.
    url = whole(database.url, database.secret_options)
    artifacts = options.artifacts
    if artifacts is not None:
        artifacts = absolute_place(artifacts)
    options = OpenOptions(artifacts=artifacts, read_only=options.read_only)
    return SqlStore(database, _blobs_of(database, artifacts), url=url, options=options)


def _blobs_of(database: Database, artifacts: str | None) -> Blobs:
    if artifacts is not None:
        return blobs_at(artifacts)
    if database.dialect == "sqlite":
        return BlobsBeside(Path(database.url.database or ""))
    return DatabaseBlobs(database)


def _prepare(database: Database) -> None:
    width = partitions.width_of(database.url)
    info = database.read(lambda connection: _read_info(connection, database))
    if info is None or info.version < SCHEMA_VERSION:
        if database.read_only:
            found = _found(database) if info is None else f"its schema {info.version} is older than {SCHEMA_VERSION}"
            raise SchemaError(
                f"there is no store to read at {database.place}: {found}; check that it is the right one: a store is made, "
                "or brought up to date, when a program first opens it to write runs"
            )
        _bring_up_to_date(database, width)
        return
    _check_version(info, database)
    if not database.read_only:
        database.read(lambda connection: _check_rights(connection, database))
    if width is not None and not database.read_only:
        _partition_ahead(database, width)


_MAY_WRITE: Final = """
    SELECT bool_and(has_table_privilege(name, 'INSERT')
        AND (has_table_privilege(name, 'UPDATE') OR name NOT IN ('runstore_run', 'runstore_series', 'runstore_point'))
        AND (has_table_privilege(name, 'DELETE') OR name NOT IN ('runstore_config_leaf', 'runstore_artifact'))
        AND coalesce(has_sequence_privilege(pg_get_serial_sequence(name, pk), 'USAGE'), true))
    FROM (VALUES ('runstore_experiment', 'pk'), ('runstore_run', 'pk'), ('runstore_series', 'pk'), ('runstore_tag', NULL),
        ('runstore_config', NULL), ('runstore_config_leaf', NULL), ('runstore_point', NULL), ('runstore_artifact', NULL)
    ) AS places (name, pk)"""
_WRITE_NOTHING: Final = (
    "UPDATE runstore_run SET status = status WHERE pk < 0",
    "DELETE FROM runstore_config_leaf WHERE run_pk < 0",
    "INSERT INTO runstore_tag SELECT * FROM runstore_tag WHERE run_pk < 0",
)


def _check_rights(connection: sa.Connection, database: Database) -> None:
    """Refuses to write with a user who may only read: a run that nothing can be stored of is better told now."""
    if database.dialect == "postgresql" and not connection.exec_driver_sql(_MAY_WRITE).scalar():
        user = connection.exec_driver_sql("SELECT current_user").scalar()
        raise StoreFailureError(
            f"{user} may read the tables of {database.place} and not write them; ask their owner for INSERT, UPDATE and "
            "DELETE on the runstore_ tables and USAGE on their sequences, or use open_reader(url)"
        )
    if database.dialect == "mysql":  # which tells no rights, but refuses a statement before it looks for rows
        for statement in _WRITE_NOTHING:
            connection.exec_driver_sql(statement)


def _partition_ahead(database: Database, width: int) -> None:
    def add(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PARTITION_WAIT_S}s'")
        with _locked(connection, database):
            partitions.add_next(connection, width)

    if database.read(lambda connection: partitions.is_due(connection, width)):
        try:
            database.write(add)
        except StoreUnavailableError as error:  # somebody reads for long: the next opening does it
            _log.warning("no further partition was made in %s: %s", database.place, error)


def _found(database: Database) -> str:
    """What lies in a database that is no store of ours."""
    names = sorted(database.read(_names_in))
    if not names:
        return "it is empty"
    return f"it holds {', '.join(names[:_MOST_NAMES])}{' and more' if len(names) > _MOST_NAMES else ''}, and no runs"


def _read_info(connection: sa.Connection, database: Database) -> SchemaInfo | None:
    """What the schema says of itself; ``None`` for a database that is empty, or whose making was interrupted."""
    try:
        row = connection.execute(sa.select(schema_info).where(schema_info.c.pk == 1)).first()
    except (sa.exc.OperationalError, sa.exc.ProgrammingError) as error:
        if not is_missing(error.orig):
            raise
        if _has_no_schema(connection, database):
            raise SchemaError(
                f"{database.place} has no schema to look into: none of its search path is there, or may be used; make it "
                "(CREATE SCHEMA), ask for the right (GRANT USAGE ON SCHEMA), or name another one with "
                "?options=-csearch_path%3Dpublic behind the URL"
            ) from None
        names = {name.lower() for name in _names_in(connection)}  # raises when the connection itself is the trouble
        ours = sorted(names & OUR_NAMES)
        if not ours or VERSION_TABLE in names:
            return None
        raise ForeignSchemaError(
            f"{database.place} holds {', '.join(ours)}, which runstore did not make; "
            "give runstore a database (or a PostgreSQL schema) of its own"
        ) from None
    return None if row is None else SchemaInfo(row.version, row.min_reader, row.min_writer, row.written_by)


def _has_no_schema(connection: sa.Connection, database: Database) -> bool:
    return database.dialect == "postgresql" and connection.exec_driver_sql("SELECT current_schema()").scalar() is None


def _names_in(connection: sa.Connection) -> list[str]:
    inspector = sa.inspect(connection)
    return [*inspector.get_table_names(), *inspector.get_view_names()]


def _check_version(info: SchemaInfo, database: Database) -> None:
    needed, deed = (info.min_reader, "read") if database.read_only else (info.min_writer, "write")
    if needed > SCHEMA_VERSION:
        raise SchemaTooNewError(
            f"{database.place} has schema {info.version}, written by runstore {info.written_by}; to {deed} it takes a "
            f"release that knows schema {needed}, and this is runstore {_release()}, which knows {SCHEMA_VERSION}; "
            "run: pip install -U runstore"
        )


def _bring_up_to_date(database: Database, width: int | None) -> None:
    if database.dialect == "sqlite":
        path = Path(database.url.database or "")
        database.with_driver(lambda connection: sqlite_opening.use_log(connection, path, database.place))
        database.renew()  # what connects from now on knows the log
    if database.dialect == "mysql":
        database.with_driver(partial(_check_server, database=database))

    def migrate(connection: sa.Connection) -> None:
        with _locked(connection, database):
            info = _read_info_quietly(connection, database)
            if info is None and width is not None:
                partitions.make_table(connection, width)
            if info is None or info.version < SCHEMA_VERSION:
                _migrate(connection)
                return
        _check_version(info, database)

    # MySQL commits each DDL statement by itself, so there the lock is all; a broken attempt is taken up again.
    run = database.read if database.dialect == "mysql" else database.write
    run(migrate)


def _check_server(connection: Any, *, database: Database) -> None:
    """Refuses a server on which the tables could not be made, before the first of them is."""
    page = connection.runstore_facts.page
    if page < _LEAST_PAGE:
        raise SchemaError(
            f"the server of {database.place} runs with innodb_page_size={page}, and keys of 512 characters need 16384 or "
            "more; nothing was made. Give another server: this one's pages are chosen when its data is first made"
        )


def _read_info_quietly(connection: sa.Connection, database: Database) -> SchemaInfo | None:
    """As :func:`_read_info`, without a failing statement, which would spoil PostgreSQL's transaction."""
    if schema_info.name not in _names_in(connection):
        return None
    return _read_info(connection, database)


_one_migration = threading.Lock()
"""Alembic's context is one for the whole process: two stores that were opened at once would migrate each other's."""


@contextlib.contextmanager
def _locked(connection: sa.Connection, database: Database) -> Iterator[None]:
    """Only one process at a time; SQLite's write transaction is such a lock by itself."""
    if database.dialect == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK_NUMBER})")
        yield
    elif database.dialect == "mysql":
        name = {"name": f"{_LOCK_NAME} {database.url.database}"[-64:], "wait": _LOCK_WAIT_S}
        if connection.execute(sa.text("SELECT GET_LOCK(:name, :wait)"), name).scalar() != 1:
            raise StoreUnavailableError(f"another process has been changing {database.place} for {_LOCK_WAIT_S} s")
        try:
            yield
        finally:
            connection.execute(sa.text("SELECT RELEASE_LOCK(:name)"), name)
    else:
        yield


def _migrate(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 - slow to import, and needed at the first opening only
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    with _one_migration:
        command.upgrade(config, "head")
    connection.execute(schema_info.delete())
    connection.execute(
        schema_info.insert().values(
            pk=1, version=SCHEMA_VERSION, min_reader=MIN_READER, min_writer=MIN_WRITER, written_by=_release()
        )
    )


def _release() -> str:
    try:
        return version("runstore")
    except PackageNotFoundError:
        return "(not installed)"
