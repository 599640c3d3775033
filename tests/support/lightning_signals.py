"""The handler of SIGTERM that Lightning leaves behind."""

import signal
from typing import Any


def let_go() -> None:
    """Puts back the handler that was there before.

    Lightning does so itself, but not where a callback or a logger raises while it is told how a training ended. A process
    that is forked from this one later may lose a signal that comes at once, and a pool waits for it for ever.
    """
    handler: Any = signal.getsignal(signal.SIGTERM)
    while type(handler).__name__ == "_HandlersCompose":
        handler = handler.signal_handlers[0].__self__._original_handlers[signal.SIGTERM]  # noqa: SLF001 - it has no other way
        signal.signal(signal.SIGTERM, handler)
