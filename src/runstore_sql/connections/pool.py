"""The connections of one handle: kept for the next call, of each process by itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from runstore.errors import StoreClosedError
from runstore.local import forks
from runstore.local.processes import PerProcess
from runstore_sql.dialects.connector import POOL_SIZE, Connector

ResultT = TypeVar("ResultT")

_Held = tuple[Any, Any]
"""What SQLAlchemy has of a driver's connection, and that connection."""


class Pool:
    """Connections for any number of threads, SQLAlchemy's and the driver's own.

    Those of the driver have a small stack beside SQLAlchemy's pool, whose bookkeeping takes longer than writing a point to
    SQLite.
    """

    def __init__(self, connector: Connector, shown_url: str, *, is_broken: Callable[[Exception], bool]) -> None:
        """Connects to nothing yet.

        Args:
            connector: makes the connections.
            shown_url: the URL without its secrets.
            is_broken: whether a connection is given up after this error.
        """
        self._connector = connector
        self._shown_url = shown_url
        self._is_broken = is_broken
        self._engine = PerProcess(connector.engine)
        self._spare: PerProcess[list[_Held]] = PerProcess(list)
        self._busy: PerProcess[set[int]] = PerProcess(set)
        self._is_closed = False
        connector.renew = self.renew
        if connector.is_file:
            forks.rest_before_forks(self)

    @property
    def engine(self) -> sa.Engine:
        """This process's engine."""
        if self._is_closed:
            raise StoreClosedError(f"the store at {self._shown_url} was closed; open another")
        return self._engine.get()

    def in_use(self) -> int:
        """How many connections are checked out right now, in this process."""
        if self._is_closed:
            return 0
        pool = self.engine.pool
        return (pool.checkedout() if isinstance(pool, QueuePool) else 0) + len(self._busy.get())

    @contextmanager
    def borrow(self) -> Iterator[sa.Connection]:
        """A connection of SQLAlchemy's for one call, handed back at the end of the block."""
        self._connector.enter()
        try:
            engine = self.engine
            pool = engine.pool
            try:
                with engine.connect() as connection:
                    yield connection
                    self._connector.check(connection.connection.dbapi_connection)
            finally:
                if engine.pool is not pool:  # given up meanwhile: nobody would close what was handed back to it
                    pool.dispose()
        finally:
            self._connector.leave()

    def with_driver(self, work: Callable[[Any], ResultT]) -> ResultT:
        """What ``work`` gives on a connection of the driver's for one call. It begins and ends its own transaction."""
        connector = self._connector
        connector.enter()
        try:
            busy = self._busy.get()
            held, connection = taken = self._take()
            busy.add(id(held))
            try:
                result = work(connection)
                connector.check(connection)
            except Exception as error:
                if self._is_broken(error):
                    held.close()
                else:
                    self._keep(taken)
                raise
            except BaseException:
                held.close()
                raise
            else:
                self._keep(taken)
                return result
            finally:
                busy.discard(id(held))
        finally:
            connector.leave()

    def _take(self) -> _Held:
        spare = self._spare.get()
        if spare and not self._is_closed:
            try:
                return spare.pop()
            except IndexError:  # another thread took the last one
                pass
        held = self.engine.raw_connection()
        held.detach()
        return held, held.dbapi_connection

    def _keep(self, taken: _Held) -> None:
        spare = self._spare.get()
        if len(spare) < POOL_SIZE and not self._is_closed:
            spare.append(taken)
        else:
            taken[0].close()

    def renew(self) -> None:
        """Closes this process's connections that nobody uses now; they are made anew when needed."""
        if not self._connector.is_file:
            self.rest()
            return
        forks.enter()  # a connection that is half closed must not be inherited either
        try:
            self.rest()
        finally:
            forks.leave()

    def rest(self) -> None:
        """As :meth:`renew`, before a fork: no call is under way."""
        spare = self._spare.get()
        with suppress(IndexError):  # other threads take from it as well
            while True:
                spare.pop()[0].close()
        engine = self._engine.found()
        if engine is not None:
            engine.dispose()

    def forget_lost(self) -> None:
        """After a lost connection to a server the others are likely lost too."""
        if not self._connector.is_file and not self._is_closed:
            self.rest()

    def close(self) -> None:
        """Closes the connections of this process; later calls raise StoreClosedError."""
        if not self._is_closed:
            self._is_closed = True
            self.renew()
            self._connector.close()
