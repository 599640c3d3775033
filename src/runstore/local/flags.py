"""An event for threads that Ctrl-C cannot leave locked."""

from queue import Empty, SimpleQueue


class Flag:
    """As :class:`threading.Event`, for callers whom Ctrl-C or a signal handler may interrupt anywhere.

    An Event takes its lock in Python code. An exception between that and the block that gives the lock back leaves it
    locked for ever, and whoever sets the event next hangs. Here each lock is taken and given back inside one call in C.
    """

    def __init__(self) -> None:
        """Not set."""
        self._tokens: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Lets those who wait go on, and those who come later."""
        if self._tokens.empty():
            self._tokens.put(None)

    def is_set(self) -> bool:
        """Whether it is set."""
        return not self._tokens.empty()

    def clear(self) -> None:
        """Makes those who come from now on wait."""
        try:
            while True:
                self._tokens.get_nowait()
        except Empty:
            return

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it is set, or so many seconds; whether it is. It stays set for others."""
        try:
            self._tokens.get(timeout=timeout)
        except Empty:
            return False
        self._tokens.put(None)
        return True
