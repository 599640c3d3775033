"""A store that breaks at will around one that does not, and a plain model to judge the outcome by."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, Self, cast

from runstore.backend import BackendStore
from runstore.errors import StoreFailureError, StoreFullError, StoreUnavailableError
from runstore.memory.store import MemoryStore

FAULTS = ("away", "lost reply", "failure", "bug", "slow")


class FaultyStore:
    """Asks ``next_fault`` before each call whether, and how, to break; reads and the heartbeat break as well.

    ``away`` raises StoreUnavailableError before anything is done, ``lost reply`` after everything was done. ``failure``
    raises StoreFailureError, ``full`` StoreFullError and ``bug`` an error of no known kind, before anything is done.
    ``slow`` waits a little.
    """

    def __init__(self, store: MemoryStore, next_fault: Callable[[str], str | None]) -> None:
        self._store = store
        self._next_fault = next_fault
        self.calls: list[str] = []

    def source(self) -> Self:
        return self

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name in {"blobs", "close"}:
            return method

        def call(*arguments: Any, **named: Any) -> Any:
            self.calls.append(name)
            fault = self._next_fault(name)
            if fault == "away":
                raise StoreUnavailableError("the database went away")
            if fault == "failure":
                raise StoreFailureError("the database's disk is full")
            if fault == "full":
                raise StoreFullError("no room is left")
            if fault == "bug":
                raise RuntimeError("a driver's error that came through")
            if fault == "slow":
                threading.Event().wait(0.01)
            result = method(*arguments, **named)
            if fault == "lost reply":
                raise StoreUnavailableError("the connection broke before the reply came")
            return result

        return call


def faulty(store: MemoryStore, next_fault: Callable[[str], str | None]) -> BackendStore:
    """A store that breaks at will, in the place of one that does not."""
    return cast("BackendStore", FaultyStore(store, next_fault))


class Faults:
    """A list of faults, handed out one by one; ``None`` when it is empty."""

    def __init__(self, faults: Iterable[str | None] = ()) -> None:
        self._faults = list(faults)

    def __call__(self, name: str) -> str | None:  # noqa: ARG002 - all calls break alike
        return self._faults.pop(0) if self._faults else None


class Away:
    """Every call fails until :meth:`come_back`."""

    def __init__(self) -> None:
        self._is_away = True

    def come_back(self) -> None:
        self._is_away = False

    def __call__(self, name: str) -> str | None:  # noqa: ARG002 - all calls break alike
        return "away" if self._is_away else None
