"""One database: its connections, transactions and retries.

Connections are in autocommit mode and transactions are begun by hand, so a plain read costs one round trip and no
connection ever sits idle in a transaction (DUR.5). A call holds one connection at most (DUR.3) and hands it back before
it returns. After a fork the child makes connections of its own (OPEN.5).
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar, cast

import sqlalchemy as sa
import tenacity
from sqlalchemy.pool import QueuePool

from runstore.errors import RunStoreError, SettingsError, StoreClosedError, StoreUnavailableError
from runstore.local import forks
from runstore.local.homes import expanded
from runstore.secrets import Secrets, redact_word, split_url, without_secrets
from runstore.urls import scheme_of, with_plain_scheme
from runstore_sql import secret_options
from runstore_sql.failures import is_cut_off, is_transient, translate
from runstore_sql.sqlite_file import OPTIONS as SQLITE_OPTIONS
from runstore_sql.sqlite_file import SqliteFile
from runstore_sql.sqlite_reading import ChangedError, ReadFile
from runstore_sql.trips import Trips

_ATTEMPTS: Final = 4
_POOL_SIZE: Final = 5
_NO_OPTIONS: Final[Mapping[str, Any]] = MappingProxyType({})
_BEGIN: Final = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "BEGIN ISOLATION LEVEL READ COMMITTED",
    "mysql": "START TRANSACTION",
}
_READ_ONLY: Final = {"sqlite": "", "postgresql": ", READ ONLY", "mysql": " READ ONLY"}
"""What is said as a transaction begins that only reads: a session's setting may meet another program, see postgresql.py."""
_NO_LIMIT: Final = "SET LOCAL statement_timeout = 0"
_NOW_US: Final = {
    "sqlite": "runstore_now_us()",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
    "mysql": "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
}

ResultT = TypeVar("ResultT")


class Database:
    """Connections to one database, for any number of threads.

    Attributes:
        url: SQLAlchemy's form of the URL, with the driver that we use, without the options that hold secrets.
        secret_options: those.
        dialect: ``sqlite``, ``postgresql`` or ``mysql``.
        is_cut_short: whether PostgreSQL has ended a statement that took longer than its settings allow. What writes is
            then given the time it needs, transaction by transaction.
        now_us: SQL for the database's clock, in microseconds since 1970 UTC. A SQLite file has the machine's clock.
    """

    def __init__(self, url: sa.URL, *, read_only: bool) -> None:
        """Connects to nothing yet."""
        self._secrets = Secrets(url.render_as_string(hide_password=False))
        self.url, self.secret_options = secret_options.part(url)
        self.read_only = read_only
        self.dialect = url.get_backend_name()
        self.now_us = _NOW_US[self.dialect]
        self.begin = _BEGIN[self.dialect] + (_READ_ONLY[self.dialect] if read_only else "")
        self._engines: dict[int, sa.Engine] = {}
        self._spare: list[tuple[int, Any]] = []
        self._busy: set[int] = set()
        self._inherited: list[Any] = []  # a parent's connections, which this process must neither use nor close
        self._is_closed = False
        self.is_cut_short = False
        self._file = file_of(url, read_only=read_only) if self.dialect == "sqlite" else None
        if self._file is not None:
            self._file.renew = self.renew
            forks.rest_before_forks(self)

    @property
    def place(self) -> str:
        """The URL for people: no password."""
        return redact_word(self.url.render_as_string(hide_password=True))

    @property
    def engine(self) -> sa.Engine:
        """This process's engine. A child never touches its parent's connections, which stay referenced, unclosed."""
        if self._is_closed:
            raise StoreClosedError(f"the store at {self.place} was closed; open another")
        pid = os.getpid()
        found = self._engines.get(pid)
        # setdefault is atomic: of two threads' engines, neither of them connected yet, one stays.
        return found if found is not None else self._engines.setdefault(pid, self._new_engine())

    def _new_engine(self) -> sa.Engine:
        if self._file is not None:
            return sqlite_engine(self._file)
        return make_engine(self.url, self.read_only, self.secret_options)

    def connections_in_use(self) -> int:
        """How many connections are checked out right now, in this process."""
        if self._is_closed:
            return 0
        pool = self.engine.pool
        return (pool.checkedout() if isinstance(pool, QueuePool) else 0) + len(self._busy)

    def close(self) -> None:
        """Closes the connections of this process; later calls raise StoreClosedError."""
        if not self._is_closed:
            self._is_closed = True
            self.renew()
            if self._file is not None:
                self._file.close()

    def renew(self) -> None:
        """Closes this process's connections that nobody uses now; they are made anew when needed."""
        if self._file is None:
            self.rest()
            return
        forks.enter()  # a connection that is half closed must not be inherited either
        try:
            self.rest()
        finally:
            forks.leave()

    def rest(self) -> None:
        """As :meth:`renew`, before a fork: no call is under way."""
        self._drop_spares()
        engine = self._engines.get(os.getpid())
        if engine is not None:
            engine.dispose()

    def _drop_spares(self) -> None:
        while self._spare:
            try:
                pid, held = self._spare.pop()
            except IndexError:  # another thread took the last one
                break
            if pid == os.getpid():
                held.close()
            else:
                self._inherited.append(held)

    def read(self, work: Callable[[sa.Connection], ResultT]) -> ResultT:
        """What ``work`` gives on a connection without a transaction; tried again when the database is away or busy."""

        def attempt() -> ResultT:
            with self._connected() as connection:
                return work(connection)

        return self._retried(attempt)

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        """A connection of the pool, handed back at the end of the block."""
        file = self._file
        if file is None:
            with self._pooled() as connection:
                yield connection
            return
        file.enter()
        try:
            with self._pooled() as connection:
                yield connection
                file.check(connection.connection.dbapi_connection)
        finally:
            file.leave()

    @contextmanager
    def _pooled(self) -> Iterator[sa.Connection]:
        engine = self.engine
        pool = engine.pool
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            if engine.pool is not pool:  # given up meanwhile: nobody would close what was handed back to it
                pool.dispose()

    def write(self, work: Callable[[sa.Connection], ResultT]) -> ResultT:
        """What ``work`` gives in one transaction, committed when it returns and rolled back when it raises."""

        def attempt() -> ResultT:
            with self._connected() as connection, self.transaction(connection):
                return work(connection)

        return self._retried(attempt)

    def with_driver(self, work: Callable[[Any], ResultT]) -> ResultT:
        """What ``work`` gives on a connection of the driver's own, for the paths where SQLAlchemy's layer would cost.

        ``work`` begins and ends its own transaction with :meth:`driver_transaction`. Such connections have a small
        stack of their own, for the pool's bookkeeping takes longer than writing a point to SQLite.
        """
        file = self._file

        def attempt() -> ResultT:
            if file is None:
                return self._with_spare(work)
            file.enter()
            try:
                return self._with_spare(work, file)
            finally:
                file.leave()

        return self._retried(attempt)

    def _with_spare(self, work: Callable[[Any], ResultT], file: SqliteFile | ReadFile | None = None) -> ResultT:
        held = self._take_spare()
        self._busy.add(id(held))
        try:
            result = work(held.dbapi_connection)
            if file is not None:
                file.check(held.dbapi_connection)
        except Exception as error:
            if is_transient(error) or isinstance(error, ChangedError):
                held.close()
            else:
                self._keep_spare(held)
            raise
        except BaseException:
            held.close()
            raise
        else:
            self._keep_spare(held)
            return result
        finally:
            self._busy.discard(id(held))

    def alone(self, work: Callable[[], ResultT]) -> ResultT:
        """What ``work`` gives, which connects by itself; tried again when the database is away or busy."""

        def attempt() -> ResultT:
            forks.enter()
            try:
                return work()
            finally:
                forks.leave()

        return self._retried(attempt)

    def _take_spare(self) -> Any:
        while self._spare and not self._is_closed:
            try:
                pid, held = self._spare.pop()
            except IndexError:  # another thread took the last one
                break
            if pid == os.getpid():
                return held
            self._inherited.append(held)
        held = self.engine.raw_connection()
        held.detach()
        return held

    def _keep_spare(self, held: Any) -> None:
        if len(self._spare) < _POOL_SIZE and not self._is_closed:
            self._spare.append((os.getpid(), held))
        else:
            held.close()

    @contextmanager
    def transaction(self, connection: sa.Connection) -> Iterator[None]:
        """A transaction on a connection that is in autocommit mode."""
        connection.exec_driver_sql(self.begin)
        try:
            if self.is_cut_short:
                connection.exec_driver_sql(_NO_LIMIT)
            yield
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            _roll_back(lambda: connection.exec_driver_sql("ROLLBACK"), connection.invalidate)
            raise

    def driver_transaction(self, connection: Any) -> AbstractContextManager[Any]:
        """A transaction on a driver's connection; gives its cursor."""
        return DriverTransaction(connection.cursor(), self.begin, _NO_LIMIT if self.is_cut_short else None)

    @contextmanager
    def driver_trips(self, connection: Any) -> Iterator[Trips]:
        """As :meth:`driver_transaction`, with as many statements a round trip as can be."""
        with connection.cursor() as cursor:
            trips = Trips(cursor)
            try:
                trips.execute(self.begin)
                yield trips
                trips.finish("COMMIT")
            except BaseException:
                trips.forget()
                _roll_back(lambda: trips.finish("ROLLBACK"), lambda: None)
                raise

    def _retried(self, attempt: Callable[[], ResultT]) -> ResultT:
        try:
            if isinstance(self._file, ReadFile):
                return self._file.read(attempt)
            return attempt()  # the first try pays for no machinery
        except RunStoreError:
            raise
        except Exception as error:  # noqa: BLE001 - translated or raised again below
            failed = self._translated(error)
        if not isinstance(failed, StoreUnavailableError):
            raise failed
        self._forget_connections()
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(StoreUnavailableError),
            wait=tenacity.wait_random_exponential(multiplier=0.05, max=1.0),
            stop=tenacity.stop_after_attempt(_ATTEMPTS - 1),
            before_sleep=lambda _: self._forget_connections(),
            reraise=True,
        )
        return cast("ResultT", retrying(self._translating, attempt))

    def _translating(self, attempt: Callable[[], ResultT]) -> ResultT:
        try:
            return self._file.read(attempt) if isinstance(self._file, ReadFile) else attempt()
        except RunStoreError:
            raise
        except Exception as error:  # noqa: BLE001 - raised again, translated
            failed = self._translated(error)
        raise failed  # not where it was caught: the driver's error may hold a secret, and would be kept as context

    def _translated(self, error: Exception) -> Exception:
        if not isinstance(error, (sa.exc.SQLAlchemyError, sqlite3.Error)) and not _is_driver_error(error):
            return error
        failed = translate(error, place=self.place)
        self.is_cut_short = self.is_cut_short or is_cut_off(error)
        # The driver's own error, not SQLAlchemy's around it: whoever reads the traceback meets one cause.
        failed.__cause__ = error
        if isinstance(error, sa.exc.DBAPIError) and error.orig is not None:
            failed.__cause__ = error.orig
            if error.statement is None:  # no connection was had: forty lines of the pool's say nothing more
                error.orig.__traceback__ = None
        return without_secrets(failed, self._secrets)

    def _forget_connections(self) -> None:
        """After a lost connection the others of the pool are likely lost too; new ones are made when needed."""
        if self.dialect != "sqlite" and not self._is_closed:
            self._drop_spares()
            self.engine.dispose()


class DriverTransaction:
    """See :meth:`Database.driver_transaction`. No generator, which would cost a call of one point a tenth of its time."""

    __slots__ = ("_begin", "_cursor", "_first")

    def __init__(self, cursor: Any, begin: str, first: str | None) -> None:
        """Sends nothing yet."""
        self._cursor = cursor
        self._begin = begin
        self._first = first

    def __enter__(self) -> Any:
        """Begins; the cursor."""
        self._cursor.execute(self._begin)
        if self._first is not None:
            self._cursor.execute(self._first)
        return self._cursor

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        """Commits, or rolls back where that or the work failed."""
        cursor = self._cursor
        try:
            if kind is None:
                cursor.execute("COMMIT")
            else:
                self._roll_back()
        except BaseException:
            self._roll_back()
            raise
        finally:
            cursor.close()

    def _roll_back(self) -> None:
        _roll_back(lambda: self._cursor.execute("ROLLBACK"), lambda: None)


def parse_url(text: str) -> sa.URL:
    """The URL with the driver that we use.

    Raises:
        SettingsError: it cannot be understood, or names a SQLite database in memory.
    """
    try:
        url = _of_several_hosts(text) or sa.make_url(with_plain_scheme(text))
    except (sa.exc.ArgumentError, ValueError):
        raise SettingsError(f"store {redact_word(text)!r} cannot be understood as a database URL") from None
    scheme = url.get_backend_name()
    if scheme == "sqlite":
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise SettingsError(
                f"store {redact_word(text)!r} names no file; give sqlite:///runs.db or sqlite:////absolute/runs.db, "
                "or memory:// for a store that is gone when closed"
            )
        unknown = sorted(set(url.query) - SQLITE_OPTIONS)
        if unknown:
            raise SettingsError(
                f"store {redact_word(text)!r} has the options {', '.join(unknown)}; known for SQLite are "
                f"{', '.join(sorted(SQLITE_OPTIONS))}"
            )
        return url.set(
            drivername="sqlite", database=str(expanded(url.database, called="the path of the sqlite:/// URL"))
        )
    if not url.database:
        raise SettingsError(f"store {redact_word(text)!r} names no database; add one after the host, as in …@host/runs")
    if scheme in {"postgresql", "postgres"}:
        from runstore_sql import postgresql  # noqa: PLC0415 - psycopg is there for this dialect only

        postgresql.check_options(url)
        return url.set(drivername="postgresql+psycopg")
    from runstore_sql import mysql  # noqa: PLC0415 - as above

    mysql.check_options(url)
    return url.set(drivername="mysql+pymysql")


def _of_several_hosts(text: str) -> sa.URL | None:
    """A PostgreSQL URL as libpq spells one of several servers, ``//one:5432,two/runs``, in SQLAlchemy's form."""
    parts, backend = split_url(text), scheme_of(text)
    if backend in {"mysql", "mariadb"} and "," in parts.hosts:
        raise SettingsError(
            f"store {redact_word(text)!r} names several hosts, and the driver of MySQL and MariaDB knows one; name one, or "
            "a proxy that stands before them"
        )
    if backend not in {"postgresql", "postgres"} or "," not in parts.hosts:
        return None
    scheme, mark, rest = with_plain_scheme(text).partition("://")
    before, _, behind = rest.partition(parts.hosts)
    url = sa.make_url(f"{scheme}{mark}{before}{behind}")
    return url.update_query_dict({"host": parts.hosts.split(",")})


def make_engine(url: sa.URL, read_only: bool, secrets: Mapping[str, Any] = _NO_OPTIONS) -> sa.Engine:  # noqa: FBT001 - one caller
    """An engine whose connections are in autocommit mode; nothing is connected yet."""
    if url.get_backend_name() == "sqlite":
        return sqlite_engine(file_of(url, read_only=read_only))
    arguments = secret_options.connect_arguments(url, secrets)
    engine = _pooled_engine(url, max_overflow=_POOL_SIZE, connect_args=arguments)
    sa.event.listen(engine, "do_connect", _connector(url, secrets, read_only=read_only))
    return engine


def file_of(url: sa.URL, *, read_only: bool) -> SqliteFile | ReadFile:
    """The file of a SQLite URL."""
    path = Path(url.database or "")
    return ReadFile(path, dict(url.query)) if read_only else SqliteFile(path, dict(url.query))


def sqlite_engine(file: SqliteFile | ReadFile) -> sa.Engine:
    """An engine on a file."""
    return _pooled_engine(sa.URL.create("sqlite"), max_overflow=0, creator=file.connect)


def _pooled_engine(url: sa.URL, *, max_overflow: int, **arguments: Any) -> sa.Engine:
    return sa.create_engine(
        url,
        poolclass=QueuePool,
        pool_size=_POOL_SIZE,
        max_overflow=max_overflow,
        # A thread waits for its turn rather than fail: 16 threads may share a handle.
        pool_timeout=60,
        pool_reset_on_return=None,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        hide_parameters=True,
        **arguments,
    )


def _connector(
    url: sa.URL, secrets: Mapping[str, Any], *, read_only: bool
) -> Callable[[Any, object, Sequence[Any], dict[str, Any]], Any]:
    """How the engine gets a connection; a driver is imported where its dialect is used."""
    if url.get_backend_name() == "postgresql":
        from runstore_sql import postgresql  # noqa: PLC0415 - as above

        return lambda _dialect, _record, _args, named: postgresql.connect(named, read_only=read_only)
    from runstore_sql import mysql  # noqa: PLC0415 - as above

    arguments = mysql.arguments_of(url) | secret_options.connect_arguments(url, secrets)
    return lambda _dialect, _record, _args, _named: mysql.connect(arguments, read_only=read_only)


def _roll_back(roll_back: Callable[[], object], give_up: Callable[[], object]) -> None:
    """Ends a failed transaction; when even that fails the connection is gone, and the first error is the one to tell."""
    try:
        roll_back()
    except Exception:  # noqa: BLE001 - the caller raises the error that led here
        give_up()


def _is_driver_error(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] in {"psycopg", "pymysql"}
