"""How one handle reaches its database."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

POOL_SIZE: Final = 5

ResultT = TypeVar("ResultT")


class ChangedError(Exception):
    """What was read changed meanwhile; to be read again, on a connection of its own."""


class Connector(ABC):
    """Makes the connections of one handle, and looks at each call that uses one.

    Attributes:
        is_file: whether the database is a file of this machine. Its locks belong to this process, so no connection may
            be inherited in a fork; and no other breaks when one does.
        renew: drops the handle's connections, for it must connect anew.
    """

    is_file: ClassVar[bool] = False

    def __init__(self) -> None:
        self.renew: Callable[[], None] = lambda: None

    @abstractmethod
    def engine(self) -> sa.Engine:
        """An engine whose connections are in autocommit mode; nothing is connected yet."""

    def attempt(self, call: Callable[[], ResultT]) -> ResultT:
        """What one attempt of a call gives."""
        return call()

    def enter(self) -> None:
        """Begins a call."""

    def leave(self) -> None:
        """Ends it."""

    def check(self, connection: Any) -> None:
        """Makes sure, after a call's work is done on a driver's connection, that it holds."""

    def close(self) -> None:
        """Lets go of what it holds beside connections."""


class ServerConnector(Connector):
    """Reaches a server by its driver."""

    def __init__(self, url: sa.URL, connect: Callable[[dict[str, Any]], Any], *, secrets: Mapping[str, Any]) -> None:
        """Makes connections of the driver's.

        Args:
            url: without the options that hold secrets.
            connect: makes one from the driver's arguments, as SQLAlchemy finds them in the URL.
            secrets: further arguments, which the URL must not show.
        """
        super().__init__()
        self._url = url
        self._connect = connect
        self._secrets = dict(secrets)

    def engine(self) -> sa.Engine:
        """As of any connector."""
        engine = pooled_engine(self._url, max_overflow=POOL_SIZE, connect_args=self._secrets)
        sa.event.listen(engine, "do_connect", lambda _dialect, _record, _arguments, named: self._connect(named))
        return engine


def pooled_engine(url: sa.URL, *, max_overflow: int, **arguments: Any) -> sa.Engine:
    """An engine as a connector gives it."""
    return sa.create_engine(
        url,
        poolclass=QueuePool,
        pool_size=POOL_SIZE,
        max_overflow=max_overflow,
        # A thread waits for its turn rather than fail: 16 threads may share a handle.
        pool_timeout=60,
        pool_reset_on_return=None,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        hide_parameters=True,
        **arguments,
    )
