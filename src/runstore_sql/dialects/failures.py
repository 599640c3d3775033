"""A driver's error as one of ours: try again, or not (ERR.1-3, DUR.4).

What a driver says is kept as the cause and quoted; the caller takes the secrets out of both.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from runstore.errors import RunStoreError, StoreFailureError, StoreFullError, StoreUnavailableError

_NO_ADVICE: Final = "mend what the database complains of: trying the same again will not help"


class Failures(ABC):
    """What the errors of one dialect's driver mean.

    Attributes:
        module: the driver's module, from which its errors come.
        transient: codes of errors after which the same call, begun afresh, may succeed.
        of_replica: codes by which a server says that it takes no writes.
        conflicts: codes by which it says that another's change came first, and that all of ours is undone.
        outside: codes by which a node says that it has no part in its cluster now.
        full: codes by which it says that its disk is full.
        taken: codes by which it says that a unique key is taken.
        missing: codes by which it says that a table or column is not there; a right that is missing is another thing.
        cut_off: codes by which it says that a statement took longer than it allows.
        advice: what to do, by code.
    """

    module: ClassVar[str]
    transient: ClassVar[frozenset[Any]] = frozenset()
    of_replica: ClassVar[frozenset[Any]] = frozenset()
    conflicts: ClassVar[frozenset[Any]] = frozenset()
    outside: ClassVar[frozenset[Any]] = frozenset()
    full: ClassVar[frozenset[Any]] = frozenset()
    taken: ClassVar[frozenset[Any]] = frozenset()
    missing: ClassVar[frozenset[Any]] = frozenset()
    cut_off: ClassVar[frozenset[Any]] = frozenset()
    advice: ClassVar[Mapping[Any, str]] = {}

    @abstractmethod
    def code(self, error: BaseException) -> Any:
        """What the database calls its error."""

    def words(self, error: BaseException) -> str:
        """What the driver says, in one line."""
        return " ".join(str(error).split())

    def advice_for(self, error: BaseException) -> str | None:
        """What to do about an error that trying again does not mend."""
        return self.advice.get(self.code(error))

    def is_passing(self, error: BaseException) -> bool:
        """Whether the same call, begun afresh, may succeed after this error of the driver's."""
        return self.code(error) in self.transient

    def is_own(self, error: BaseException) -> bool:
        """Whether an error is SQLAlchemy's or the driver's."""
        return isinstance(error, sa.exc.SQLAlchemyError) or self._is_drivers(error)

    def is_transient(self, error: BaseException) -> bool:
        """As :meth:`is_passing`, of any error."""
        if isinstance(error, sa.exc.TimeoutError):  # no connection of the pool became free
            return True
        if isinstance(error, sa.exc.DBAPIError):
            return error.connection_invalidated or (error.orig is not None and self.is_transient(error.orig))
        return self._is_drivers(error) and self.is_passing(error)

    def is_conflict(self, error: BaseException) -> bool:
        """Whether another's change came first; SQLAlchemy's errors are looked into."""
        return self.code(_of_driver(error)) in self.conflicts

    def is_missing(self, error: BaseException | None) -> bool:
        """Whether a driver's error says that a table or column is not there."""
        return error is not None and self.code(error) in self.missing

    def is_taken(self, error: BaseException | None) -> bool:
        """Whether a driver's error says that a unique key is taken."""
        return error is not None and self.code(error) in self.taken

    def is_cut_off(self, error: BaseException) -> bool:
        """Whether the server ended a statement because it took long."""
        return self.code(_of_driver(error)) in self.cut_off

    def translate(self, error: Exception, *, shown_url: str) -> RunStoreError:
        """The error to raise instead of ``error``, which becomes its cause.

        Args:
            error: from SQLAlchemy or the driver.
            shown_url: the URL without its secrets.
        """
        found = _of_driver(error)
        said = self.words(found).strip() or type(found).__name__
        code = self.code(found)
        if code in self.of_replica:
            return takes_no_writes(shown_url, said)
        if code in self.outside:
            return StoreUnavailableError(
                f"{shown_url} is away: {said}; this node has no part in its cluster: it was cut off from the majority, or is "
                "still taking over the state; name further nodes in the URL, or try again when it is back"
            )
        if self.is_transient(error):
            return StoreUnavailableError(
                f"{shown_url} is away or busy: {said}; try again, and see whether the server is up "
                "and its host and port are right"
            )
        refused = f"{shown_url} refused: {type(found).__name__}: {said}"
        if code in self.full:
            return StoreFullError(f"{refused}; the disk is full; free some space")
        return StoreFailureError(f"{refused}; {self.advice_for(found) or _NO_ADVICE}")

    def _is_drivers(self, error: BaseException) -> bool:
        return type(error).__module__.partition(".")[0] == self.module


def takes_no_writes(shown_url: str, said: str) -> StoreUnavailableError:
    """The error for a server that can be read and not be written, which may change.

    Args:
        shown_url: the URL without its secrets.
        said: how it was found out.
    """
    return StoreUnavailableError(
        f"{shown_url} takes no writes: {said}; it is a read replica, or about to become the primary: name the primary in the "
        "URL, or try again"
    )


def _of_driver(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig is not None else error
