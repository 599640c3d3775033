"""What a person does with a database beside keeping runs in it: a plugin may offer it, and the commands ask for it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from msgspec import Struct

from runstore.errors import SettingsError

_CLOCK_S: Final = 5.0
"""So far apart may clocks be: a run's times are those of the machine that it ran on."""


class Grade(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    """Runs are kept and read; somebody should look at it."""
    FAULT = "fault"
    """Runs cannot be kept, or not be read."""


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was looked at, and how it stands.

    Attributes:
        subject: what was looked at, in a word or two: ``"indexes"``.
        grade: how it stands.
        found: what was found.
        cure: what to do; empty where there is nothing to do.
    """

    subject: str
    grade: Grade = Grade.OK
    found: str
    cure: str = ""

    @classmethod
    def of_clock(cls, ahead_s: float) -> Self:
        """How far a database's clock is ahead of this machine's, and whether that matters."""
        if abs(ahead_s) < _CLOCK_S:
            return cls(subject="clock", found=f"{abs(ahead_s):.1f} s from this machine's")
        return cls(
            subject="clock",
            grade=Grade.WARNING,
            found=f"the database's clock is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} this "
            "machine's: the times of runs on several machines cannot be compared",
            cure="let the machines set their clocks by the network (NTP)",
        )


class Rights(Struct, frozen=True, kw_only=True):
    """What the user of a URL may do in its database. ``None`` where the database does not tell.

    Attributes:
        user: who that is, as the database names them; ``None`` where there are no users.
        read: read runs.
        write: write runs.
        change: make the schema, and bring it up to date.
    """

    user: str | None = None
    read: bool | None = None
    write: bool | None = None
    change: bool | None = None


class SchemaState(Struct, frozen=True, kw_only=True):
    """Which schema a database has, and what this release makes of it.

    Attributes:
        found: the version of the schema; ``None`` where there is no store yet.
        known: the version that this release writes.
        written_by: the release that made it so, where that is known.
        is_readable: whether this release can read it as it stands.
        is_writable: whether this release can write it, once it is brought up to date.
        steps: what an upgrade would do, in order; none where there is nothing to do.
    """

    found: int | None
    known: int
    written_by: str | None = None
    is_readable: bool = True
    is_writable: bool = True
    steps: tuple[str, ...] = ()


class Selection(NamedTuple):
    """What a statement gave.

    Attributes:
        titles: the names of the columns.
        rows: a value for each of them.
        has_more: whether there are rows beside these.
    """

    titles: Sequence[str]
    rows: Sequence[Sequence[Any]]
    has_more: bool


class Administration(ABC):
    """Looks at one database, whatever state it is in, and brings its schema up to date.

    It is made without a connection; what cannot be reached is told by the method that needs it. No method but
    :meth:`upgrade` and :meth:`scratch` writes. Errors are those of :mod:`runstore.errors`. It is used by one thread.
    """

    @abstractmethod
    def schema_state(self) -> SchemaState:
        """How the schema stands now.

        Raises:
            ForeignSchemaError: others have taken our names.
            StoreUnavailableError: the database cannot be reached.
        """

    @abstractmethod
    def upgrade(self) -> None:
        """Makes the schema, or brings it up to date, while others use the store; does nothing where it is current.

        Raises:
            SchemaTooNewError: a newer release wrote it, in a way that this one cannot write.
            StoreFailureError: this user may not.
        """

    def rights(self) -> Rights:
        """What the user of the URL may do; by default the database does not tell."""
        return Rights()

    def findings(self) -> Iterable[Finding]:
        """What there is to tell of the server, of indexes, of the clock, and of anything else that may be wrong.

        Asked for only where there is a store. Schema and rights have methods of their own and are left out.
        """
        return ()

    def select(self, statement: str, *, limit: int) -> Selection:
        """What one statement in the database's own language gives. The database itself refuses all that writes.

        Args:
            statement: as a person wrote it.
            limit: how many rows at most.

        Raises:
            InvalidValueError: the database refused the statement; says why.
        """
        del statement, limit
        raise SettingsError("this database has no SQL; `runstore runs` and `runstore history` read any store")

    def scratch(self) -> AbstractContextManager[str]:
        """A new, empty place for trials on the same server: its URL, password included. It is removed at the end.

        Raises:
            StoreFailureError: this user may not make one.
        """
        raise SettingsError("this backend cannot make a place for trials")

    @abstractmethod
    def close(self) -> None:
        """Gives back what it holds; closing twice is closing once."""

    def __enter__(self) -> Self:
        """The administration itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()
