"""What a person does with a SQL database beside keeping runs in it: see its state, bring its schema up to date, read it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from secrets import token_hex
from typing import Any, Final

import sqlalchemy as sa

from runstore.backend import Administration, Finding, Grade, Rights, SchemaState, Selection
from runstore.errors import StoreFailureError, StoreUnavailableError
from runstore.hookspecs import OpenOptions
from runstore_sql import versions
from runstore_sql.connections.database import Database
from runstore_sql.dialects.base import parse_url
from runstore_sql.migrations.steps import steps_after
from runstore_sql.opening import open_sql
from runstore_sql.schema.tables import SCHEMA_VERSION, VIEW_NAMES, index_names

_MOST_NAMES: Final = 5
_SCRATCH: Final = "runstore_scratch"
_WHAT_IS_TAKEN: Final = "give one statement that reads, such as SELECT * FROM runs"


class SqlAdministration(Administration):
    """Looks through connections that only read."""

    def __init__(self, url: str) -> None:
        """Connects to nothing yet.

        Raises:
            SettingsError: the URL cannot be understood.
        """
        self._url = url
        self._database = Database(parse_url(url), read_only=True)
        self._steward = self._database.dialect.steward()

    def schema_state(self) -> SchemaState:
        database = self._database
        info = None
        if self._steward.is_made(database.url):
            self._ready()
            info = database.read(lambda connection: versions.read_info(connection, database))
        if info is None:
            return SchemaState(found=None, known=SCHEMA_VERSION, is_readable=False, steps=_steps_from(0))
        return SchemaState(
            found=info.version,
            known=SCHEMA_VERSION,
            written_by=info.written_by,
            is_readable=versions.is_current(info) and info.min_reader <= SCHEMA_VERSION,
            is_writable=info.min_writer <= SCHEMA_VERSION,
            steps=_steps_from(info.version),
        )

    def _ready(self) -> None:
        database = self._database
        database.alone(lambda: database.dialect.before_opening(database.url, database.shown_url, read_only=True))

    def upgrade(self) -> None:
        """As the first program of this release to open the store does it: of several processes, one."""
        open_sql(self._url, OpenOptions()).close()

    def rights(self) -> Rights:
        database = self._database
        if not self._steward.is_made(database.url):
            return Rights()
        info = database.read(lambda connection: versions.read_info(connection, database))
        has_schema = info is not None and versions.is_current(info)
        return database.with_driver(
            lambda connection: self._steward.rights(connection, database.url, has_schema=has_schema)
        )

    def findings(self) -> Iterator[Finding]:
        database = self._database
        yield Finding(subject="server", found=database.with_driver(self._steward.server))
        yield from self._of_indexes()
        yield from self._of_views()
        ahead_s = database.with_driver(
            lambda connection: self._steward.clock_ahead_s(connection, database.dialect.now_us)
        )
        yield Finding.of_clock(ahead_s)

    def _of_indexes(self) -> Iterator[Finding]:
        names = self._database.read(_index_names_in)
        missing = sorted(index_names(has_partial_indexes=self._database.dialect.has_partial_indexes) - names)
        broken = self._database.with_driver(self._steward.broken_indexes)
        if missing or broken:
            said = [f"{len(missing)} missing ({_listed(missing)})"] if missing else []
            said += [f"{len(broken)} not used by the database ({_listed(broken)})"] if broken else []
            yield Finding(
                subject="indexes",
                grade=Grade.WARNING,
                found=f"{'; '.join(said)}: searches take long",
                cure="make them as a new store has them, or bring the runs into a new store",
            )
            return
        yield Finding(subject="indexes", found="all there")

    def _of_views(self) -> Iterator[Finding]:
        views = self._database.read(
            lambda connection: {name.lower() for name in sa.inspect(connection).get_view_names()}
        )
        missing = sorted(set(VIEW_NAMES) - views)
        if missing:
            yield Finding(
                subject="views",
                grade=Grade.WARNING,
                found=f"missing: {', '.join(missing)}; other programs read through them, runstore itself does not",
                cure="make them as a new store has them, or bring the runs into a new store",
            )

    def select(self, statement: str, *, limit: int) -> Selection:
        """See :meth:`runstore_sql.dialects.steward.Steward.select`.

        Raises:
            StoreFailureError: the database refused the statement; says why.
        """
        self._ready()
        self._database.with_driver(lambda _: None)  # that we are not let in is no fault of the statement
        try:
            return self._database.with_driver(lambda connection: self._steward.select(connection, statement, limit))
        except (StoreFailureError, StoreUnavailableError) as error:
            failures, cause = self._database.dialect.failures, error.__cause__
            if isinstance(error, StoreUnavailableError) and failures.code(cause or error) not in failures.of_replica:
                raise
            said = " ".join(str(error.__cause__ or error).split())
            raise StoreFailureError(f"the database refused the statement: {said}; {_WHAT_IS_TAKEN}") from error

    @contextmanager
    def scratch(self) -> Iterator[str]:
        name = f"{_SCRATCH}_{token_hex(6)}"
        database = Database(parse_url(self._url), read_only=False)

        def run(call: Callable[[Any], None]) -> None:
            database.with_driver(call)

        try:
            made = self._steward.make_scratch(run, database.url, name)
            try:
                self._check_scratch(database.whole(made), name)
                yield database.whole(made)
            finally:
                self._steward.drop_scratch(run, made, name)
        finally:
            database.close()

    def _check_scratch(self, url: str, name: str) -> None:
        """Makes sure that the URL leads there, and not to where runs are kept.

        Raises:
            StoreFailureError: something in between, as a pooler, leads elsewhere.
        """
        found = Database(parse_url(url), read_only=True)
        try:
            if self._steward.is_made(found.url) and found.with_driver(self._steward.place) != name:
                raise StoreFailureError(
                    f"the place for trials {name} cannot be reached through {found.shown_url}: what stands in between leads "
                    "elsewhere; connect to the server itself"
                )
        finally:
            found.close()

    def close(self) -> None:
        self._database.close()


def _index_names_in(connection: sa.Connection) -> set[str]:
    found = sa.inspect(connection).get_multi_indexes()
    return {str(each["name"]) for indexes in found.values() for each in indexes}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMES]) + (" and more" if len(names) > _MOST_NAMES else "")


def _steps_from(version: int) -> tuple[str, ...]:
    """What brings a schema of this version up to date: a line for each step that is missing."""
    return tuple(map(str, steps_after(version)))
