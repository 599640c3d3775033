"""Opening a store on a database."""

import logging
from functools import partial

from runstore.artifacts import Blobs, absolute_place, blobs_at
from runstore.errors import SchemaError, StoreUnavailableError
from runstore.hookspecs import OpenOptions
from runstore_sql import versions
from runstore_sql.blobs import DatabaseBlobs
from runstore_sql.connections.database import Database
from runstore_sql.dialects.base import Upkeep, parse_url
from runstore_sql.store import SqlStore

_log = logging.getLogger(__name__)


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
        database.alone(
            lambda: database.dialect.before_opening(database.url, database.shown_url, read_only=database.read_only)
        )
        _prepare(database)
        if not database.read_only:
            database.make_again = partial(_prepare, database)
    except BaseException:
        database.close()
        raise
    artifacts = options.artifacts
    if artifacts is not None:
        artifacts = absolute_place(artifacts)
    # What a pickled store is opened with elsewhere: nothing in it depends on this process's working directory.
    options = OpenOptions(artifacts=artifacts, read_only=options.read_only)
    return SqlStore(
        database,
        blobs_of(database, artifacts),
        is_place_named=artifacts is not None,
        reopen=partial(open_sql, database.whole_url, options),
    )


def blobs_of(database: Database, artifacts: str | None) -> Blobs:
    """Where artifact bytes go: to a root that was asked for, or to the dialect's own."""
    if artifacts is not None:
        return blobs_at(artifacts)
    return database.dialect.blobs(database.url) or DatabaseBlobs(database)


def _prepare(database: Database) -> None:
    """Makes sure of the schema. One that is current costs one read."""
    upkeep = database.dialect.upkeep(database.url)
    info = database.read(lambda connection: versions.read_info(connection, database))
    if info is None or not versions.is_current(info):
        if database.read_only:
            raise SchemaError(
                f"there is no store to read at {database.shown_url}: {versions.describe(info, database)}; check that it is the "
                "right one: a store is made, or brought up to date, when a program first opens it to write runs, or by `runstore "
                "migrate upgrade`"
            )
        versions.bring_up_to_date(database, upkeep)
        return
    versions.check(info, database)
    if database.read_only:
        return
    database.read(lambda connection: database.dialect.check_rights(connection, database.shown_url))
    if upkeep is not None:
        _catch_up(database, upkeep)


def _catch_up(database: Database, upkeep: Upkeep) -> None:
    if database.read(upkeep.is_due):
        try:
            database.write(upkeep.catch_up)
        except StoreUnavailableError as error:  # somebody reads for long: the next opening does it
            _log.warning("no further partition was made in %s: %s", database.shown_url, error)
