"""What a person wants to know of a database, asked in a dialect's own way: for ``runstore doctor``, ``migrate`` and ``sql``."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from runstore.backend import Rights, Selection
from runstore.local.clock import now_us

_MILLION: Final = 1_000_000


class Steward(ABC):
    """Answers for one dialect. It has no state; connections are the driver's own, in autocommit mode, for reading.

    Attributes:
        place_query: SQL for what the place is called that a connection works in.
    """

    place_query: ClassVar[str] = "SELECT DATABASE()"

    def is_made(self, url: sa.URL) -> bool:
        """Whether there is a database at all, where that can be told without connecting."""
        del url
        return True

    @abstractmethod
    def server(self, connection: Any) -> str:
        """The server and the driver, with their versions."""

    @abstractmethod
    def rights(self, connection: Any, url: sa.URL, *, has_schema: bool) -> Rights:
        """What the user may do.

        Args:
            connection: the driver's.
            url: the store's.
            has_schema: whether the tables are there.
        """

    def broken_indexes(self, connection: Any) -> Sequence[str]:
        """Indexes of ours that are there and that the database does not use."""
        del connection
        return ()

    @abstractmethod
    def select(self, connection: Any, statement: str, limit: int) -> Selection:
        """What one statement gives; the database refuses all that writes."""

    def place(self, connection: Any) -> str:
        """What the database, or the schema, is called that a connection works in."""
        cursor = connection.cursor()
        cursor.execute(self.place_query)
        (name,) = cursor.fetchone()
        cursor.close()
        return str(name)

    @abstractmethod
    def make_scratch(self, run: Callable[[Callable[[Any], None]], None], url: sa.URL, name: str) -> sa.URL:
        """Makes a new, empty place of this name on the same server, and gives its URL.

        Args:
            run: runs a call with a connection that may write, in autocommit mode.
            url: the store's.
            name: what it is called: letters, digits and underscores.
        """

    @abstractmethod
    def drop_scratch(self, run: Callable[[Callable[[Any], None]], None], made: sa.URL, name: str) -> None:
        """Removes what :meth:`make_scratch` has made, with all that is in it."""

    def clock_ahead_s(self, connection: Any, now: str) -> float:
        """How far the database's clock is ahead of this machine's, in seconds.

        Args:
            connection: the driver's.
            now: SQL for the database's clock, in microseconds.
        """
        cursor = connection.cursor()
        before = now_us()
        cursor.execute(f"SELECT {now}")
        (theirs,) = cursor.fetchone()
        middle = (before + now_us()) / 2
        cursor.close()
        return (int(theirs) - middle) / _MILLION
