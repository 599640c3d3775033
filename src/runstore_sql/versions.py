"""Whose schema a database has, and which version of it (OPEN.1-4).

Anything but a current schema is looked at again under a lock that only one process holds, and then made or brought up to
date in one go.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import Final, NamedTuple

import sqlalchemy as sa

from runstore.errors import ForeignSchemaError, SchemaTooNewError
from runstore_sql.connections.database import Database
from runstore_sql.dialects.base import Upkeep
from runstore_sql.schema.tables import MIN_READER, MIN_WRITER, OUR_NAMES, SCHEMA_VERSION, VERSION_TABLE, schema_info

_MOST_NAMES: Final = 5


class SchemaInfo(NamedTuple):
    """What a database says of its schema."""

    version: int
    min_reader: int
    min_writer: int
    written_by: str


def is_current(info: SchemaInfo) -> bool:
    """Whether a schema is not older than ours."""
    return info.version >= SCHEMA_VERSION


def read_info(connection: sa.Connection, database: Database) -> SchemaInfo | None:
    """What the schema says of itself; ``None`` for a database that is empty, or whose making was interrupted.

    Raises:
        ForeignSchemaError: others have taken our names.
        SchemaError: there is nothing to look into.
    """
    try:
        row = connection.execute(sa.select(schema_info).where(schema_info.c.pk == 1)).first()
    except (sa.exc.OperationalError, sa.exc.ProgrammingError) as error:
        if not database.dialect.failures.is_missing(error.orig):
            raise
    else:
        return None if row is None else SchemaInfo(row.version, row.min_reader, row.min_writer, row.written_by)
    database.dialect.check_schema(connection, database.shown_url)
    names = {name.lower() for name in _names_in(connection)}  # raises when the connection itself is the trouble
    ours = sorted(names & OUR_NAMES)
    if not ours or VERSION_TABLE in names:
        return None
    raise ForeignSchemaError(
        f"{database.shown_url} holds {', '.join(ours)}, which runstore did not make; "
        "give runstore a database (or a PostgreSQL schema) of its own"
    )


def describe(info: SchemaInfo | None, database: Database) -> str:
    """What lies in a database that has no current schema of ours, for people."""
    if info is not None:
        return f"its schema {info.version} is older than {SCHEMA_VERSION}"
    names = sorted(database.read(_names_in))
    if not names:
        return "it is empty"
    return f"it holds {', '.join(names[:_MOST_NAMES])}{' and more' if len(names) > _MOST_NAMES else ''}, and no runs"


def check(info: SchemaInfo, database: Database) -> None:
    """Refuses a schema that this release is too old for.

    Raises:
        SchemaTooNewError: says which release it takes.
    """
    needed, deed = (info.min_reader, "read") if database.read_only else (info.min_writer, "write")
    if needed > SCHEMA_VERSION:
        raise SchemaTooNewError(
            f"{database.shown_url} has schema {info.version}, written by runstore {info.written_by}; to {deed} it takes a "
            f"release that knows schema {needed}, and this is runstore {_release()}, which knows {SCHEMA_VERSION}; "
            "run: pip install -U runstore"
        )


def bring_up_to_date(database: Database, upkeep: Upkeep | None) -> None:
    """Makes the schema, or migrates it; of several processes, one."""
    dialect = database.dialect
    if database.with_driver(lambda connection: dialect.ready_for_tables(connection, database.url, database.shown_url)):
        database.renew()

    def migrate(connection: sa.Connection) -> None:
        with dialect.lock(connection, database.url, database.shown_url):
            info = _read_info_quietly(connection, database)
            if info is None and upkeep is not None:
                upkeep.begin(connection)
            if info is None or not is_current(info):
                _migrate(connection, database)
                return
        check(info, database)

    run = database.read if dialect.commits_ddl else database.write
    run(migrate)


def _read_info_quietly(connection: sa.Connection, database: Database) -> SchemaInfo | None:
    """As :func:`read_info`, without a failing statement, which would spoil PostgreSQL's transaction."""
    if schema_info.name not in _names_in(connection):
        return None
    return read_info(connection, database)


def _names_in(connection: sa.Connection) -> list[str]:
    inspector = sa.inspect(connection)
    # Views first: another process may make both between the two looks, and views without tables would seem foreign.
    return [*inspector.get_view_names(), *inspector.get_table_names()]


def _migrate(connection: sa.Connection, database: Database) -> None:
    """Takes the steps that are missing, and says what the schema is now.

    Raises:
        SchemaTooNewError: a newer release has begun to bring the schema up to date.
    """
    from runstore_sql.migrations import steps  # noqa: PLC0415 - needed at the first opening only

    last = steps.last_taken(connection)
    if last is not None and last > steps.STEPS[-1].name:
        raise SchemaTooNewError(
            f"a newer release of runstore was stopped while it brought {database.shown_url} up to date, after step {last}; "
            f"this is runstore {_release()}, which knows the steps up to {steps.STEPS[-1].name}; open the store with the "
            "newer release once more, or run: pip install -U runstore"
        )
    steps.take_after(last, connection)
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
