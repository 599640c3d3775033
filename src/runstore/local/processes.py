"""State that belongs to one process: a fork's child makes its own, and leaves its parent's alone."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from runstore.local.system import at_fork

ValueT = TypeVar("ValueT")

_generation = 0
"""How many forks lie between the first process and this one. Process ids come again, these numbers do not."""


def _count_fork() -> None:
    global _generation  # noqa: PLW0603 - a process has one line of parents
    _generation += 1


at_fork(after_in_child=_count_fork)


class PerProcess(Generic[ValueT]):
    """A value that each process makes for itself at the first use. Any thread may use it.

    What the parent had stays referenced in the child for good: to close or to collect it could end the parent's
    connections. A lock that another thread of the parent held at the fork holds nobody up.
    """

    def __init__(self, make: Callable[[], ValueT]) -> None:
        """Makes nothing yet.

        Args:
            make: called once in each process; by one thread, while others wait for the value.
        """
        self._make = make
        self._values: dict[int, ValueT] = {}
        self._locks: dict[int, AbstractContextManager[object]] = {}

    def get(self) -> ValueT:
        """This process's value, made now if it was not."""
        try:
            return self._values[_generation]
        except KeyError:
            return self._made_now()

    def found(self) -> ValueT | None:
        """This process's value, if it was made."""
        return self._values.get(_generation)

    def take(self) -> ValueT | None:
        """As :meth:`found`, and forgets it: the next use makes another one."""
        return self._values.pop(_generation, None)

    def _made_now(self) -> ValueT:
        with self._locks.setdefault(_generation, threading.RLock()):  # a signal handler may come here again
            if _generation not in self._values:
                self._values.setdefault(_generation, self._make())
            return self._values[_generation]
