"""What a person does with a MongoDB database beside keeping runs in it: see its state, and bring its schema up to date."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from secrets import token_hex
from typing import Final, TypeVar

import pymongo

from runstore.backend import Administration, Finding, Grade, Rights, SchemaState
from runstore_mongo.connection import Connection
from runstore_mongo.connection.refusals import CHANGES, READS, WRITES, actions_of_user
from runstore_mongo.connection.urls import with_database
from runstore_mongo.schema import STEPS, VERSION, complete, has_stored_to_roll_up, missing_indexes, read_versions
from runstore_mongo.store import MongoStore

_MOST_NAMES: Final = 5
_SCRATCH: Final = "runstore_scratch"

ResultT = TypeVar("ResultT")


class MongoAdministration(Administration):
    """Looks with commands that only read."""

    def __init__(self, url: str) -> None:
        """Connects to nothing yet.

        Raises:
            SettingsError: the URL cannot be understood.
        """
        self._url = url
        self._connection = Connection(url)

    def schema_state(self) -> SchemaState:
        found = self._call("look at the schema", lambda: read_versions(self._connection))
        if found is None:
            return SchemaState(found=None, known=VERSION, is_readable=False, steps=tuple(STEPS.values()))
        steps = [said for version, said in STEPS.items() if version > found["version"]]
        if not steps and not found["is_complete"]:
            steps = ["build the indexes that are missing"]
        return SchemaState(
            found=found["version"],
            known=VERSION,
            is_readable=found["min_reader"] <= VERSION,
            is_writable=max(found["min_reader"], found["min_writer"]) <= VERSION,
            steps=tuple(steps),
        )

    def upgrade(self) -> None:
        """As the first program of this release to open the store does it; then waits until all indexes are there."""
        with MongoStore(self._url):
            lacks_indexes = bool(self._call("look", lambda: missing_indexes(self._connection.database)))
            if self.schema_state().steps or lacks_indexes:
                self._call("build indexes", lambda: complete(self._connection))

    def rights(self) -> Rights:
        found = self._call("look at the rights", lambda: actions_of_user(self._connection.database))
        if found is None:
            return Rights()
        user, actions = found
        return Rights(user=user, read=actions >= READS, write=actions >= WRITES, change=actions >= CHANGES)

    def findings(self) -> Iterator[Finding]:
        client = self._connection.client
        version = self._call("ask for the version", lambda: client.server_info()["version"])
        yield Finding(subject="server", found=f"MongoDB {version}, PyMongo {pymongo.version}")
        yield self._call("look at the indexes", self._of_indexes)
        yield self._call("look at the clock", self._of_clock)
        if self._call("look for roll-ups", lambda: has_stored_to_roll_up(self._connection)):
            yield Finding(
                subject="roll-ups",
                grade=Grade.WARNING,
                found="some of what an older release wrote is not rolled up: charts of it take long",
                cure="leave a program open that writes to the store, which does it beside its work",
            )

    def _of_indexes(self) -> Finding:
        missing = missing_indexes(self._connection.database)
        if not missing:
            return Finding(subject="indexes", found="all there")
        more = " and more" if len(missing) > _MOST_NAMES else ""
        return Finding(
            subject="indexes",
            grade=Grade.WARNING,
            found=f"{len(missing)} missing ({', '.join(missing[:_MOST_NAMES])}{more}): searches take long",
            cure="runstore migrate upgrade",
        )

    def _of_clock(self) -> Finding:
        before = datetime.now(UTC)
        theirs: datetime = self._connection.client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
        ahead_s = (theirs - before - (datetime.now(UTC) - before) / 2).total_seconds()
        return Finding.of_clock(ahead_s)

    @contextmanager
    def scratch(self) -> Iterator[str]:
        name = f"{_SCRATCH}_{token_hex(6)}"
        client = self._connection.client
        try:
            yield with_database(self._url, name)
        finally:
            self._call("remove the place for trials", lambda: client.drop_database(name))

    def close(self) -> None:
        self._connection.close()

    def _call(self, asked: str, operation: Callable[[], ResultT]) -> ResultT:
        return self._connection.call(asked, operation)
