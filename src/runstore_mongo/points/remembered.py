"""What a handle remembers of what it wrote last, so that it need not read it before the next write."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

ValueT = TypeVar("ValueT")


class Remembered(Generic[ValueT]):
    """Values by key, up to a size in all; those that were not put for longest go first. Any thread may use it."""

    def __init__(self, most: int) -> None:
        """Holds values whose sizes add up to ``most``, and always the one that was put last."""
        self._most = most
        self._size = 0
        self._lock = threading.Lock()
        self._held: dict[str, tuple[ValueT, int]] = {}  # in the order in which they were put

    def get(self, key: str) -> ValueT | None:
        """The value of a key, if it is remembered."""
        held = self._held.get(key)
        return None if held is None else held[0]

    def put(self, values: Iterable[tuple[str, ValueT, int]]) -> None:
        """Remembers values: key, value and size of each."""
        with self._lock:
            for key, value, size in values:
                self._drop(key)
                self._held[key] = value, size
                self._size += size
            while self._size > self._most and len(self._held) > 1:
                self._drop(next(iter(self._held)))

    def forget(self, keys: Iterable[str]) -> None:
        """Forgets values."""
        with self._lock:
            for key in keys:
                self._drop(key)

    @contextmanager
    def forgetting(self, keys: Iterable[str]) -> Iterator[None]:
        """After any error in the block what was written is not known for sure: the keys are forgotten, and read next."""
        try:
            yield
        except BaseException:
            self.forget(keys)
            raise

    def _drop(self, key: str) -> None:
        _, size = self._held.pop(key, (None, 0))
        self._size -= size
