"""One database: its connections, transactions and retries.

Connections are in autocommit mode and transactions are begun by hand, so a plain read costs one round trip and no
connection ever sits idle in a transaction (DUR.5). A call holds one connection at most (DUR.3) and hands it back before
it returns. After a fork the child makes connections of its own (OPEN.5).
"""

import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import sqlalchemy as sa
import tenacity

from runstore.errors import RunStoreError, StoreUnavailableError
from runstore.local import forks
from runstore.secrets import Secrets, redact_word, without_secrets
from runstore_sql.connections.pool import Pool
from runstore_sql.dialects import options
from runstore_sql.dialects.base import dialect_of
from runstore_sql.dialects.connector import ChangedError
from runstore_sql.transactions import Transactions

_ATTEMPTS: Final = 4
_ATTEMPTS_OF_CONFLICTS: Final = 20
"""Of a call that others' changes have undone, as when several nodes of a cluster write to one run: sooner or later it is the first."""

ResultT = TypeVar("ResultT")


class Database:
    """Connections to one database, for any number of threads.

    Attributes:
        url: SQLAlchemy's form of the URL, with the driver that we use, without the options that hold secrets.
        dialect: what this kind of database does its own way.
        transactions: how they begin and end.
        read_only: whether the handle only reads.
        make_again: makes the schema where there is none any more, as of a database that a server has lost with its disk;
            ``None`` until it was made or found once.
    """

    def __init__(self, url: sa.URL, *, read_only: bool) -> None:
        self._secrets = Secrets(url.render_as_string(hide_password=False))
        self.url, self._secret_options = options.split_secrets(url)
        self.read_only = read_only
        self.make_again: Callable[[], None] | None = None
        self._is_making = threading.local()
        self.dialect = dialect_of(url.get_backend_name())
        begin = self.dialect.begin_reading if read_only else self.dialect.begin
        self.transactions = Transactions(begin, without_limit=self.dialect.without_limit)
        self._connector = self.dialect.connector(self.url, self._secret_options, read_only=read_only)
        self._pool = Pool(self._connector, self.shown_url, is_broken=self._is_broken)

    @property
    def shown_url(self) -> str:
        """The URL as people write it, without its secrets and without the driver, which we choose."""
        url = self.url.set(drivername=self.url.get_backend_name())
        return redact_word(options.as_written(url))

    @property
    def whole_url(self) -> str:
        """The URL with everything, password included: for a pickled store only."""
        return self.whole(self.url)

    def whole(self, url: sa.URL) -> str:
        """The text of a URL that was made of this one's, with the options that hold secrets."""
        return url.update_query_dict(self._secret_options).render_as_string(hide_password=False)

    @property
    def engine(self) -> sa.Engine:
        """This process's engine."""
        return self._pool.engine

    def connections_in_use(self) -> int:
        """How many connections are checked out right now, in this process."""
        return self._pool.in_use()

    def renew(self) -> None:
        """Closes this process's connections that nobody uses now; they are made anew when needed."""
        self._pool.renew()

    def close(self) -> None:
        """Closes the connections of this process; later calls raise StoreClosedError."""
        self._pool.close()

    def read(self, work: Callable[[sa.Connection], ResultT]) -> ResultT:
        """What ``work`` gives on a connection without a transaction; tried again when the database is away or busy."""

        def attempt() -> ResultT:
            with self._pool.borrow() as connection:
                return work(connection)

        return self._retry(attempt)

    def write(self, work: Callable[[sa.Connection], ResultT]) -> ResultT:
        """What ``work`` gives in one transaction, committed when it returns and rolled back when it raises."""

        def attempt() -> ResultT:
            with self._pool.borrow() as connection, self.transactions.on(connection):
                return work(connection)

        return self._retry(attempt)

    def with_driver(self, work: Callable[[Any], ResultT]) -> ResultT:
        """What ``work`` gives on a connection of the driver's own, for the paths where SQLAlchemy's layer would cost.

        ``work`` begins and ends its own transaction.
        """
        return self._retry(lambda: self._pool.with_driver(work))

    def alone(self, work: Callable[[], ResultT]) -> ResultT:
        """What ``work`` gives, which connects by itself; tried again when the database is away or busy."""

        def attempt() -> ResultT:
            forks.enter()
            try:
                return work()
            finally:
                forks.leave()

        return self._retry(attempt)

    def _is_broken(self, error: Exception) -> bool:
        return isinstance(error, ChangedError) or self.dialect.failures.is_transient(error)

    def _retry(self, attempt: Callable[[], ResultT]) -> ResultT:
        try:
            return self._connector.attempt(attempt)  # the first try pays for no machinery
        except RunStoreError:
            raise
        except Exception as error:  # noqa: BLE001 - translated or raised again below
            failed = self._translate(error)
        if self._has_schema_again(failed):
            return self._attempt(attempt, is_first=False)
        if not isinstance(failed, StoreUnavailableError):
            raise failed
        self._forget_lost(failed)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(StoreUnavailableError),
            wait=tenacity.wait_random_exponential(multiplier=0.05, max=1.0),
            stop=lambda state: state.attempt_number >= self._attempts_after(_failed(state)) - 1,
            before_sleep=lambda state: self._forget_lost(_failed(state)),
            reraise=True,
        )
        return cast("ResultT", retrying(self._attempt, attempt))

    def _has_schema_again(self, failed: Exception) -> bool:
        """Whether a call failed for want of a table, and what a new handle would do before it was done."""
        if self.make_again is None or not self.dialect.failures.is_missing(failed.__cause__):
            return False
        if getattr(self._is_making, "now", False):
            return False
        self._is_making.now = True
        try:
            self.make_again()
        finally:
            self._is_making.now = False
        return True

    def _attempts_after(self, error: BaseException | None) -> int:
        return _ATTEMPTS_OF_CONFLICTS if self._is_conflict(error) else _ATTEMPTS

    def _forget_lost(self, error: BaseException | None) -> None:
        if not self._is_conflict(error):
            self._pool.forget_lost()

    def _is_conflict(self, error: BaseException | None) -> bool:
        cause = None if error is None else error.__cause__
        return cause is not None and self.dialect.failures.is_conflict(cause)

    def _attempt(self, attempt: Callable[[], ResultT], *, is_first: bool = True) -> ResultT:
        try:
            return self._connector.attempt(attempt)
        except RunStoreError:
            raise
        except Exception as error:  # noqa: BLE001 - raised again, translated
            failed = self._translate(error)
        if is_first and self._has_schema_again(failed):
            return self._attempt(attempt, is_first=False)
        raise failed  # not where it was caught: the driver's error may hold a secret, and would be kept as context

    def _translate(self, error: Exception) -> Exception:
        failures = self.dialect.failures
        if not failures.is_own(error):
            return error
        failed = failures.translate(error, shown_url=self.shown_url)
        self.transactions.is_cut_short = self.transactions.is_cut_short or failures.is_cut_off(error)
        # The driver's own error, not SQLAlchemy's around it: whoever reads the traceback meets one cause.
        failed.__cause__ = error
        if isinstance(error, sa.exc.DBAPIError) and error.orig is not None:
            failed.__cause__ = error.orig
            if error.statement is None:  # no connection was had: forty lines of the pool's say nothing more
                error.orig.__traceback__ = None
        return without_secrets(failed, self._secrets)


def _failed(state: tenacity.RetryCallState) -> BaseException | None:
    return None if state.outcome is None else state.outcome.exception()
