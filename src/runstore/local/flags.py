"""An event for threads that Ctrl-C cannot leave locked."""

from queue import Empty, SimpleQueue


class Flag:
    """As :class:`threading.Event`, for callers whom Ctrl-C or a signal handler may interrupt anywhere.

    An Event takes its lock in Python code. An exception between that and the block that gives the lock back leaves it
    locked for ever, and whoever sets the event next hangs. Here each lock is taken and given back inside one call in C.
    Only a thread that waits for it may clear it.
    """

    def __init__(self) -> None:
        """Not set."""
        self._is_set = False
        self._tokens: SimpleQueue[None] = SimpleQueue()  # one while it is set: it wakes whoever waits

    def set(self) -> None:
        """Lets those who wait go on, and those who come later."""
        self._is_set = True
        if self._tokens.empty():
            self._tokens.put(None)

    def is_set(self) -> bool:
        """Whether it is set."""
        return self._is_set

    def clear(self) -> None:
        """Makes those who come from now on wait."""
        self._is_set = False
        try:
            while True:
                self._tokens.get_nowait()
        except Empty:
            return

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it is set, or so many seconds; whether it is. It stays set for others."""
        if not self._is_set:
            try:
                self._tokens.get(timeout=timeout)
            except Empty:
                return self._is_set
            self._tokens.put(None)
        return self._is_set
