"""What the author of a backend gives the kit: a :class:`Harness` over one database.

Two methods are required, ``open`` and ``fresh``. All others are optional: an *observer* looks at the database from
outside, a *fault* breaks something on purpose. One that is not given raises :class:`Unsupported`, and the tests that
need it stand in the report as "not run", with that reason.
"""

# ruff: noqa: ARG002 - the base refuses, whatever it is asked

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Self, cast

from runstore.backend import Store

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Unsupported(Exception):  # noqa: N818 - says what the harness cannot do; no test fails of it
    """The harness cannot do what a test needs; the test is reported as not run."""


def open_url(url: str) -> Store:
    """Opens a store through the installed plugins, without the journal: what a child process runs."""
    from runstore.opening.stores import open_store  # noqa: PLC0415 - keeps a harness without a URL free of the plugins

    return open_store(url, durable=False)


def age_files(folder: Path, days: float) -> None:
    """Makes every file below a folder look as if it had been written so many days ago."""
    moment = time.time() - days * 86_400
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (moment, moment))


class Harness(ABC):
    """One database, and what can be done to it.

    The kit may open any number of handles on it, and never assumes that it is empty: tests name what they write
    uniquely, so one database serves all tests of a worker. A test that needs an empty one asks :meth:`fresh`.

    Attributes:
        deviations: clause id, or the name of one kit test, to the reason why this backend cannot keep it. Its tests
            become strict expected failures: one that passes nevertheless is red.
        url: what ``runstore.open_store`` takes to reach this database from another process; ``None`` when it lives
            inside this one.
        effort: how many of the generated examples to try, from 0 to 1; less than 1 for a backend whose every call
            takes tens of milliseconds.
        is_immediate: whether another process sees at once what a verb has acknowledged. ``False`` for a store that
            delivers a moment later: the state machine then keeps to the handles of one process, and points and config
            that a purged run is sent need not be refused before they are delivered.
    """

    deviations: Mapping[str, str] = _NOTHING
    url: str | None = None
    effort: float = 1.0
    is_immediate: bool = True

    # Required

    @abstractmethod
    def open(self) -> Store:
        """A new handle on this database. The kit closes it."""

    @abstractmethod
    def fresh(self) -> "Harness":
        """A harness of the same kind on another, empty database. The kit closes it."""

    def close(self) -> None:  # noqa: B027 - most harnesses have nothing to give back
        """Gives back the database that :meth:`fresh` made."""

    def __enter__(self) -> Self:
        """The harness itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Closes the harness."""
        self.close()

    def open_reader(self) -> Store:
        """A handle on this database as ``runstore.open_reader`` gives it; its verbs must refuse. The kit closes it."""
        if self.url is None:
            raise Unsupported("the database lives inside one process")
        from runstore.opening.stores import open_reader  # noqa: PLC0415 - as in open_url

        return cast("Store", open_reader(self.url))

    def open_recorded(self) -> Store:
        """A handle on this database as ``runstore.open_store`` gives it: behind the recorder. The kit closes it."""
        if self.url is None:
            raise Unsupported("the database lives inside one process")
        from runstore.opening import open_store  # noqa: PLC0415 - as in open_url

        return open_store(self.url)

    # Optional reach into other processes

    def recipe(self) -> Callable[[], Store]:
        """A picklable call that opens this database in another process."""
        if self.url is None:
            raise Unsupported("the database lives inside one process")
        return partial(open_url, self.url)

    # Optional observers

    def open_connections(self) -> int:
        """How many connections this process's handles on this database hold checked out right now."""
        raise Unsupported("the harness does not count connections")

    def open_transactions(self) -> int:
        """How many transactions the server sees open on this database."""
        raise Unsupported("the harness does not count transactions")

    def fingerprint(self) -> Hashable:
        """The schema and the content as the database itself shows them: equal when nothing was changed."""
        raise Unsupported("the harness takes no fingerprint of the database")

    def count_round_trips(self) -> AbstractContextManager[Callable[[], int]]:
        """Yields a call that says how many statements this process's handles have sent since entry."""
        raise Unsupported("the harness does not count round trips")

    # Optional ways to where faults can be made

    def faulty(self) -> "Harness":
        """A harness on this database by a way on which connections can be counted, cut and dropped.

        For a database server: through a :class:`runstore.testing.proxy.FaultProxy`. The kit closes it.
        """
        raise Unsupported("the database is not reached over a network")

    def private(self) -> "Harness":
        """A harness on a server or disk of its own, which may be restarted, failed over or filled. The kit closes it."""
        raise Unsupported("the harness has no server or disk of its own to break")

    # Optional faults. Some harnesses give them through ``faulty`` or ``private`` alone.

    def drop_connections(self) -> None:
        """Makes the server close every connection to this database, as it would overnight."""
        raise Unsupported("the harness cannot drop connections")

    def restart(self) -> None:
        """Restarts the server, or kills it and starts it again on the same data; returns when it answers."""
        raise Unsupported("the harness cannot restart the server")

    def step_down(self) -> None:
        """Makes the primary of a replicated server step down."""
        raise Unsupported("the server has no primary that could step down")

    def outage(self) -> AbstractContextManager[None]:
        """Makes the database unreachable inside the block."""
        raise Unsupported("the harness cannot make the database unreachable")

    def hold_lock(self, run_id: str, seconds: float) -> None:
        """Starts a rival transaction that blocks writes to this run, ends after ``seconds``; returns once it holds."""
        raise Unsupported("the harness cannot hold a lock")

    def full(self) -> AbstractContextManager[None]:
        """Lets the database take no more bytes inside the block."""
        raise Unsupported("the harness cannot fill the disk")

    def cut_after(self, statements: int) -> AbstractContextManager[Callable[[], bool]]:
        """Inside the block, every statement after the first few fails as if the connection had been cut.

        Yields a call that says whether any statement was cut.
        """
        raise Unsupported("the harness cannot cut the connection between statements")

    def back_up(self) -> Callable[[], None]:
        """Takes a copy of this database; the call that is given brings the database back to it, as a restore would.

        Handles stay open and work on the database afterwards; their connections may be lost. The kit asks only where all
        that was recorded is stored.
        """
        raise Unsupported("the harness takes no copy of the database")

    def damage_artifact(self, run_id: str, name: str) -> None:
        """Changes a byte of an artifact's stored bytes, behind the store's back."""
        raise Unsupported("the harness cannot damage stored bytes")

    def age_artifacts(self, days: float) -> None:
        """Makes the kept bytes of every artifact look as if they had been put so many days ago."""
        raise Unsupported("the harness cannot make stored bytes look old")

    def mark_newer(self, *, readable: bool) -> None:
        """Makes the schema look as if a newer release had changed it, additively (``readable``) or not."""
        raise Unsupported("the harness cannot pretend a newer schema")

    def plant_foreign_schema(self) -> None:
        """Puts tables or collections of our names that are not ours into this empty database."""
        raise Unsupported("the harness cannot plant a foreign schema")

    def open_with_password(self, password: str) -> Store:
        """Opens a URL of this backend that holds this password, escaped, and cannot be opened with it; must raise."""
        raise Unsupported("the URLs of this backend hold no password")

    def open_refused(self) -> Store:
        """Opens this backend as somebody whom its server, which is up, does not let in; must raise."""
        raise Unsupported("nobody is turned away by this backend")


class RecordedHarness(Harness):
    """The database of another harness, every handle on it behind the recorder."""

    is_immediate = False

    def __init__(self, bare: Harness) -> None:
        self._bare = bare
        self.effort = bare.effort * 0.3  # the backend itself is tried in full

    def open(self) -> Store:
        """A recorded handle."""
        return self._bare.open_recorded()

    def fresh(self) -> Harness:
        """Another, empty database behind the recorder."""
        return RecordedHarness(self._bare.fresh())
