"""Opening a database: ours, empty, another's, or a newer release's (OPEN.1-4).

The one document of ``runstore_schema`` is written before anything else, so a database that has collections of our
names but not that document was made by somebody else.
"""

from typing import Final

from pymongo.errors import CollectionInvalid, OperationFailure, PyMongoError

from runstore.errors import ForeignSchemaError, SchemaError, SchemaTooNewError
from runstore_mongo.connection import Connection, is_duplicate
from runstore_mongo.connection.refusals import check_may_write
from runstore_mongo.documents.names import (
    ARTIFACTS,
    BUCKETS,
    CONFIG_VIEW,
    EXPERIMENTS,
    METRICS_VIEW,
    ROLLUPS,
    RUNS,
    SCHEMA,
    SERIES,
    Document,
)
from runstore_mongo.schema.indexes import build_all, build_indexes
from runstore_mongo.schema.views import configurations_view, metrics_view

VERSION: Final = 2
"""Of the stored shapes. A release that changes them raises it, and says in ``min_reader`` and ``min_writer`` which
versions can still read and write what it wrote."""

_MIN_READER: Final = 1
"""What came with version 2 is additional: a reader of version 1 passes it over, and sees deleted runs."""
_MIN_WRITER: Final = 2
"""A writer of version 1 would begin deleted runs again, and write points past their roll-ups."""
_VERSIONS: Final[Document] = {"version": VERSION, "min_reader": _MIN_READER, "min_writer": _MIN_WRITER}

STEPS: Final = {
    1: "make the collections, the indexes and the two views",
    2: "let runs be noted, archived and deleted: indexes, and roll-ups of what is stored, which are made afterwards",
}
"""What brings a database to each version, for people."""

_ID: Final = "schema"
_NAMES: Final = (EXPERIMENTS, RUNS, SERIES, BUCKETS, ROLLUPS, ARTIFACTS, METRICS_VIEW, CONFIG_VIEW)
_NAMESPACE_EXISTS: Final = 48


def open_schema(connection: Connection, *, read_only: bool) -> None:
    """Makes the schema in an empty database, completes one half made, and refuses what cannot be used.

    Raises:
        ForeignSchemaError: collections of our names that are not ours.
        SchemaTooNewError: a newer release wrote it in a way that this one cannot use.
        SchemaError: ``read_only``, and there is no store here.
    """
    connection.call("open the store", lambda: _open(connection, read_only=read_only))


def read_versions(connection: Connection) -> Document | None:
    """What the database says of its schema, nothing written; ``None`` where there is no store yet.

    Raises:
        ForeignSchemaError: collections of our names that are not ours.
    """
    # In this order: whoever makes the schema writes its document first, so names seen now imply a document found next.
    taken = _names_taken(connection)
    found = connection.database[SCHEMA].find_one({"_id": _ID})
    if found is None and taken:
        raise _foreign(connection, taken)
    return found


def complete(connection: Connection) -> None:
    """Makes what is missing and waits until it is there, however large the store is."""
    database = connection.database
    _make_views(connection)
    build_all(database)
    _tell_complete(connection)


def has_stored_to_roll_up(connection: Connection) -> bool:
    """Whether an older release has written series that no roll-ups were made of since."""
    return connection.database[SCHEMA].find_one({"_id": _ID, "is_rolled_up": False}, {"_id": 1}) is not None


def tell_rolled_up(connection: Connection) -> None:
    """Says that all that an older release wrote is rolled up."""
    connection.database[SCHEMA].update_one({"_id": _ID}, {"$unset": {"is_rolled_up": 1}})


def _open(connection: Connection, *, read_only: bool) -> None:
    database = connection.database
    found = read_versions(connection)
    if found is None and read_only:
        raise SchemaError(
            f"there is no run store at {connection.shown}; nothing was created. Check the database's name"
        )
    if found is None:
        found = {**_VERSIONS, "is_complete": False}
        try:
            database[SCHEMA].insert_one({"_id": _ID, **found})
        except PyMongoError as error:
            if not is_duplicate(error):
                raise
            found = database[SCHEMA].find_one({"_id": _ID}) or found
    _check_version(connection, found, read_only=read_only)
    if not read_only:
        check_may_write(database, connection.shown)
    if read_only:
        return
    if found["version"] < VERSION:
        _raise_version(connection)
        _complete(connection)
    elif not found["is_complete"]:
        _complete(connection)


def _names_taken(connection: Connection) -> list[str]:
    return sorted(set(_NAMES) & set(connection.database.list_collection_names()))


def _foreign(connection: Connection, taken: list[str]) -> ForeignSchemaError:
    return ForeignSchemaError(
        f"{connection.shown} already has the collections {', '.join(taken)}, which runstore did not make; "
        "nothing was written. Name another database in the URL"
    )


def _check_version(connection: Connection, found: Document, *, read_only: bool) -> None:
    needed = found["min_reader"] if read_only else max(found["min_reader"], found["min_writer"])
    if needed > VERSION:
        raise SchemaTooNewError(
            f"{connection.shown} has schema version {found['version']}, which needs version {needed} to "
            f"{'read' if read_only else 'write'}; this release knows version {VERSION}. Nothing was written. "
            'Run: pip install --upgrade "runstore[mongo]"'
        )


def _raise_version(connection: Connection) -> None:
    """Makes an older release's store one of this version: from now on such a release may read it and no longer write.

    Nothing that is stored changes. What is missing, as a field or an index, is taken for none until it is there.
    """
    is_older = {"_id": _ID, "version": {"$lt": VERSION}}
    connection.database[SCHEMA].update_one(
        is_older, {"$set": {**_VERSIONS, "is_complete": False, "is_rolled_up": False}}
    )


def _complete(connection: Connection) -> None:
    """Makes what is missing; any number of processes may do this at once."""
    _make_views(connection)
    build_indexes(connection.database, lambda: _tell_complete(connection))


def _make_views(connection: Connection) -> None:
    database = connection.database
    for name, source, pipeline in (
        (CONFIG_VIEW, RUNS, configurations_view()),
        (METRICS_VIEW, SERIES, metrics_view()),
    ):
        try:
            database.create_collection(name, viewOn=source, pipeline=pipeline, check_exists=False)
        except (CollectionInvalid, OperationFailure) as error:
            if isinstance(error, OperationFailure) and error.code != _NAMESPACE_EXISTS:
                raise
            database.command("collMod", name, viewOn=source, pipeline=pipeline)


def _tell_complete(connection: Connection) -> None:
    connection.database[SCHEMA].update_one({"_id": _ID, "version": VERSION}, {"$set": {"is_complete": True}})
