"""Transactions, begun and ended by hand on connections in autocommit mode: no connection ever sits idle in one (DUR.5)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa


class Transactions:
    """How one handle begins and ends a transaction.

    Attributes:
        begin: the statement that begins one.
        is_cut_short: whether the server has ended a statement that took longer than its settings allow. Each
            transaction is then given the time it needs.
    """

    def __init__(self, begin: str, *, without_limit: str = "") -> None:
        """Takes the statement that begins a transaction, and the one that lets it take its time."""
        self.begin = begin
        self.is_cut_short = False
        self._without_limit = without_limit

    @contextmanager
    def on(self, connection: sa.Connection) -> Iterator[None]:
        """A transaction on a connection of SQLAlchemy's: committed, or rolled back when the block raises."""
        connection.exec_driver_sql(self.begin)
        try:
            if self.is_cut_short:
                connection.exec_driver_sql(self._without_limit)
            yield
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            roll_back(lambda: connection.exec_driver_sql("ROLLBACK"), connection.invalidate)
            raise

    def on_driver(self, connection: Any) -> AbstractContextManager[Any]:
        """A transaction on a driver's connection; gives its cursor."""
        return _DriverTransaction(connection.cursor(), self.begin, self._without_limit if self.is_cut_short else "")


class _DriverTransaction:
    """No generator, which would cost a call of one point a tenth of its time."""

    __slots__ = ("_begin", "_cursor", "_without_limit")

    def __init__(self, cursor: Any, begin: str, without_limit: str) -> None:
        self._cursor = cursor
        self._begin = begin
        self._without_limit = without_limit

    def __enter__(self) -> Any:
        self._cursor.execute(self._begin)
        if self._without_limit:
            self._cursor.execute(self._without_limit)
        return self._cursor

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
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
        roll_back(lambda: self._cursor.execute("ROLLBACK"), lambda: None)


def roll_back(statement: Callable[[], object], give_up: Callable[[], object]) -> None:
    """Ends a failed transaction; when even that fails the connection is gone, and the first error is the one to tell."""
    try:
        statement()
    except Exception:  # noqa: BLE001 - the caller raises the error that led here
        give_up()
